//! The URL of a request, where it is plain ([`wire::url`]).

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::py;
use crate::response::checks::first_header;

/// The URL that Starlette makes of a scope, and what `urllib.parse.urlsplit` makes of that. None if either is for them to find
/// out: hosts that are no plain names, characters to quote, scopes that lack something.
///
/// Parameters:
///     scope: the ASGI scope.
///     root: instead of the scope's path; there is no query then.
#[pyfunction]
#[pyo3(signature = (scope, root=None))]
pub(crate) fn plain_url<'py>(
    scope: &Bound<'py, PyAny>,
    root: Option<&Bound<'py, PyString>>,
) -> PyResult<Option<(Bound<'py, PyString>, Bound<'py, PyTuple>)>> {
    let py = scope.py();
    let Ok(scope) = scope.cast_exact::<PyDict>() else { return Ok(None) };
    let Some(scheme) = text_in(scope, intern!(py, "scheme"))? else { return Ok(None) };
    let path = match root {
        Some(root) => Some(root.clone()),
        None => text_in(scope, intern!(py, "path"))?,
    };
    let (Some(path), Some(host)) = (path, host_in(scope)?) else { return Ok(None) };
    let query = match root {
        Some(_) => None,
        None => match scope.get_item(intern!(py, "query_string"))?.map(Bound::cast_into::<PyBytes>) {
            Some(Ok(query)) => Some(query),
            _ => return Ok(None),
        },
    };
    let query = query.as_ref().map(|query| query.as_bytes()).unwrap_or_default();
    let (Ok(scheme_text), Ok(path_text)) = (scheme.to_str(), path.to_str()) else { return Ok(None) };
    if !matches!(scheme_text, "http" | "https" | "ws" | "wss")
        || !wire::url::is_plain_host(host.as_bytes())
        || !wire::url::is_plain_path(path_text.as_bytes())
        || !wire::url::is_plain_query(query)
    {
        return Ok(None);
    }
    let mark: &[u8] = if query.is_empty() { b"" } else { b"?" };
    let url = [scheme_text.as_bytes(), b"://", host.as_bytes(), path_text.as_bytes(), mark, query].concat();
    let (netloc, query) = (py::latin1(py, host.as_bytes()), py::latin1(py, query));
    let components = PyTuple::new(py, [scheme, netloc, path, query, intern!(py, "").clone()])?;
    Ok(Some((py::latin1(py, &url), components)))
}

fn text_in<'py>(scope: &Bound<'py, PyDict>, key: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyString>>> {
    Ok(scope.get_item(key)?.and_then(|value| value.cast_into_exact::<PyString>().ok()))
}

/// The first `Host`.
fn host_in<'py>(scope: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let Some(Ok(headers)) = scope.get_item(intern!(scope.py(), "headers"))?.map(Bound::cast_into_exact::<PyList>)
    else {
        return Ok(None);
    };
    Ok(first_header(&headers, b"host").flatten())
}
