//! `Flow`: what a `Serving` runs if that isn't a request's program, but a layer around it.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A coroutine's inside.
pub(in crate::run) trait Flow: Send {
    /// Goes on until there is something to wait for, which is returned; None at the end.
    ///
    /// `sent` is what the event loop sends, or raises.
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>)
    -> PyResult<Option<Bound<'py, PyAny>>>;

    /// Whether nothing has happened yet.
    fn is_new(&self) -> bool;

    /// What it waits for.
    fn awaiting(&self) -> Option<&Py<PyAny>>;

    /// Stops waiting for it.
    fn take_awaiting(&mut self) -> Option<Py<PyAny>>;

    /// Shows the garbage collector what it holds.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}
