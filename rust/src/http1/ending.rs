//! What becomes of a request whose application fails, or leaves it without a whole response: what uvicorn has in its place.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::in_flight::InFlightRequest;

impl InFlightRequest {
    /// Whoever answers is back. A request without a whole response is refused; or it just ends, if whoever answers was told that the
    /// client has left.
    pub(super) fn settle(&self, py: Python<'_>) -> PyResult<()> {
        if !self.is_unanswered() {
            return Ok(());
        }
        if self.is_told() {
            return self.break_off(py);
        }
        let what = if self.has_started(py) { "completing" } else { "starting" };
        self.refuse(py, &format!("ASGI callable returned without {what} response."), None)
    }

    /// The application is back with a result, which it must not have.
    pub(super) fn refuse_result(&self, result: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = result.py();
        let message = "ASGI callable should return None, but returned '%s'.";
        self.connection().known().logger(py).call_method1(intern!(py, "error"), (message, result))?;
        self.break_off(py)
    }

    /// The application has raised something.
    pub(super) fn refuse_error(&self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        self.refuse(py, "Exception in ASGI application\n", Some(error))
    }

    /// Logs what has gone wrong, and answers with 500, or closes the connection if there is a part of an answer.
    fn refuse(&self, py: Python<'_>, complaint: &str, error: Option<PyErr>) -> PyResult<()> {
        self.flush_pending(py)?;
        let options = PyDict::new(py);
        options.set_item(intern!(py, "exc_info"), error)?;
        self.connection().known().logger(py).call_method(intern!(py, "error"), (complaint,), Some(&options))?;
        if self.has_started(py) {
            return self.connection().close(py);
        }
        self.answer_last(py, 500, "Internal Server Error")
    }

    /// Ends the connection behind what there is of a response.
    fn break_off(&self, py: Python<'_>) -> PyResult<()> {
        self.flush_pending(py)?;
        self.connection().close(py)
    }
}
