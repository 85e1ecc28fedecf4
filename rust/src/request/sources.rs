//! The parts of an ASGI scope that hold parameters, borrowed for the time of one read.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use smallvec::SmallVec;

use super::limits;
use crate::plan::{Param, Source};

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
    pub(crate) fn all<'h>(&'h self, name: &'h [u8]) -> impl DoubleEndedIterator<Item = &'h [u8]> {
        self.0.iter().filter(move |(own, _)| own.as_bytes() == name).map(|(_, value)| value.as_bytes())
    }
}

fn bytes_pair<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (name, value) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
    Some((name.cast_into::<PyBytes>().ok()?, value.cast_into::<PyBytes>().ok()?))
}

/// The sources of one request, each opened when the first parameter asks for it.
pub(crate) struct Sources<'s, 'py> {
    scope: &'s Bound<'py, PyDict>,
    query: Option<Bound<'py, PyBytes>>,
    headers: Option<Headers<'py>>,
    cookies_checked: bool,
}

impl<'s, 'py> Sources<'s, 'py> {
    pub(crate) fn new(scope: &'s Bound<'py, PyDict>) -> Self {
        Self { scope, query: None, headers: None, cookies_checked: false }
    }

    /// The value that was sent for `param`, if any: text, a list of texts, or a converted path parameter.
    pub(crate) fn value(&mut self, param: &Param) -> PyResult<Option<Bound<'py, PyAny>>> {
        match param.source {
            Source::Path => self.path(param),
            Source::Query => self.query(param),
            Source::Header => self.header(param),
            Source::Cookie => self.cookie(param),
        }
    }

    fn path(&self, param: &Param) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(params) = self.scope.get_item(intern!(self.scope.py(), "path_params"))? else { return Ok(None) };
        let params = params.cast::<PyDict>()?;
        for name in &param.names {
            if let Some(value) = params.get_item(name)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn query(&mut self, param: &Param) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.scope.py();
        if self.query.is_none() {
            let query = match self.scope.get_item(intern!(py, "query_string"))? {
                Some(query) => query.cast_into::<PyBytes>()?,
                None => PyBytes::new(py, b""),
            };
            limits::check_query(query.as_bytes())?;
            self.query = Some(query);
        }
        let Some(query) = &self.query else { return Ok(None) };
        for name in &param.names {
            let mut named =
                wire::query::raw_pairs(query.as_bytes()).filter(|(raw, _)| wire::query::is_named(raw, name));
            if param.many {
                let values = named.map(|(_, value)| wire::query::decode(value));
                if let Some(list) = non_empty(py, values)? {
                    return Ok(Some(list));
                }
            } else if let Some(first) = named.next() {
                let (_, value) = named.last().unwrap_or(first);
                return Ok(Some(PyString::new(py, &wire::query::decode(value)).into_any()));
            }
        }
        Ok(None)
    }

    fn headers(&mut self) -> PyResult<Option<&Headers<'py>>> {
        if self.headers.is_none() {
            let py = self.scope.py();
            let Some(headers) = self.scope.get_item(intern!(py, "headers"))? else { return Ok(None) };
            self.headers = Some(Headers::new(&headers)?);
        }
        Ok(self.headers.as_ref())
    }

    fn header(&mut self, param: &Param) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.scope.py();
        let Some(headers) = self.headers()? else { return Ok(None) };
        for name in &param.names {
            let mut values = headers.all(name.as_bytes());
            if param.many {
                if let Some(list) = non_empty(py, values.map(wire::latin1::decode))? {
                    return Ok(Some(list));
                }
            } else if let Some(value) = values.next() {
                return Ok(Some(PyString::new(py, &wire::latin1::decode(value)).into_any()));
            }
        }
        Ok(None)
    }

    fn cookie(&mut self, param: &Param) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.scope.py();
        let checked = std::mem::replace(&mut self.cookies_checked, true);
        let Some(headers) = self.headers()? else { return Ok(None) };
        if !checked {
            limits::check_cookies(headers.all(b"cookie"))?;
        }
        for name in &param.names {
            let named =
                headers.all(b"cookie").flat_map(wire::cookies::raw_pairs).filter(|(raw, _)| is_latin1(raw, name));
            if let Some((_, value)) = named.last() {
                return Ok(Some(PyString::new(py, &wire::cookies::decode(value)).into_any()));
            }
        }
        Ok(None)
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
        list.append(PyString::new(py, text.as_ref()))?;
    }
    Ok(if list.is_empty() { None } else { Some(list.into_any()) })
}
