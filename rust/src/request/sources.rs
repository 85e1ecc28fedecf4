//! The parts of a request that hold parameters, borrowed for the time of one read: of an ASGI scope, or of a head that the
//! HTTP/1.1 transport has read.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use smallvec::SmallVec;

use super::limits;
use super::path::PathParams;
use super::sent::{Named, Sent};
use crate::http1::RequestHead;
use crate::plan::Source;
use crate::py;

/// The headers of a scope: pairs of bytes objects. Names are in lower case (ASGI says so).
pub(crate) struct Headers<'py>(SmallVec<[(Bound<'py, PyBytes>, Bound<'py, PyBytes>); 24]>);

impl<'py> Headers<'py> {
    /// The headers in `scope["headers"]`; whatever is no pair of bytes is left out.
    pub(crate) fn new(headers: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut found = SmallVec::new();
        if let Ok(list) = headers.cast::<PyList>() {
            for pair in list.iter() {
                found.extend(bytes_pair(&pair));
            }
        } else {
            for pair in headers.try_iter()? {
                found.extend(bytes_pair(&pair?));
            }
        }
        Ok(Self(found))
    }

    /// The values of all headers of this name.
    pub(crate) fn all<'h>(&'h self, name: &'h [u8]) -> impl DoubleEndedIterator<Item = &'h [u8]> + Clone {
        self.0.iter().filter(move |(own, _)| own.as_bytes() == name).map(|(_, value)| value.as_bytes())
    }
}

fn bytes_pair<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (name, value) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
    Some((name.cast_into::<PyBytes>().ok()?, value.cast_into::<PyBytes>().ok()?))
}

/// Where the parameters of one request come from; each part is opened when the first parameter asks for it.
#[expect(clippy::large_enum_variant, reason = "made once per request on the stack, never moved")]
pub(crate) enum Origin<'s, 'py> {
    /// An ASGI scope.
    Scope { scope: &'s Bound<'py, PyDict>, query: Option<Bound<'py, PyBytes>>, headers: Option<Headers<'py>> },
    /// A head, and the path parameters that routing found.
    Head { head: &'s RequestHead, params: &'s PathParams },
}

/// The sources of one request.
pub(crate) struct Sources<'s, 'py> {
    py: Python<'py>,
    origin: Origin<'s, 'py>,
    checked: bool,
}

type Values<'h> = SmallVec<[&'h [u8]; 4]>;

impl<'s, 'py> Sources<'s, 'py> {
    pub(crate) fn of_scope(scope: &'s Bound<'py, PyDict>) -> Self {
        Self { py: scope.py(), origin: Origin::Scope { scope, query: None, headers: None }, checked: false }
    }

    pub(crate) fn of_head(py: Python<'py>, head: &'s RequestHead, params: &'s PathParams) -> Self {
        Self { py, origin: Origin::Head { head, params }, checked: false }
    }

    fn path(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        match &self.origin {
            Origin::Head { params, .. } => Ok(params.get(self.py, name)),
            Origin::Scope { scope, .. } => match scope.get_item(intern!(self.py, "path_params"))? {
                Some(params) => params.cast::<PyDict>()?.get_item(name),
                None => Ok(None),
            },
        }
    }

    /// The query string, within the limits.
    fn query_bytes(&mut self) -> PyResult<&[u8]> {
        let py = self.py;
        let query = match &mut self.origin {
            Origin::Head { head, .. } => head.query_bytes(py),
            Origin::Scope { scope, query, .. } => {
                if query.is_none() {
                    *query = match scope.get_item(intern!(py, "query_string"))? {
                        Some(query) => Some(query_bytes(query)?),
                        None => Some(PyBytes::new(py, b"")),
                    };
                }
                query.as_ref().map(|bytes| bytes.as_bytes()).unwrap_or_default()
            }
        };
        limits::check_query(query)?;
        Ok(query)
    }

