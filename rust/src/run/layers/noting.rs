//! `Noting`: the `send` of an application that a route hands a request to.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::named::{self, last_part};

/// The `send` of an application that a route hands a request to: notes on the exchange that the response has begun.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Noting {
    exchange: Py<PyAny>,
    target: Py<PyAny>,
}

#[pymethods]
impl Noting {
    #[new]
    fn new(exchange: Py<PyAny>, target: Py<PyAny>) -> Self {
        Self { exchange, target }
    }

    /// Passes a message on; returns what is to be awaited.
    fn __call__<'py>(&self, py: Python<'py>, message: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if message.get_item(intern!(py, "type"))?.eq(intern!(py, "http.response.start"))? {
            self.note_start(py)?;
        }
        self.target.bind(py).call1((message,))
    }

    #[getter(__qualname__)]
    fn qualname(&self) -> &'static str {
        named::SENDER
    }

    #[getter(__name__)]
    fn name(&self) -> &'static str {
        last_part(named::SENDER)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.exchange)?;
        visit.call(&self.target)
    }
}

impl Noting {
    /// Where messages go.
    pub(super) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    /// Whether the response has begun.
    pub(super) fn has_started(&self, py: Python<'_>) -> PyResult<bool> {
        self.exchange.bind(py).getattr(intern!(py, "started"))?.is_truthy()
    }

    pub(super) fn note_start(&self, py: Python<'_>) -> PyResult<()> {
        self.exchange.bind(py).setattr(intern!(py, "started"), true)
    }
}
