//! `TypeWatch`: noticing that somebody has replaced a method of a class, at the cost of comparing a few numbers per request.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::py::{Attached, type_version};

/// Classes whose methods other tools replace, and what to do when they have.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct TypeWatch {
    on_change: Attached<Option<Py<PyAny>>>,
    /// Each class with its version of when it was last looked at.
    types: Attached<Vec<(Py<PyType>, u32)>>,
}

#[pymethods]
impl TypeWatch {
    /// Parameters:
    ///     on_change: called when any of the classes is another than it was.
    #[new]
    fn new(on_change: Py<PyAny>) -> Self {
        Self { on_change: Attached::new(Some(on_change)), types: Attached::default() }
    }

    /// Watch `kind` from now on.
    fn add(&self, py: Python<'_>, kind: Bound<'_, PyType>) -> PyResult<()> {
        let version = current_version(&kind)?;
        let mut types = self.types.replace(py, Vec::new());
        types.push((kind.unbind(), version));
        drop(self.types.replace(py, types));
        Ok(())
    }

    /// See whether anything has changed, and have it dealt with.
    #[pyo3(name = "look")]
    fn look_from_python(&self, py: Python<'_>) -> PyResult<()> {
        self.look(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.on_change.visit(&visit)?;
        self.types.traverse(&visit, |types, visit| types.iter().try_for_each(|(kind, _)| visit.call(kind)))
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.on_change.take(py));
        drop(self.types.replace(py, Vec::new()));
    }
}

impl TypeWatch {
    pub(crate) fn look(&self, py: Python<'_>) -> PyResult<()> {
        let has_changed = self.types.see(py, |types| {
            types.iter().any(|(kind, version)| type_version(kind.bind(py)) != *version || *version == 0)
        });
        if !has_changed {
            return Ok(());
        }
        // What is looked up here may run code, so the list is taken out meanwhile.
        let mut types = self.types.replace(py, Vec::new());
        for (kind, version) in &mut types {
            *version = current_version(kind.bind(py)).unwrap_or(0);
        }
        types.extend(self.types.replace(py, Vec::new()));
        drop(self.types.replace(py, types));
        match self.on_change.get(py) {
            Some(on_change) => on_change.bind(py).call0().map(drop),
            None => Ok(()),
        }
    }
}

/// The version of a class. A look at an attribute makes CPython give it one.
fn current_version(kind: &Bound<'_, PyType>) -> PyResult<u32> {
    drop(kind.getattr(intern!(kind.py(), "__init__"))?);
    Ok(type_version(kind))
}