    fn query(&mut self, name: &str, many: bool) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        let query = self.query_bytes()?;
        let mut named = wire::query::raw_pairs(query).filter(|(raw, _)| wire::query::is_named(raw, name));
        if many {
            return non_empty(py, named.map(|(_, value)| wire::query::decode(value)));
        }
        let Some(first) = named.next() else { return Ok(None) };
        let (_, value) = named.last().unwrap_or(first);
        Ok(Some(py::text(py, &wire::query::decode(value)).into_any()))
    }

    /// The values of all headers of this name, which is in lower case.
    fn headers(&mut self, name: &[u8]) -> PyResult<Values<'_>> {
        match &mut self.origin {
            Origin::Head { head, .. } => {
                let named = head.header_bytes(self.py).filter(|(own, _)| own.eq_ignore_ascii_case(name));
                Ok(named.map(|(_, value)| value).collect())
            }
            Origin::Scope { scope, headers, .. } => {
                if headers.is_none() {
                    let Some(list) = scope.get_item(intern!(self.py, "headers"))? else { return Ok(Values::new()) };
                    *headers = Some(Headers::new(&list)?);
                }
                let Some(headers) = headers else { return Ok(Values::new()) };
                let named = headers.0.iter().filter(|(own, _)| own.as_bytes() == name);
                Ok(named.map(|(_, value)| value.as_bytes()).collect())
            }
        }
    }

    fn header(&mut self, name: &str, many: bool) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        let values = self.headers(name.as_bytes())?;
        if many {
            return non_empty(py, values.into_iter().map(wire::latin1::decode));
        }
        Ok(values.first().map(|value| py::latin1(py, value).into_any()))
    }

    /// The values of the `Cookie` headers, within the limits.
    fn cookie_headers(&mut self) -> PyResult<Values<'_>> {
        let checked = std::mem::replace(&mut self.checked, true);
        let headers = self.headers(b"cookie")?;
        if !checked {
            limits::check_cookies(headers.iter().copied())?;
        }
        Ok(headers)
    }

    fn cookie(&mut self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        let headers = self.cookie_headers()?;
        let pairs = headers.iter().flat_map(|header| wire::cookies::raw_pairs(header));
        let last = pairs.filter(|(raw, _)| is_latin1(raw, name)).last();
        Ok(last.map(|(_, value)| py::text(py, &wire::cookies::decode(value)).into_any()))
    }
}

impl<'py> Named<'py> for Sources<'_, 'py> {
    fn named(&mut self, source: Source, name: &str, many: bool) -> PyResult<Sent<'py>> {
        let found = match source {
            Source::Path => self.path(name)?, // converted already
            Source::Query => self.query(name, many)?,
            Source::Header => self.header(name, many)?,
            Source::Cookie => self.cookie(name)?,
            Source::Form => None, // a form is no part of the head: see `FormReader`
        };
        Ok(found.into())
    }

    fn has_only(&mut self, source: Source, names: &[&str]) -> PyResult<bool> {
        match source {
            Source::Query => {
                let mut pairs = wire::query::raw_pairs(self.query_bytes()?);
                Ok(pairs.all(|(raw, _)| names.iter().any(|name| wire::query::is_named(raw, name))))
            }
            Source::Cookie => {
                let headers = self.cookie_headers()?;
                let mut pairs = headers.iter().flat_map(|header| wire::cookies::raw_pairs(header));
                Ok(pairs.all(|(raw, _)| names.iter().any(|name| is_latin1(raw, name))))
            }
            Source::Path | Source::Header | Source::Form => Ok(false),
        }
    }
}

/// Whether the latin-1 text `raw` is `name`.
fn is_latin1(raw: &[u8], name: &str) -> bool {
    if name.is_ascii() { raw == name.as_bytes() } else { wire::latin1::decode(raw) == name }
}

/// The texts as a list; `None` if there are none.
fn non_empty<'py, T: AsRef<str>>(
    py: Python<'py>,
    texts: impl Iterator<Item = T>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let list = PyList::empty(py);
    for text in texts {
        list.append(py::text(py, text.as_ref()))?;
    }
    Ok(if list.is_empty() { None } else { Some(list.into_any()) })
}

/// The query of a scope as bytes. Scopes that were made by hand may have it as text, which Starlette takes, too.
fn query_bytes(query: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
    let query = if query.is_instance_of::<PyString>() {
        query.call_method1(intern!(query.py(), "encode"), (intern!(query.py(), "latin-1"),))?
    } else {
        query
    };
    Ok(query.cast_into::<PyBytes>()?)
}
