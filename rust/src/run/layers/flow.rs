//! `Flow`: what a `Serving` runs if that isn't a request's program, but a layer around it.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::py::Sent;

/// A coroutine's inside.
pub(crate) trait Flow: Send {
    /// Goes on until there is something to wait for, or to the end.
    ///
    /// `sent` is what the event loop sends, or raises.
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>>;

    /// Goes on before the task that runs it has come to that, if it can.
    fn resume_early(&mut self, _py: Python<'_>) -> PyResult<()> {
        Ok(())
    }

    /// Whether it could.
    fn is_early(&self) -> bool {
        false
    }

    /// It is over, or was never begun.
    fn finish(&self, _py: Python<'_>) -> PyResult<()> {
        Ok(())
    }

    /// Whether nothing has happened yet.
    fn is_new(&self) -> bool;

    /// What it waits for.
    fn awaiting(&self) -> Option<&Py<PyAny>>;

    /// Stops waiting for it.
    fn take_awaiting(&mut self) -> Option<Py<PyAny>>;

    /// Shows the garbage collector what it holds.
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}
