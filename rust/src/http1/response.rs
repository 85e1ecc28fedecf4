//! A whole response in one buffer.

use std::io::Write;

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use smallvec::SmallVec;

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
    /// The bytes of the response, with `defaults` after its status line.
    pub(crate) fn write(&self, py: Python<'py>, status_line: &[u8], defaults: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let mut length = itoa::Buffer::new();
        let mut pairs = Vec::new();
        let mut parts: SmallVec<[&[u8]; 10]> = SmallVec::new();
        parts.extend([status_line, defaults]);
        match self.headers {
            Headers::ContentType(content_type) => parts.extend([
                b"content-length: ".as_slice(),
                length.format(self.body.len()).as_bytes(),
                b"\r\ncontent-type: ".as_slice(),
                content_type,
                b"\r\n".as_slice(),
            ]),
            Headers::Pairs(list) => {
                append(&mut pairs, list)?;
                parts.push(&pairs);
            }
        }
        parts.push(if self.keep_alive { b"\r\n" } else { b"connection: close\r\n\r\n" });
        if !self.without_body {
            parts.push(self.body);
        }
        let size = parts.iter().fold(0_usize, |size, part| size.saturating_add(part.len()));
        PyBytes::new_with(py, size, |mut buffer| {
            let written = parts.iter().try_for_each(|part| buffer.write_all(part));
            written.map_err(|error| PyRuntimeError::new_err(error.to_string()))
        })
    }
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

/// The server's default headers, written once per list (uvicorn replaces the list each second).
#[derive(Default)]
pub(crate) struct Defaults {
    /// Kept alive, so that no other list can have its address.
    pub(super) list: Option<Py<PyList>>,
    text: Vec<u8>,
}

impl Defaults {
    /// The headers in `list`, as they are written.
    pub(crate) fn of(&mut self, list: &Bound<'_, PyList>) -> PyResult<&[u8]> {
        if self.list.as_ref().is_none_or(|known| !known.is(list)) {
            let mut text = Vec::new();
            append(&mut text, list)?;
            *self = Self { list: Some(list.clone().unbind()), text };
        }
        Ok(&self.text)
    }
}

/// Appends headers, given as pairs of bytes, their names in lower case.
fn append(out: &mut Vec<u8>, pairs: &Bound<'_, PyList>) -> PyResult<()> {
    for pair in pairs.iter() {
        let (name, value): (Bound<'_, PyBytes>, Bound<'_, PyBytes>) = pair.extract()?;
        out.extend(name.as_bytes().iter().map(u8::to_ascii_lowercase));
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    Ok(())
}
