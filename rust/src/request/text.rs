//! Texts that Python asks for one by one: queries, cookies and content types outside the reader.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use super::limits;
use super::sources::Headers;
use crate::py;

/// The names and values of a query string, decoded, in order. Raises `LimitExceeded`.
#[pyfunction]
pub(crate) fn parse_query<'py>(query: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyList>> {
    let py = query.py();
    limits::check_query(query.as_bytes())?;
    let pairs = PyList::empty(py);
    for (name, value) in wire::query::pairs(query.as_bytes()) {
        pairs.append(PyTuple::new(py, [py::text(py, &name), py::text(py, &value)])?)?;
    }
    Ok(pairs)
}

/// The cookies in ASGI headers; the last of several equal names counts. Raises `LimitExceeded`.
#[pyfunction]
pub(crate) fn parse_cookies<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let cookies = PyDict::new(headers.py());
    let headers = Headers::new(headers)?;
    limits::check_cookies(headers.all(b"cookie"))?;
    for (name, value) in headers.all(b"cookie").flat_map(wire::cookies::pairs) {
        cookies.set_item(name, value)?;
    }
    Ok(cookies)
}

/// Whether a `Content-Type` value means JSON: `application/json` or `application/*+json`.
#[pyfunction]
pub(crate) fn is_json_content_type(content_type: &[u8]) -> bool {
    wire::media_type::is_json(content_type)
}

/// Whether JSON text has a number that is too long for parsers to agree about it.
#[pyfunction]
pub(crate) fn has_long_number(text: &[u8]) -> bool {
    wire::json::has_long_number(text)
}
