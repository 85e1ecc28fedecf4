//! A whole response in one buffer.

use std::io::Write;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::response::checks::pair_of_bytes;
use crate::run::Headers;

/// A response's parts, but for its status line and the server's default headers.
pub(crate) struct Response<'r, 'py> {
    pub(crate) status: u16,
    pub(crate) headers: &'r Headers<'r, 'py>,
    /// The body; empty for a response that has none.
    pub(crate) body: &'r [u8],
    /// Whether to say nothing of closing the connection.
    pub(crate) keep_alive: bool,
    /// Whether to leave the body out, as for HEAD; its length is written all the same.
    pub(crate) without_body: bool,
}

impl<'py> Response<'_, 'py> {
    /// The bytes of the response, which begins with `opening`.
    pub(crate) fn write(&self, py: Python<'py>, opening: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let end: &[u8] = if self.keep_alive { b"\r\n" } else { b"connection: close\r\n\r\n" };
        let body = if self.without_body { &[] } else { self.body };
        match self.headers {
            Headers::ContentType(content_type) => {
                let mut length = itoa::Buffer::new();
                let length = length.format(self.body.len()).as_bytes();
                let parts =
                    [opening, b"content-length: ", length, b"\r\ncontent-type: ", content_type, b"\r\n", end, body];
                joined(py, parts)
            }
            Headers::Pairs(list) => {
                let mut pairs = Vec::new();
                append(&mut pairs, list)?;
                joined(py, [opening, &pairs, end, body])
            }
        }
    }
}

/// One bytes object of several parts.
fn joined<'py, const N: usize>(py: Python<'py>, parts: [&[u8]; N]) -> PyResult<Bound<'py, PyBytes>> {
    let size = parts.iter().fold(0_usize, |size, part| size.saturating_add(part.len()));
    PyBytes::new_with(py, size, |mut buffer| {
        let written = parts.iter().try_for_each(|part| buffer.write_all(part));
        written.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    })
}

/// The headers of a text that is answered by the server itself.
pub(super) fn plain_text<'r, 'py>(py: Python<'py>, text: &str) -> PyResult<Headers<'r, 'py>> {
    let length = itoa::Buffer::new().format(text.len()).to_owned();
    let pairs = [
        (PyBytes::new(py, b"content-type"), PyBytes::new(py, b"text/plain; charset=utf-8")),
        (PyBytes::new(py, b"content-length"), PyBytes::new(py, length.as_bytes())),
    ];
    Ok(Headers::Pairs(PyList::new(py, pairs)?))
}

/// What `transport.write` came to, but for its complaint that the transport is closed: the client has just gone.
///
/// uvloop closes a transport when it finds that out, and tells the protocol on its next turn.
pub(crate) fn unless_closed(transport: &Bound<'_, PyAny>, written: PyResult<Bound<'_, PyAny>>) -> PyResult<()> {
    let py = transport.py();
    match written {
        Err(error) if error.is_instance_of::<PyRuntimeError>(py) => {
            let is_closed = transport.call_method0(intern!(py, "is_closing"))?.is_truthy()?;
            if is_closed { Ok(()) } else { Err(error) }
        }
        written => written.map(drop),
    }
}

/// What the last response began with: its status line, and the server's default headers.
///
/// The next one mostly begins with the same (uvicorn replaces the list of headers each second).
#[derive(Default)]
pub(crate) struct Opening {
    status: u16,
    /// Kept alive, so that no other list can have its address.
    defaults: Option<Py<PyList>>,
    text: Vec<u8>,
}

impl Opening {
    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.defaults)
    }

    /// The line for `status`, which is in `lines`, and then `defaults`; None if there is no such line.
    pub(crate) fn of(
        &mut self,
        status: u16,
        lines: &Bound<'_, PyDict>,
        defaults: &Bound<'_, PyList>,
    ) -> PyResult<Option<&[u8]>> {
        let is_same = self.status == status && self.defaults.as_ref().is_some_and(|known| known.is(defaults));
        if !is_same {
            let Some(line) = lines.get_item(status)? else { return Ok(None) };
            let mut text = line.cast::<PyBytes>()?.as_bytes().to_vec();
            append(&mut text, defaults)?;
            *self = Self { status, defaults: Some(defaults.clone().unbind()), text };
        }
        Ok(Some(&self.text))
    }
}

/// Appends headers, given as pairs of bytes, their names in lower case.
pub(crate) fn append(out: &mut Vec<u8>, pairs: &Bound<'_, PyList>) -> PyResult<()> {
    for pair in pairs.iter() {
        let Some((name, value)) = pair_of_bytes(&pair) else {
            return Err(PyTypeError::new_err("a header is no pair of bytes"));
        };
        out.extend(name.as_bytes().iter().map(u8::to_ascii_lowercase));
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    Ok(())
}
