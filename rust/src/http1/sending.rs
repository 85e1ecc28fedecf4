//! A response that comes in ASGI messages: its head, and its body in pieces.
//!
//! What is written in one turn of the event loop leaves in one write, unless it is much; a response that is whole by then leaves at
//! once. What is refused, and in which words, is what uvicorn refuses.

use pyo3::exceptions::{PyKeyError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};
use wire::http1::Framing;
use wire::http1::response::{is_header_name, is_header_value};

use super::cycle::Cycle;
use crate::response::head::pair_of_bytes;

/// Bytes that are not held back for others.
const MUCH: usize = 64 * 1024;

/// What has been sent of a response.
#[derive(Default)]
pub(super) struct Sending {
    pub(super) started: bool,
    framing: Framing,
    /// What is written on the event loop's next turn at the latest.
    pending: Vec<u8>,
    is_scheduled: bool,
}

impl Sending {
    /// A response that has begun, and of which nothing more is known.
    pub(super) fn begun() -> Self {
        Self { started: true, ..Self::default() }
    }
}

impl Cycle {
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
        drop(this.sending.replace(py, Sending::begun()));
        let status = message.get_item(intern!(py, "status"))?;
        let Ok(code) = status.extract::<u16>() else { return Err(PyKeyError::new_err(status.unbind())) };
        let headers = item_or_none(message, intern!(py, "headers"))?;
        let connection = this.connection();
        connection.log(py, this.head(), this.scope_of(py), code)?;
        let mut head = connection.opening(py, code)?;
        let mut framing = Framing::default();
        let mut says_close = false;
        let pairs = headers.map(|headers| headers.try_iter()).transpose()?;
        for pair in pairs.into_iter().flatten() {
            let pair = pair?;
            let Some((name, value)) = pair_of_bytes(&pair) else {
                return Err(PyTypeError::new_err(format!("The header {} is not a pair of bytes", pair.repr()?)));
            };
            let (name, value) = (name.as_bytes().to_ascii_lowercase(), value.as_bytes());
            if !is_header_name(&name) {
                return Err(PyRuntimeError::new_err("Invalid HTTP header name."));
            }
            if !is_header_value(value) {
                return Err(PyRuntimeError::new_err("Invalid HTTP header value."));
            }
            let Some(now) = framing.with_header(&name, value) else {
                return Err(PyValueError::new_err("A content-length is no number of bytes"));
            };
            framing = now;
            says_close |= name == b"connection"
                && value.split(|&byte| byte == b',').any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"));
            append(&mut head, &name, value);
        }
        if says_close {
            this.set_keep_alive(false);
        } else if !this.keep_alive() {
            append(&mut head, b"connection", b"close");
        }
        let (framing, is_new) = framing.settled(code, this.head().is_head());
        if is_new {
            append(&mut head, b"transfer-encoding", b"chunked");
        }
        head.extend_from_slice(b"\r\n");
        drop(this.sending.replace(py, Sending { started: true, framing, pending: head, is_scheduled: false }));
        Self::schedule(slf)
    }

    /// Takes a piece of the body.
    fn take_piece(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let piece = match item_or_none(message, intern!(py, "body"))? {
            None => PyBytes::new(py, b""),
            Some(piece) => bytes_of(piece)?,
        };
        let more = match item_or_none(message, intern!(py, "more_body"))? {
            None => false,
            Some(more) => more.is_truthy()?,
        };
        let mut sending = this.sending.replace(py, Sending::begun());
        let length = piece.as_bytes().len();
        let is_much = length >= MUCH && sending.framing.is_rest(length);
        let written =
            if is_much { Ok(()) } else { sending.framing.write(&mut sending.pending, piece.as_bytes(), more) };
        let is_due = !more || is_much || sending.pending.len() >= MUCH;
        drop(this.sending.replace(py, sending));
        if is_due {
            this.flush_pending(py)?;
        }
        if is_much {
            this.connection().write_bytes(py, &piece)?;
        }
        written.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        if more { Self::schedule(slf) } else { this.finish(py) }
    }

    /// Has what is pending written on the event loop's next turn.
    fn schedule(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let mut sending = slf.get().sending.replace(py, Sending::begun());
        let is_new = !sending.is_scheduled && !sending.pending.is_empty();
        sending.is_scheduled |= is_new;
        drop(slf.get().sending.replace(py, sending));
        if is_new { slf.get().connection().call_soon(&slf.getattr(intern!(py, "flush"))?) } else { Ok(()) }
    }

    /// Writes what is pending.
    pub(super) fn flush_pending(&self, py: Python<'_>) -> PyResult<()> {
        let started = self.has_started(py);
        let mut sending = self.sending.replace(py, Sending { started, ..Sending::default() });
        let pending = std::mem::take(&mut sending.pending);
        sending.is_scheduled = false;
        drop(self.sending.replace(py, sending));
        if pending.is_empty() || self.disconnected() {
            return Ok(());
        }
        self.connection().write_bytes(py, &PyBytes::new(py, &pending))
    }
}

fn append(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
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
fn bytes_of(piece: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
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
