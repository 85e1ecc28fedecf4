//! A whole response in one buffer.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

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
    let body = response.body;
    let mut out = Vec::with_capacity(body.len().saturating_add(256));
    out.extend_from_slice(status_line);
    out.extend_from_slice(defaults);
    match response.headers {
        Headers::ContentType(content_type) => {
            wire::http1::response::content_length(&mut out, u64::try_from(body.len()).unwrap_or(u64::MAX));
            header(&mut out, b"content-type", content_type);
        }
        Headers::Pairs(pairs) => headers(&mut out, pairs)?,
    }
    if !response.keep_alive {
        out.extend_from_slice(b"connection: close\r\n");
    }
    wire::http1::response::end(&mut out, if response.without_body { &[] } else { body });
    Ok(PyBytes::new(py, &out))
}

/// Appends headers, given as pairs of bytes.
pub(super) fn headers(out: &mut Vec<u8>, pairs: &Bound<'_, PyList>) -> PyResult<()> {
    for pair in pairs.iter() {
        let (name, value): (Bound<'_, PyBytes>, Bound<'_, PyBytes>) = pair.extract()?;
        header(out, name.as_bytes(), value.as_bytes());
    }
    Ok(())
}

/// Appends a header, its name in lower case.
fn header(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
