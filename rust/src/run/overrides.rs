//! `Overrides`: whether dependencies of an application are overridden, which each request asks and hardly any finds.

use std::sync::{Mutex, PoisonError};

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::edits::EditCounter;

/// The mapping ``dependency_overrides`` of a provider. It may be edited and replaced at any time.
#[derive(Debug)]
pub(super) struct Overrides {
    provider: Py<PyAny>,
    /// Counts the replacements, if the provider announces them.
    settings: Option<Py<EditCounter>>,
    known: Mutex<Option<(u64, Py<PyDict>)>>,
}

impl Overrides {
    pub(super) fn new(provider: Py<PyAny>, settings: Option<Py<EditCounter>>) -> Self {
        Self { provider, settings, known: Mutex::default() }
    }

    /// Whether there are any now.
    pub(super) fn exist(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(settings) = &self.settings else { return self.mapping(py)?.is_truthy() };
        let now = settings.get().current();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((as_of, mapping)) = &*known
                && *as_of == now
            {
                return Ok(!mapping.bind(py).is_empty());
            }
        }
        let mapping = self.mapping(py)?;
        let Ok(mapping) = mapping.cast_exact::<PyDict>() else { return mapping.is_truthy() };
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).replace((now, mapping.clone().unbind()));
        drop(before); // no lock is held: freeing a mapping may run code
        Ok(!mapping.is_empty())
    }

    fn mapping<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.provider.bind(py).getattr(intern!(py, "dependency_overrides"))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.provider)?;
        match self.known.try_lock().as_deref() {
            Ok(Some((_, mapping))) => visit.call(mapping),
            _ => Ok(()),
        }
    }
}
