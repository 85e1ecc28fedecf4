//! A response that comes in ASGI messages: its head, and its body in pieces.
//!
//! What is written in one turn of the event loop leaves in one write, unless it is much; a response that is whole by then leaves at
//! once. What is refused, and in which words, is what uvicorn refuses.

use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};
use wire::http1::{Answer, AnswerError, Head};

use super::in_flight::InFlightRequest;
use crate::response::checks::pair_of_bytes;

/// Bytes that are not held back for others.
pub(crate) const MUCH: usize = 64 * 1024;

/// What has been sent of a response.
pub(super) struct Sending {
    pub(super) started: bool,
    answer: Answer,
    /// What is written on the event loop's next turn at the latest.
    pending: Vec<u8>,
    is_scheduled: bool,
}

impl Sending {
    /// The response to the request with this head, of which nothing has been sent.
    pub(super) fn new(head: &Head) -> Self {
        Self { started: false, answer: Answer::to(head), pending: Vec::new(), is_scheduled: false }
    }

    /// Whether the response's end doesn't depend on the connection's.
    pub(super) fn is_framed(&self) -> bool {
        !self.answer.ends_with_connection()
    }
}

impl InFlightRequest {
    /// Takes an ASGI message.
    pub(super) fn take_message(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if this.disconnected() {
            return Ok(());
        }
        let kind = message.get_item(intern!(py, "type"))?;
        let expected =
            if this.has_started(py) { intern!(py, "http.response.body") } else { intern!(py, "http.response.start") };
        if this.response_complete() {
            let kind = kind.str()?;
            let said = format!("Unexpected ASGI message '{kind}' sent, after response already completed.");
            return Err(PyRuntimeError::new_err(said));
        }
        if !kind.eq(expected)? {
            let kind = kind.str()?;
            return Err(PyRuntimeError::new_err(format!("Expected ASGI message '{expected}', but got '{kind}'.")));
        }
        if this.has_started(py) { Self::take_piece(slf, message) } else { Self::begin_response(slf, message) }
    }

    pub(crate) fn has_started(&self, py: Python<'_>) -> bool {
        self.sending.see(py, |sending| sending.started)
    }

    /// Takes the head of a response.
    fn begin_response(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.note_begun(py);
        let status = message.get_item(intern!(py, "status"))?;
        let Ok(code) = status.extract::<u16>() else { return Err(PyKeyError::new_err(status.unbind())) };
        let headers = item_or_none(message, intern!(py, "headers"))?;
        this.write_head(py, code, headers.as_ref())?;
        Self::schedule(slf)
    }

    fn note_begun(&self, py: Python<'_>) {
        self.sending.change(py, |sending| sending.started = true);
        self.stop_asking();
    }

    /// Begins a response that comes in pieces, of which whoever calls has to see to it that they are written (`flush_pending`).
    /// Nothing happens if the client is gone.
    ///
    /// `headers` are pairs of bytes.
    pub(crate) fn begin_pieces(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.disconnected() {
            return Ok(());
        }
        self.note_begun(py);
        self.write_head(py, status, Some(headers))
    }

    fn write_head(&self, py: Python<'_>, status: u16, headers: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let mut answer = self.sending.see(py, |sending| sending.answer);
        self.log(py, status)?;
        let mut head = self.connection().known().opening(py, status)?;
        answer.keep_alive = self.keep_alive();
        let pairs = headers.map(|headers| headers.try_iter()).transpose()?;
        for pair in pairs.into_iter().flatten() {
            let pair = pair?;
            let Some((name, value)) = pair_of_bytes(&pair) else {
                return Err(PyTypeError::new_err(format!("The header {} is not a pair of bytes", pair.repr()?)));
            };
            answer.field(&mut head, name.as_bytes(), value.as_bytes()).map_err(|error| match error {
                AnswerError::Field(error) => PyRuntimeError::new_err(error.to_string()),
                AnswerError::Length => PyValueError::new_err(error.to_string()),
            })?;
        }
        answer.end_head(&mut head, status);
        if !answer.keep_alive {
            self.close_behind();
        }
        self.sending.change(py, |sending| {
            sending.answer = answer;
            sending.pending = head;
        });
        Ok(())
    }

