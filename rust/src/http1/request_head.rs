//! The head of one request, owned: the bytes and where things are in them.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use wire::http1;

use super::response::append;

/// The head of a request that this transport serves.
#[pyclass(frozen, module = "ferrapi._native")]
#[derive(Clone)]
pub(crate) struct RequestHead(Arc<Parts>);

struct Parts {
    /// They begin with the head.
    bytes: Py<PyBytes>,
    head: http1::Head,
}

impl RequestHead {
    /// What `head` says, which was read from `bytes`. These are kept if there is no body behind the head, which is copied else.
    pub(super) fn new(bytes: &Bound<'_, PyBytes>, head: http1::Head) -> Self {
        let all = bytes.as_bytes();
        let own = match all.get(..head.length) {
            Some(own) if own.len() < all.len() => PyBytes::new(bytes.py(), own),
            _ => bytes.clone(),
        };
        Self(Arc::new(Parts { bytes: own.unbind(), head }))
    }

    /// What the state machine knows of it.
    pub(super) fn wire(&self) -> &http1::Head {
        &self.0.head
    }

    /// The version of HTTP, as a scope has it.
    pub(super) fn version(&self) -> &'static str {
        match self.0.head.version {
            http1::Version::Old => "1.0",
            http1::Version::New => "1.1",
        }
    }

    /// Whether the response has no body, whatever its head says of one.
    pub(super) fn is_head(&self) -> bool {
        self.0.head.method == http1::Method::Head
    }

    /// The method's name.
    pub(crate) fn method_name(&self) -> &'static str {
        self.0.head.method.as_str()
    }

    /// The query as it was sent.
    pub(crate) fn query_bytes<'b>(&'b self, py: Python<'b>) -> &'b [u8] {
        self.0.head.query(self.0.bytes.as_bytes(py))
    }

    /// The path as it was sent.
    pub(crate) fn path_bytes<'b>(&'b self, py: Python<'b>) -> &'b [u8] {
        self.0.head.path(self.0.bytes.as_bytes(py))
    }

    /// The value of the first header called `name`, which is in lower case.
    pub(crate) fn value_of<'b>(&'b self, py: Python<'b>, name: &[u8]) -> Option<&'b [u8]> {
        self.0.head.header(self.0.bytes.as_bytes(py), name)
    }

    /// Whether a proxy says something of itself that uvicorn's middleware for proxies may believe.
    pub(super) fn is_of_proxy(&self, py: Python<'_>) -> bool {
        OF_PROXIES.iter().any(|name| self.value_of(py, name).is_some())
    }

    /// The head written anew, for another reader: the path and the query alone as its target, names in lower case.
    pub(super) fn written<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = [self.method_name().as_bytes(), b" ", self.path_bytes(py)].concat();
        let query = self.query_bytes(py);
        if !query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(query);
        }
        out.extend_from_slice(b" HTTP/1.1\r\n");
        append(&mut out, &self.header_list(py)?)?;
        out.extend_from_slice(b"\r\n");
        Ok(PyBytes::new(py, &out))
    }

    /// Names (in the client's letter case) and values of the headers, in order.
    pub(crate) fn header_bytes<'b>(&'b self, py: Python<'b>) -> impl DoubleEndedIterator<Item = (&'b [u8], &'b [u8])> {
        self.0.head.headers(self.0.bytes.as_bytes(py))
    }
}

/// The headers that uvicorn's middleware for proxies looks at; without them it changes nothing.
const OF_PROXIES: [&[u8]; 2] = [b"x-forwarded-for", b"x-forwarded-proto"];

#[pymethods]
impl RequestHead {
    /// The value of the first header called `name`, which is in lower case.
    fn header<'py>(&self, py: Python<'py>, name: &[u8]) -> Option<Bound<'py, PyBytes>> {
        self.value_of(py, name).map(|value| PyBytes::new(py, value))
    }

    /// The headers as ASGI has them: a list of pairs of bytes, names in lower case.
    #[pyo3(name = "headers")]
    pub(super) fn header_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for (name, value) in self.header_bytes(py) {
            let name = PyBytes::new(py, &name.to_ascii_lowercase());
            list.append(PyTuple::new(py, [name, PyBytes::new(py, value)])?)?;
        }
        Ok(list)
    }
}
