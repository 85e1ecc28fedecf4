//! The head of one request, owned: the bytes and where things are in them.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};
use smallvec::SmallVec;
use wire::http1::{self, Step};

/// Where something is in a head: small, because there are many. A head has a limit far below what fits.
type Place = (u32, u32);

/// The head of a request that this door serves.
#[pyclass(frozen, module = "ferrapi._native")]
#[derive(Clone)]
pub(crate) struct Head(Arc<Parts>);

/// What is in a head.
pub(crate) struct Parts {
    bytes: Box<[u8]>,
    method: http1::Method,
    path: Place,
    query: Place,
    headers: SmallVec<[(Place, Place); 16]>,
    length: usize,
    content_length: u64,
    /// Whether the client wants to send another request on the connection.
    pub(crate) keep_alive: bool,
}

impl Deref for Head {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Where `part` is in `whole`, of which it is a slice.
fn place(whole: &[u8], part: &[u8]) -> Place {
    if part.is_empty() {
        return (0, 0);
    }
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    let small = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    (small(start), small(start.saturating_add(part.len())))
}

impl Head {
    pub(super) fn new(buffer: &[u8], head: &http1::Head<'_>) -> Self {
        Self(Arc::new(Parts {
            method: head.method,
            path: place(buffer, head.path),
            query: place(buffer, head.query),
            headers: head.headers.iter().map(|h| (place(buffer, h.name), place(buffer, h.value))).collect(),
            length: head.length,
            content_length: head.content_length.unwrap_or(0),
            keep_alive: head.keep_alive,
            bytes: buffer.get(..head.length).unwrap_or_default().into(),
        }))
    }
}

impl Parts {
    fn part(&self, (start, end): Place) -> &[u8] {
        let index = |place| usize::try_from(place).unwrap_or(usize::MAX);
        self.bytes.get(index(start)..index(end)).unwrap_or_default()
    }

    /// Whether the response has no body, whatever its head says of one.
    pub(super) fn is_head(&self) -> bool {
        self.method == http1::Method::Head
    }

    /// The method's name.
    pub(crate) fn method_name(&self) -> &'static str {
        self.method.as_str()
    }

    /// The query as it was sent.
    pub(crate) fn query_bytes(&self) -> &[u8] {
        self.part(self.query)
    }

    /// The path as it was sent.
    pub(crate) fn path_bytes(&self) -> &[u8] {
        self.part(self.path)
    }

    /// The value of the first header called `name`, which is in lower case.
    pub(crate) fn value_of(&self, name: &[u8]) -> Option<&[u8]> {
        self.header_bytes().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names (in the client's letter case) and values of the headers, in order.
    pub(crate) fn header_bytes(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.headers.iter().map(|&(name, value)| (self.part(name), self.part(value)))
    }
}

#[pymethods]
impl Head {
    /// The length of the head in bytes.
    #[getter]
    fn length(&self) -> usize {
        self.0.length
    }

    /// The length of the body in bytes.
    #[getter]
    fn content_length(&self) -> u64 {
        self.0.content_length
    }

    /// Whether the client wants to send another request on the connection.
    #[getter]
    fn keep_alive(&self) -> bool {
        self.0.keep_alive
    }

    /// The method.
    #[getter]
    fn method(&self) -> &'static str {
        self.method_name()
    }

    /// The decoded path.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &wire::path::percent_decode(self.path_bytes()))
    }

    /// The path as it was sent.
    #[getter]
    fn raw_path<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.path_bytes())
    }

    /// The query as it was sent.
    #[getter]
    fn query_string<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.query_bytes())
    }

    /// The value of the first header called `name`, which is in lower case.
    fn header<'py>(&self, py: Python<'py>, name: &[u8]) -> Option<Bound<'py, PyBytes>> {
        self.value_of(name).map(|value| PyBytes::new(py, value))
    }

    /// The same, as text.
    fn header_text<'py>(&self, py: Python<'py>, name: &[u8]) -> Option<Bound<'py, PyString>> {
        self.value_of(name).map(|value| PyString::new(py, &wire::latin1::decode(value)))
    }

    /// The headers as ASGI has them: a list of pairs of bytes, names in lower case.
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for (name, value) in self.header_bytes() {
            let name = PyBytes::new(py, &name.to_ascii_lowercase());
            list.append(PyTuple::new(py, [name, PyBytes::new(py, value)])?)?;
        }
        Ok(list)
    }
}

/// Reads one head after the other from a connection's bytes.
///
/// Parameters:
///     limit: the largest head, in bytes.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct HeadReader(Mutex<http1::HeadReader>);

#[pymethods]
impl HeadReader {
    #[new]
    fn new(limit: usize) -> Self {
        Self(Mutex::new(http1::HeadReader::new(limit)))
    }

    /// Look at `buffer`, which begins with a head and holds everything that an earlier call without an answer was given.
    ///
    /// Returns the head; or None while it is incomplete, False if uvicorn has to look at it, True if it is too large.
    fn read<'py>(&self, py: Python<'py>, buffer: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        // Nothing below calls Python while the lock is held.
        let step = {
            let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match reader.read(buffer) {
                Step::Complete(head) => Ok(Head::new(buffer, &head)),
                Step::Partial => Err(None),
                Step::HandOver => Err(Some(false)),
                Step::TooLarge => Err(Some(true)),
            }
        };
        match step {
            Ok(head) => Ok(Bound::new(py, head)?.into_any()),
            Err(answer) => Ok(answer.into_pyobject(py)?.into_any()),
        }
    }
}
