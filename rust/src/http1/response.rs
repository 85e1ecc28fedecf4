//! A whole response in one buffer.

use std::io::Write;

use pyo3::exceptions::PyRuntimeError;
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

/// Writes a response, with `defaults` after its status line.
pub(crate) fn write<'py>(
    py: Python<'py>,
    status_line: &[u8],
    defaults: &[u8],
    response: &Response<'_, 'py>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut length = itoa::Buffer::new();
    let mut pairs = Vec::new();
    let mut parts: SmallVec<[&[u8]; 10]> = SmallVec::new();
    parts.extend([status_line, defaults]);
    match response.headers {
        Headers::ContentType(content_type) => parts.extend([
            b"content-length: ".as_slice(),
            length.format(response.body.len()).as_bytes(),
            b"\r\ncontent-type: ".as_slice(),
            content_type,
            b"\r\n".as_slice(),
        ]),
        Headers::Pairs(list) => {
            headers(&mut pairs, list)?;
            parts.push(&pairs);
        }
    }
    parts.push(if response.keep_alive { b"\r\n" } else { b"connection: close\r\n\r\n" });
    if !response.without_body {
        parts.push(response.body);
    }
    let size = parts.iter().fold(0_usize, |size, part| size.saturating_add(part.len()));
    PyBytes::new_with(py, size, |mut buffer| {
        let written = parts.iter().try_for_each(|part| buffer.write_all(part));
        written.map_err(|error| PyRuntimeError::new_err(error.to_string()))
    })
}

/// Appends headers, given as pairs of bytes, their names in lower case.
pub(super) fn headers(out: &mut Vec<u8>, pairs: &Bound<'_, PyList>) -> PyResult<()> {
    for pair in pairs.iter() {
        let (name, value): (Bound<'_, PyBytes>, Bound<'_, PyBytes>) = pair.extract()?;
        out.extend(name.as_bytes().iter().map(u8::to_ascii_lowercase));
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    Ok(())
}
