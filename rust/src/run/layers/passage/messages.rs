//! `Message`: what comes from the application below.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

/// A message from the application below.
pub(super) enum Message {
    /// The head of a whole response, which the engine has made.
    Head { status: u16, headers: Py<PyList> },
    /// Its body.
    Body(Py<PyBytes>),
    /// An ASGI message.
    Asgi(Py<PyAny>),
}

impl Message {
    /// As ASGI has it.
    pub(super) fn into_asgi(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let message = PyDict::new(py);
        match self {
            Self::Asgi(message) => return Ok(message.into_bound(py)),
            Self::Head { status, headers } => {
                message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
                message.set_item(intern!(py, "status"), status)?;
                message.set_item(intern!(py, "headers"), headers)?;
            }
            Self::Body(body) => {
                message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
                message.set_item(intern!(py, "body"), body)?;
            }
        }
        Ok(message.into_any())
    }

    /// Whether it is this very one.
    pub(super) fn is(&self, object: &Py<PyAny>) -> bool {
        match self {
            Self::Asgi(message) => message.is(object),
            Self::Body(body) => body.is(object),
            Self::Head { .. } => false,
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Head { headers, .. } => visit.call(headers),
            Self::Body(body) => visit.call(body),
            Self::Asgi(message) => visit.call(message),
        }
    }
}
