//! The access log: uvicorn's logger gets the format and the arguments that uvicorn gives it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use super::request_head::RequestHead;
use crate::py;

const FORMAT: &str = "%s - \"%s %s HTTP/%s\" %d";

/// Logs the response to a request of which there is a scope, which says how it is to be shown.
pub(super) fn log_scope<'py>(logger: &Bound<'py, PyAny>, scope: &Bound<'py, PyDict>, status: u16) -> PyResult<()> {
    let py = logger.py();
    let of = |key: &Bound<'py, PyString>| -> PyResult<Bound<'py, PyAny>> {
        Ok(scope.get_item(key)?.unwrap_or_else(|| py.None().into_bound(py)))
    };
    let path = of(intern!(py, "path"))?;
    let query = of(intern!(py, "query_string"))?;
    let query = query.cast::<PyBytes>()?;
    let shown = shown_path(path.cast::<PyString>()?.to_str()?, query.as_bytes());
    let client = shown_client(&of(intern!(py, "client"))?)?;
    log(logger, &client, of(intern!(py, "method"))?, &shown, of(intern!(py, "http_version"))?, status)
}

/// Logs the response to a request of which there is no scope.
pub(super) fn log_head(
    logger: &Bound<'_, PyAny>,
    client: &Bound<'_, PyAny>,
    head: &RequestHead,
    root_path: &str,
    status: u16,
) -> PyResult<()> {
    let py = logger.py();
    let path = format!("{root_path}{}", wire::path::percent_decode(head.path_bytes(py)));
    let shown = shown_path(&path, head.query_bytes(py));
    let method = PyString::intern(py, head.method_name()).into_any();
    let version = PyString::intern(py, head.version()).into_any();
    log(logger, &shown_client(client)?, method, &shown, version, status)
}

fn log<'py>(
    logger: &Bound<'py, PyAny>,
    client: &Bound<'py, PyString>,
    method: Bound<'py, PyAny>,
    path: &str,
    version: Bound<'py, PyAny>,
    status: u16,
) -> PyResult<()> {
    let py = logger.py();
    let arguments = (intern!(py, FORMAT), client, method, py::text(py, path), version, status);
    logger.call_method1(intern!(py, "info"), arguments).map(drop)
}

/// A client's host and port, or nothing.
fn shown_client<'py>(client: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let py = client.py();
    if !client.is_truthy()? {
        return Ok(PyString::new(py, ""));
    }
    if let Ok(pair) = client.cast::<PyTuple>()
        && let Ok((host, port)) = pair.extract::<(String, i64)>()
    {
        return Ok(py::text(py, &format!("{host}:{port}")));
    }
    Ok(PyString::new(py, "%s:%d").call_method1(intern!(py, "__mod__"), (client,))?.cast_into()?)
}

/// The path, percent-encoded as `urllib.parse.quote` does it, and the query.
fn shown_path(path: &str, query: &[u8]) -> String {
    let mut shown = String::with_capacity(path.len().saturating_add(query.len()).saturating_add(1));
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/_.-~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase();
            shown.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    if !query.is_empty() {
        shown.push('?');
        shown.push_str(&String::from_utf8_lossy(query));
    }
    shown
}
