//! `Sink`: where the pieces of a response go.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::layers::{Compressing, Opened, Piece, open, open_with};
use super::uvicorn::{Begun, Chunks, UvicornCycles};
use crate::http1::{self, bytes_of};

/// Where the pieces of a response go.
///
/// What is written without messages leaves when the request has to wait, and at the latest when it is much: pieces that are ready
/// in one turn of the event loop leave in one write.
pub(super) struct Sink {
    end: End,
    /// What compresses the pieces on their way, if something does.
    compressing: Option<Py<Compressing>>,
}

enum End {
    /// A request of ferrapi's own protocol.
    Own(Py<http1::InFlightRequest>),
    /// One of uvicorn's.
    Uvicorn(Chunks),
    /// An ASGI `send`.
    Messages(Py<PyAny>),
    /// An ASGI `send` of a layer that wants to see the first piece before it says what the head is.
    Later { send: Py<PyAny>, status: u16, headers: Py<PyList> },
}

/// What became of a piece.
pub(super) enum Put<'py> {
    Done,
    /// It is sent when this has been awaited.
    Sending(Bound<'py, PyAny>),
    /// Nothing has happened: it can be put when this has been awaited, which is no coroutine of the user's. The client has to read
    /// on before, say.
    Full(Bound<'py, PyAny>),
    /// Nothing has happened but that the head goes in a message: it can be put when that has been awaited.
    Head(Bound<'py, PyAny>),
}

impl Sink {
    /// Where a response goes that is sent by an ASGI `send`: to the server itself, if what stands in between is known.
    ///
    /// `server` is what knows the server's `send`, and the layer that answers its questions.
    pub(super) fn of<'py>(
        server: Option<(&Bound<'py, PyAny>, &UvicornCycles)>,
        send: &Bound<'py, PyAny>,
        status: u16,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Self> {
        let end = match open(server, send, status, headers)? {
            Opened::Begun(begun) => End::from(begun),
            Opened::Later => End::Later { send: send.clone().unbind(), status, headers: headers.clone().unbind() },
            Opened::Not => End::Messages(send.clone().unbind()),
        };
        Ok(Self { end, compressing: None })
    }

    /// A request of ferrapi's own protocol, which has been told the head.
    pub(super) fn own(request: Py<http1::InFlightRequest>) -> Self {
        Self { end: End::Own(request), compressing: None }
    }

    /// Whether putting a piece here may call code of the user's.
    pub(super) fn may_call_users(&self) -> bool {
        matches!(self.end, End::Messages(_) | End::Later { .. })
    }

    /// Sends the message that begins the response, if that goes in messages; returns what is to be awaited.
    pub(super) fn head<'py>(
        &self,
        py: Python<'py>,
        status: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let End::Messages(send) = &self.end else { return Ok(None) };
        send_head(send.bind(py), status, headers).map(Some)
    }

    /// Sends a piece of the body, the last one if there is no `more`.
    pub(super) fn put<'py>(&mut self, py: Python<'py>, piece: &Bound<'py, PyAny>, more: bool) -> PyResult<Put<'py>> {
        match &self.end {
            End::Own(request) => {
                let request = request.bind(py).get();
                if request.connection().is_paused() && !request.disconnected() {
                    return request.drain(py).map(Put::Full);
                }
            }
            End::Uvicorn(chunks) => {
                if chunks.is_paused(py)? {
                    return chunks.drain(py).map(Put::Full);
                }
            }
            End::Messages(send) => {
                let message = PyDict::new(py);
                message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
                message.set_item(intern!(py, "body"), piece)?;
                message.set_item(intern!(py, "more_body"), more)?;
                return send.bind(py).call1((message,)).map(Put::Sending);
            }
            End::Later { .. } => return self.put_first(py, &bytes_of(piece.clone())?, more),
        }
        let piece = bytes_of(piece.clone())?;
        let Some(compressing) = &self.compressing else { return self.add(&piece, more).map(|()| Put::Done) };
        match Compressing::compress_next(compressing.bind(py), &piece, more)? {
            Piece::Done(compressed) => self.add(&PyBytes::new(py, &compressed), more).map(|()| Put::Done),
            Piece::InThread(compressing) => Ok(Put::Full(compressing)),
        }
    }

    /// Sends the first piece, which the head depends on.
    fn put_first<'py>(&mut self, py: Python<'py>, piece: &Bound<'py, PyBytes>, more: bool) -> PyResult<Put<'py>> {
        let End::Later { send, status, headers } = &self.end else { return Ok(Put::Done) };
        let (send, status, headers) = (send.clone_ref(py), *status, headers.clone_ref(py));
        let (send, headers) = (send.bind(py), headers.bind(py));
        let Some(opened) = open_with(send, status, headers, piece.as_bytes(), more)? else {
            let sending = send_head(send, status.into_pyobject(py)?.as_any(), headers)?;
            self.end = End::Messages(send.clone().unbind());
            return Ok(Put::Head(sending));
        };
        self.end = End::from(opened.begun);
        self.compressing = opened.compressing.map(Bound::unbind);
        let changed = opened.piece.map(|piece| PyBytes::new(py, &piece));
        self.add(changed.as_ref().unwrap_or(piece), more).map(|()| Put::Done)
    }

    /// Adds a piece to what leaves, as it is.
    fn add(&mut self, piece: &Bound<'_, PyBytes>, more: bool) -> PyResult<()> {
        let py = piece.py();
        match &mut self.end {
            End::Own(request) => request.bind(py).get().add_piece(py, piece, more),
            End::Uvicorn(chunks) => chunks.add(py, piece.as_bytes(), more),
            End::Messages(_) | End::Later { .. } => Ok(()), // which `put` has seen to
        }
    }

    /// Writes what has been put here.
    pub(super) fn flush(&mut self, py: Python<'_>) -> PyResult<()> {
        match &mut self.end {
            End::Own(request) => request.bind(py).get().flush_pending(py),
            End::Uvicorn(chunks) => chunks.flush(py),
            End::Messages(_) | End::Later { .. } => Ok(()),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.compressing)?;
        match &self.end {
            End::Own(request) => visit.call(request),
            End::Uvicorn(chunks) => chunks.traverse(visit),
            End::Messages(send) => visit.call(send),
            End::Later { send, headers, .. } => {
                visit.call(send)?;
                visit.call(headers)
            }
        }
    }
}

impl From<Begun<'_>> for End {
    fn from(begun: Begun<'_>) -> Self {
        match begun {
            Begun::Own(request) => Self::Own(request.unbind()),
            Begun::Chunks(chunks) => Self::Uvicorn(chunks),
        }
    }
}

/// Sends the message that begins a response; returns what is to be awaited.
fn send_head<'py>(
    send: &Bound<'py, PyAny>,
    status: &Bound<'py, PyAny>,
    headers: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = send.py();
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
    message.set_item(intern!(py, "status"), status)?;
    message.set_item(intern!(py, "headers"), headers)?;
    send.call1((message,))
}
