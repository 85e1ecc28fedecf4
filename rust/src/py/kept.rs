//! `KeptError`: an exception that a native object keeps for later.

use pyo3::exceptions::PyBaseException;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTraceback;

/// An exception, and the traceback that it had when it was put here.
///
/// A `PyErr` can't be shown to the garbage collector. Whoever keeps one while other code runs would leak it, and with its traceback
/// the frames and the request, when one of these refers to whoever keeps it.
pub(crate) struct KeptError {
    pub(crate) exception: Py<PyBaseException>,
    traceback: Option<Py<PyTraceback>>,
}

impl KeptError {
    pub(crate) fn new(py: Python<'_>, error: &PyErr) -> Self {
        Self { exception: error.value(py).clone().unbind(), traceback: error.traceback(py).map(Bound::unbind) }
    }

    /// The exception, with the traceback that it has by now.
    pub(crate) fn into_error(self, py: Python<'_>) -> PyErr {
        PyErr::from_value(self.exception.into_bound(py).into_any())
    }

    /// The exception, with the traceback that it had.
    pub(crate) fn into_error_as_it_was(self, py: Python<'_>) -> PyErr {
        let error = PyErr::from_value(self.exception.into_bound(py).into_any());
        set_traceback(py, &error, self.traceback.map(|traceback| traceback.into_bound(py)));
        error
    }

    /// Raises what was kept, if anything was, with the traceback that it had; otherwise this is `otherwise`.
    pub(crate) fn raise_or<T>(py: Python<'_>, kept: Option<Self>, otherwise: T) -> PyResult<T> {
        kept.map_or(Ok(otherwise), |error| Err(error.into_error_as_it_was(py)))
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.exception)?;
        visit.call(&self.traceback)
    }
}

/// Gives an exception another traceback, or none.
///
/// `PyErr::set_traceback` alone says what it will be raised with. Before Python 3.12 the exception has one of its own besides, to
/// which each further raising adds: one that is raised for every request would keep all of them.
pub(crate) fn set_traceback(py: Python<'_>, error: &PyErr, traceback: Option<Bound<'_, PyTraceback>>) {
    let object = traceback.as_ref().map_or_else(|| py.None().as_ptr(), Bound::as_ptr);
    // SAFETY: we are attached, the first is an exception and the second a traceback or None, both of them alive. It can't fail then.
    unsafe { ffi::PyException_SetTraceback(error.value(py).as_ptr(), object) };
    error.set_traceback(py, traceback);
}
