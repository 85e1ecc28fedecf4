//! `Waiters`: who waits for something to happen on a connection.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use crate::py::Attached;

/// Futures of an event loop, one for each that waits: whoever is cancelled cancels the one that it waits for.
#[derive(Default)]
pub(super) struct Waiters(Attached<Vec<Py<PyAny>>>);

impl Waiters {
    /// Adds a future, and forgets those that were cancelled: whoever asks again and again would leave one behind each time.
    pub(super) fn add(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        let mut left = Vec::new();
        for other in self.0.replace(py, Vec::new()) {
            if !is_done(other.bind(py))? {
                left.push(other);
            }
        }
        left.push(future.clone().unbind());
        self.0.change(py, |now| now.append(&mut left));
        Ok(())
    }

    /// Wakes all that wait.
    pub(super) fn wake(&self, py: Python<'_>) -> PyResult<()> {
        if self.0.see(py, Vec::is_empty) {
            return Ok(());
        }
        for future in self.0.replace(py, Vec::new()) {
            let future = future.bind(py);
            if !is_done(future)? {
                future.call_method1(intern!(py, "set_result"), (py.None(),))?;
            }
        }
        Ok(())
    }

    pub(super) fn clear(&self, py: Python<'_>) {
        drop(self.0.replace(py, Vec::new()));
    }

    /// Shows the garbage collector what this holds.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(visit, |waiting, visit| waiting.iter().try_for_each(|future| visit.call(future)))
    }
}

fn is_done(future: &Bound<'_, PyAny>) -> PyResult<bool> {
    future.call_method0(intern!(future.py(), "done"))?.is_truthy()
}
