//! The answer to an ordinary HTTP exception: what ferrapi's `http_exception_handler` makes of it, without objects.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};
use wire::http1::response::{is_bodiless, is_header_value};

use super::checks::is_token;
use super::json::{self, Room};
use crate::py::{self, attribute};

/// Headers that describe the body or the connection: not for an exception to set here.
const FRAMING: [&[u8]; 4] = [b"connection", b"content-length", b"content-type", b"transfer-encoding"];

/// Status, headers (or a content type, for a head with that, the body's length and nothing else) and body of the answer to
/// `exc`; None if that takes a response object.
pub(crate) type Answer<'py> = (u16, Option<Bound<'py, PyList>>, Vec<u8>);

/// Status, headers or content type, and body.
type Parts<'py> = (u16, Bound<'py, PyAny>, Bound<'py, PyBytes>);

/// The same for Python.
///
/// Returns the status, the headers (or a content type, for a head with that, the body's length and nothing else) and the body of
/// the answer to an exception with a `status_code`, a `detail` and maybe `headers`; None if that takes a response object.
#[pyfunction]
pub(crate) fn answer_http_exception<'py>(exc: &Bound<'py, PyAny>) -> PyResult<Option<Parts<'py>>> {
    let py = exc.py();
    let Some((status, headers, body)) = answer(exc)? else { return Ok(None) };
    let headers = headers.map_or_else(|| PyBytes::new(py, b"application/json").into_any(), Bound::into_any);
    Ok(Some((status, headers, PyBytes::new(py, &body))))
}

/// The answer to an exception with a `status_code`, a `detail` and maybe `headers`.
pub(crate) fn answer<'py>(exc: &Bound<'py, PyAny>) -> PyResult<Option<Answer<'py>>> {
    let py = exc.py();
    let status = exc.getattr(intern!(py, "status_code"))?;
    if !status.is_exact_instance_of::<PyInt>() {
        return Ok(None);
    }
    let Some(status) = status.extract::<u16>().ok().filter(|status| has_body(*status)) else { return Ok(None) };
    let headers = match attribute(exc, intern!(py, "headers"))? {
        Some(headers) if !headers.is_none() => Some(headers),
        _ => None,
    };
    let mut body = b"{\"detail\":".to_vec();
    if !json::encode(&exc.getattr(intern!(py, "detail"))?, &mut body, Room::WHOLE)? {
        return Ok(None);
    }
    body.push(b'}');
    let Some(headers) = headers else { return Ok(Some((status, None, body))) };
    let Ok(headers) = headers.cast_exact::<PyDict>() else { return Ok(None) };
    if headers.is_empty() {
        return Ok(Some((status, None, body)));
    }
    let Some(pairs) = pairs(headers, body.len())? else { return Ok(None) };
    Ok(Some((status, Some(pairs), body)))
}

/// Whether a response with this status is an ordinary one, which may have a body.
fn has_body(status: u16) -> bool {
    (200..600).contains(&status) && status != 205 && !is_bodiless(status.into())
}

/// The headers as ASGI has them, with those of a JSON body of this length; None if they are not what they should be.
fn pairs<'py>(headers: &Bound<'py, PyDict>, length: usize) -> PyResult<Option<Bound<'py, PyList>>> {
    let py = headers.py();
    let list = PyList::empty(py);
    for (name, value) in py::items(headers) {
        let (Ok(name), Ok(value)) = (name.cast_exact::<PyString>(), value.cast_exact::<PyString>()) else {
            return Ok(None);
        };
        // Beyond ASCII, letter cases and encodings are Python's to know.
        let (Ok(name), Ok(value)) = (name.to_str(), value.to_str()) else { return Ok(None) };
        let name = name.to_ascii_lowercase();
        let is_plain =
            name.is_ascii() && value.is_ascii() && is_token(name.as_bytes()) && is_header_value(value.as_bytes());
        if !is_plain || FRAMING.contains(&name.as_bytes()) {
            return Ok(None);
        }
        list.append(PyTuple::new(py, [PyBytes::new(py, name.as_bytes()), PyBytes::new(py, value.as_bytes())])?)?;
    }
    let mut digits = itoa::Buffer::new();
    let length = PyBytes::new(py, digits.format(length).as_bytes());
    list.append(PyTuple::new(py, [PyBytes::new(py, b"content-length"), length])?)?;
    list.append(PyTuple::new(py, [PyBytes::new(py, b"content-type"), PyBytes::new(py, b"application/json")])?)?;
    Ok(Some(list))
}
