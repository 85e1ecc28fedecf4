//! `Sink`: where the pieces of a response go.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::uvicorn::Chunks;
use crate::http1::{self, bytes_of};

/// Where the pieces of a response go.
///
/// What is written without messages leaves when the request has to wait, and at the latest when it is much: pieces that are ready
/// in one turn of the event loop leave in one write.
pub(super) enum Sink {
    /// A request of ferrapi's own protocol.
    Own(Py<http1::InFlightRequest>),
    /// One of uvicorn's.
    Uvicorn(Chunks),
    /// An ASGI `send`.
    Messages(Py<PyAny>),
}

/// What became of a piece.
pub(super) enum Put<'py> {
    Done,
    /// It is sent when this has been awaited.
    Sending(Bound<'py, PyAny>),
    /// Nothing has happened: the client has to read on before, which is when this has been awaited.
    Full(Bound<'py, PyAny>),
}

impl Sink {
    /// Sends the message that begins the response, if that goes in messages; returns what is to be awaited.
    pub(super) fn head<'py>(
        &self,
        py: Python<'py>,
        status: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Self::Messages(send) = self else { return Ok(None) };
        let message = PyDict::new(py);
        message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
        message.set_item(intern!(py, "status"), status)?;
        message.set_item(intern!(py, "headers"), headers)?;
        send.bind(py).call1((message,)).map(Some)
    }

    /// Sends a piece of the body, the last one if there is no `more`.
    pub(super) fn put<'py>(&mut self, py: Python<'py>, piece: &Bound<'py, PyAny>, more: bool) -> PyResult<Put<'py>> {
        match self {
            Self::Own(cycle) => {
                let cycle = cycle.bind(py).get();
                if cycle.connection().is_paused() && !cycle.disconnected() {
                    return cycle.drain(py).map(Put::Full);
                }
                cycle.add_piece(py, &bytes_of(piece.clone())?, more).map(|()| Put::Done)
            }
            Self::Uvicorn(chunks) => {
                if chunks.is_paused(py)? {
                    return chunks.drain(py).map(Put::Full);
                }
                match piece.cast::<PyBytes>() {
                    Ok(bytes) => chunks.add(py, bytes.as_bytes(), more)?,
                    Err(_) => chunks.add(py, bytes_of(piece.clone())?.as_bytes(), more)?,
                }
                Ok(Put::Done)
            }
            Self::Messages(send) => {
                let message = PyDict::new(py);
                message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
                message.set_item(intern!(py, "body"), piece)?;
                message.set_item(intern!(py, "more_body"), more)?;
                send.bind(py).call1((message,)).map(Put::Sending)
            }
        }
    }

    /// Writes what has been put here.
    pub(super) fn flush(&mut self, py: Python<'_>) -> PyResult<()> {
        match self {
            Self::Own(cycle) => cycle.bind(py).get().flush_pending(py),
            Self::Uvicorn(chunks) => chunks.flush(py),
            Self::Messages(_) => Ok(()),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Own(cycle) => visit.call(cycle),
            Self::Uvicorn(chunks) => chunks.traverse(visit),
            Self::Messages(send) => visit.call(send),
        }
    }
}
