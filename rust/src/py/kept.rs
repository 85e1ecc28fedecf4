//! `KeptError`: an exception that a native object keeps for later.

use pyo3::exceptions::PyBaseException;
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
        error.set_traceback(py, self.traceback.map(|traceback| traceback.into_bound(py)));
        error
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.exception)?;
        visit.call(&self.traceback)
    }
}
