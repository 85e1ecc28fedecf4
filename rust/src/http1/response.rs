//! A whole response in one buffer.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

/// Status line, default headers, the response's own headers, and the body.
///
/// Parameters:
///     `status_line`: the status line with its line end.
///     defaults: the server's default headers, already written.
///     headers: pairs of bytes, already checked; None for a JSON body and nothing else.
///     body: the body; empty for a response that has none.
///     close: whether to add `connection: close`.
///     `without_body`: whether to leave the body out, as for HEAD; its length is written all the same.
#[pyfunction]
#[pyo3(signature = (status_line, defaults, headers, body, close, without_body=false))]
pub(crate) fn response_bytes<'py>(
    py: Python<'py>,
    status_line: &[u8],
    defaults: &[u8],
    headers: Option<&Bound<'py, PyList>>,
    body: &[u8],
    close: bool,
    without_body: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(body.len().saturating_add(256));
    out.extend_from_slice(status_line);
    out.extend_from_slice(defaults);
    match headers {
        None => {
            wire::http1::response::content_length(&mut out, u64::try_from(body.len()).unwrap_or(u64::MAX));
            out.extend_from_slice(b"content-type: application/json\r\n");
        }
        Some(headers) => {
            for pair in headers.iter() {
                let (name, value): (Bound<'_, PyBytes>, Bound<'_, PyBytes>) = pair.extract()?;
                out.extend(name.as_bytes().iter().map(u8::to_ascii_lowercase));
                out.extend_from_slice(b": ");
                out.extend_from_slice(value.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    if close {
        out.extend_from_slice(b"connection: close\r\n");
    }
    wire::http1::response::end(&mut out, if without_body { &[] } else { body });
    Ok(PyBytes::new(py, &out))
}
