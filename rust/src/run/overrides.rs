//! `Overrides`: whether dependencies of an application are overridden, which each request asks and hardly any finds.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::py::Attached;
use crate::version_counter::VersionCounter;

/// The mapping ``dependency_overrides`` of a provider. It may be edited and replaced at any time.
#[derive(Debug)]
pub(super) struct Overrides {
    provider: Py<PyAny>,
    /// Counts the replacements, if the provider announces them.
    settings: Option<Py<VersionCounter>>,
    /// The mapping that was seen last, and the number of replacements by then.
    known: Attached<Option<Py<PyDict>>>,
    as_of: AtomicU64,
    /// Those that the program is made for; None if it is for none.
    applied: Option<Py<PyAny>>,
}

impl Overrides {
    pub(super) fn new(provider: Py<PyAny>, settings: Option<Py<VersionCounter>>, applied: Bound<'_, PyAny>) -> Self {
        let applied = if applied.is_none() { None } else { Some(applied.unbind()) };
        Self { provider, settings, known: Attached::default(), as_of: AtomicU64::default(), applied }
    }

    /// Whether there are others now than those that the program is made for.
    pub(super) fn differ(&self, py: Python<'_>) -> PyResult<bool> {
        match &self.applied {
            None => self.exist(py),
            Some(applied) => self.mapping(py)?.ne(applied),
        }
    }

    /// Whether there are any now.
    fn exist(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(settings) = &self.settings else { return self.mapping(py)?.is_truthy() };
        let now = settings.get().current();
        if self.as_of.load(Ordering::Relaxed) == now
            && let Some(mapping) = self.known.get(py)
        {
            return Ok(!mapping.bind(py).is_empty());
        }
        let mapping = self.mapping(py)?;
        let Ok(mapping) = mapping.cast_exact::<PyDict>() else { return mapping.is_truthy() };
        self.as_of.store(now, Ordering::Relaxed);
        drop(self.known.replace(py, Some(mapping.clone().unbind())));
        Ok(!mapping.is_empty())
    }

    fn mapping<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.provider.bind(py).getattr(intern!(py, "dependency_overrides"))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.provider)?;
        visit.call(&self.applied)?;
        self.known.visit(visit)
    }
}