    /// Takes a piece of the body.
    fn take_piece(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let piece = match item_or_none(message, intern!(py, "body"))? {
            None => PyBytes::new(py, b""),
            Some(piece) => bytes_of(piece)?,
        };
        let more = match item_or_none(message, intern!(py, "more_body"))? {
            None => false,
            Some(more) => more.is_truthy()?,
        };
        slf.get().add_piece(py, &piece, more)?;
        if more { Self::schedule(slf) } else { Ok(()) }
    }

    /// Adds a piece to the body, the last one if there is no `more`; writes what is pending if that is much, or all.
    /// Nothing happens if the client is gone.
    pub(crate) fn add_piece(&self, py: Python<'_>, piece: &Bound<'_, PyBytes>, more: bool) -> PyResult<()> {
        if self.disconnected() {
            return Ok(());
        }
        let raw = piece.as_bytes();
        if raw.len() >= MUCH {
            self.take_large(py, piece, more)?;
        } else {
            let (written, is_due) = self.sending.change(py, |sending| {
                let written = sending.answer.write(&mut sending.pending, raw, more);
                (written, !more || sending.pending.len() >= MUCH)
            });
            if is_due {
                self.flush_pending(py)?;
            }
            written.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        }
        if more { Ok(()) } else { self.finish(py) }
    }

    /// Writes a large piece without copying it.
    fn take_large(&self, py: Python<'_>, piece: &Bound<'_, PyBytes>, more: bool) -> PyResult<()> {
        let length = piece.as_bytes().len();
        let mut behind = Vec::new();
        let is_written =
            self.sending.change(py, |sending| sending.answer.wrap(&mut sending.pending, &mut behind, length, more));
        self.flush_pending(py)?;
        if is_written.map_err(|error| PyRuntimeError::new_err(error.to_string()))? && !self.disconnected() {
            self.connection().write_bytes(py, piece)?;
        }
        self.sending.change(py, |sending| sending.pending = behind);
        if more { Ok(()) } else { self.flush_pending(py) }
    }

    /// Has what is pending written on the event loop's next turn.
    fn schedule(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let is_new = slf.get().sending.change(py, |sending| {
            let is_new = !sending.is_scheduled && !sending.pending.is_empty();
            sending.is_scheduled |= is_new;
            is_new
        });
        if is_new { slf.get().connection().known().call_soon(&slf.getattr(intern!(py, "flush"))?) } else { Ok(()) }
    }

    /// Writes what is pending.
    pub(crate) fn flush_pending(&self, py: Python<'_>) -> PyResult<()> {
        let pending = self.sending.change(py, |sending| {
            sending.is_scheduled = false;
            std::mem::take(&mut sending.pending)
        });
        if pending.is_empty() || self.disconnected() {
            return Ok(());
        }
        self.connection().write_bytes(py, &PyBytes::new(py, &pending))
    }
}

/// `message.get(key)`.
fn item_or_none<'py>(message: &Bound<'py, PyAny>, key: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match message.cast::<PyDict>() {
        Ok(message) => message.get_item(key),
        Err(_) => Ok(Some(message.call_method1(intern!(key.py(), "get"), (key,))?).filter(|value| !value.is_none())),
    }
}

/// A piece of a body as bytes.
pub(crate) fn bytes_of(piece: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
    let py = piece.py();
    match piece.cast_into::<PyBytes>() {
        Ok(bytes) => Ok(bytes),
        Err(other) => {
            let other = other.into_inner();
            if other.is_instance_of::<PyByteArray>() || other.is_instance_of::<PyMemoryView>() {
                return Ok(py.get_type::<PyBytes>().call1((other,))?.cast_into()?);
            }
            let kind = other.get_type().name()?;
            Err(PyTypeError::new_err(format!("a bytes-like object is required, not '{kind}'")))
        }
    }
}
