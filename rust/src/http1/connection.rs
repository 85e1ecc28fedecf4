//! `Connection`: the short way of a connection's bytes into the engine.
//!
//! Most reads hold one whole request for a route that can be found without a scope. Those are told to the protocol as a head, a
//! target, path parameters and a body. All others are the protocol's: it holds bytes back, waits for bodies and hands over to
//! uvicorn, so nothing here remembers anything of a request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use wire::http1::{HeadReader, Step};

use super::head::Head;
use super::response::{self, Response};
use crate::routing::RouteTable;

/// The native side of a connection.
///
/// Not frozen: breaking a cycle takes `&mut self`, as in `RouteTable`; all else takes `&self`, since each call of Python may come
/// back here.
#[pyclass(module = "ferrapi._native")]
pub(crate) struct Connection {
    max_head: usize,
    max_body: u64,
    is_open: AtomicBool,
    table: Mutex<Option<Py<RouteTable>>>,
    begin: Option<Py<PyAny>>,
    otherwise: Option<Py<PyAny>>,
    defaults: Mutex<Defaults>,
}

/// The server's default headers, written once per list (uvicorn replaces the list each second).
#[derive(Default)]
struct Defaults {
    /// Kept alive, so that no other list can have its address.
    list: Option<Py<PyList>>,
    text: Vec<u8>,
}

/// A whole request, and who answers it.
type Request<'py> = (Bound<'py, Head>, Bound<'py, PyAny>, Bound<'py, PyDict>, Bound<'py, PyBytes>);

#[pymethods]
impl Connection {
    /// Parameters:
    ///     `max_head`, `max_body`: bytes of what is taken here.
    ///     begin: told of a request (head, target, path parameters, body); answers whether it takes it.
    ///     otherwise: told of all other bytes.
    #[new]
    fn new(max_head: usize, max_body: u64, begin: Py<PyAny>, otherwise: Py<PyAny>) -> Self {
        Self {
            max_head,
            max_body,
            is_open: AtomicBool::new(false),
            table: Mutex::new(None),
            begin: Some(begin),
            otherwise: Some(otherwise),
            defaults: Mutex::default(),
        }
    }

    /// Find routes in `table` from here on; in none if that is None.
    fn use_table(&self, table: Option<Py<RouteTable>>) {
        let before = std::mem::replace(&mut *self.table.lock().unwrap_or_else(PoisonError::into_inner), table);
        drop(before); // no lock is held: freeing a table may run code
    }

    /// Let the next bytes begin a request. They may only do so once.
    fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    /// A whole response in one buffer.
    ///
    /// Parameters:
    ///     `status_line`: the status line with its line end.
    ///     defaults: the server's default headers.
    ///     headers: pairs of bytes that were checked before; or a content type, for a head with that, the body's length and
    ///         nothing else.
    ///     body: the body; empty for a response that has none.
    ///     head: the request's.
    ///     `keep_alive`: whether to say nothing of closing the connection.
    #[expect(clippy::too_many_arguments, reason = "a response has that many parts")]
    fn response<'py>(
        &self,
        py: Python<'py>,
        status_line: &[u8],
        defaults: &Bound<'py, PyList>,
        headers: &Bound<'py, PyAny>,
        body: &[u8],
        head: &Head,
        keep_alive: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut known = self.defaults.lock().unwrap_or_else(PoisonError::into_inner);
        if known.list.as_ref().is_none_or(|list| !list.is(defaults)) {
            let mut text = Vec::new();
            response::headers(&mut text, defaults)?;
            *known = Defaults { list: Some(defaults.clone().unbind()), text };
        }
        let parts = Response { status_line, headers, body, keep_alive, without_body: head.is_head() };
        response::write(py, &parts, &known.text)
    }

    /// Take bytes of the connection.
    fn data_received(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.is_open.swap(false, Ordering::Relaxed)
            && let (Ok(bytes), Some(begin)) = (data.cast::<PyBytes>(), &self.begin)
            && let Some(request) = self.whole_request(py, bytes)
            && begin.bind(py).call1(request)?.is_truthy()?
        {
            return Ok(());
        }
        if let Some(otherwise) = &self.otherwise {
            otherwise.bind(py).call1((data,))?;
        }
        Ok(())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.begin)?;
        visit.call(&self.otherwise)?;
        if let Ok(table) = self.table.try_lock() {
            visit.call(&*table)?;
        }
        if let Ok(defaults) = self.defaults.try_lock() {
            visit.call(&defaults.list)?;
        }
        Ok(())
    }

    fn __clear__(&mut self) {
        self.begin = None;
        self.otherwise = None;
        *self.table.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Connection {
    /// The request that `data` is, from its first byte to its last, if there is a route for it.
    fn whole_request<'py>(&self, py: Python<'py>, data: &Bound<'py, PyBytes>) -> Option<Request<'py>> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.clone_ref(py);
        let bytes = data.as_bytes();
        let Step::Complete(head) = HeadReader::new(self.max_head).read(bytes) else { return None };
        let content = bytes.get(head.length..)?;
        let expected = head.content_length.unwrap_or(0);
        if expected > self.max_body || u64::try_from(content.len()).ok()? != expected {
            return None;
        }
        let head = Head::new(bytes, &head);
        // A convertor that raises is the application's own way's to report.
        let (target, params) = table.bind(py).borrow().find_head(py, &head).ok()??;
        Some((Bound::new(py, head).ok()?, target, params, PyBytes::new(py, content)))
    }
}
