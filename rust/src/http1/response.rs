//! A whole response in one buffer.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// A response's parts, but for the server's default headers.
pub(super) struct Response<'r, 'py> {
    /// The status line with its line end.
    pub(super) status_line: &'r [u8],
    /// Pairs of bytes, already checked; or a content type, for a head with that, the body's length and nothing else.
    pub(super) headers: &'r Bound<'py, PyAny>,
    /// The body; empty for a response that has none.
    pub(super) body: &'r [u8],
    /// Whether to say that the connection is kept.
    pub(super) keep_alive: bool,
    /// Whether to leave the body out, as for HEAD; its length is written all the same.
    pub(super) without_body: bool,
}

/// Writes a response, with `defaults` after its status line.
pub(super) fn write<'py>(
    py: Python<'py>,
    response: &Response<'_, 'py>,
    defaults: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let body = response.body;
    let mut out = Vec::with_capacity(body.len().saturating_add(256));
    out.extend_from_slice(response.status_line);
    out.extend_from_slice(defaults);
    if let Ok(content_type) = response.headers.cast::<PyBytes>() {
        wire::http1::response::content_length(&mut out, u64::try_from(body.len()).unwrap_or(u64::MAX));
        header(&mut out, b"content-type", content_type.as_bytes());
    } else {
        headers(&mut out, response.headers.cast::<PyList>()?)?;
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
