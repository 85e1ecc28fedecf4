//! `Cycle`: a request in flight, as uvicorn's protocol and the exchange see it, and how its response is written.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::connection::Connection;
use super::head::Head;
use super::response::Response;
use super::sending::Sending;
use crate::py::Attached;
use crate::run::Headers;

/// A request in flight on a connection that the door serves. To uvicorn, which looks at ``protocol.cycle``, it is a cycle.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Cycle {
    head: Head,
    /// Whether the client is gone.
    disconnected: AtomicBool,
    /// Whether the whole response has been written.
    response_complete: AtomicBool,
    /// Whether the connection is to stay open behind the response.
    keep_alive: AtomicBool,
    /// Whether the task is over.
    is_over: AtomicBool,
    connection: Py<Connection>,
    task: Attached<Option<Py<PyAny>>>,
    event: Attached<Option<Py<PyAny>>>,
    scope: Attached<Option<Py<PyAny>>>,
    /// What has been sent of a response that comes in messages.
    pub(super) sending: Attached<Sending>,
}

impl Cycle {
    pub(super) fn new(connection: Py<Connection>, head: Head, disconnected: bool) -> Self {
        Self {
            disconnected: AtomicBool::new(disconnected),
            is_over: AtomicBool::new(false),
            response_complete: AtomicBool::new(false),
            keep_alive: AtomicBool::new(head.keeps_alive()),
            head,
            connection,
            task: Attached::default(),
            event: Attached::default(),
            scope: Attached::default(),
            sending: Attached::default(),
        }
    }

    /// The connection that it is on.
    pub(crate) fn connection(&self) -> &Connection {
        self.connection.get()
    }

    /// The request's head.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Remembers the task, unless it is over already; tells whether it does.
    pub(super) fn begin(&self, task: &Bound<'_, PyAny>) -> bool {
        if self.is_over.load(Ordering::Relaxed) {
            return false;
        }
        drop(self.task.replace(task.py(), Some(task.clone().unbind())));
        true
    }

    /// Forgets the task, which is over.
    pub(super) fn end(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.take(py)
    }

    /// The ASGI scope, once it was made.
    pub(super) fn scope_of(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.scope.get(py)
    }

    /// Whether somebody is still waiting for the response, which nobody is writing any more.
    pub(crate) fn is_unanswered(&self) -> bool {
        !self.response_complete.load(Ordering::Relaxed) && !self.disconnected.load(Ordering::Relaxed)
    }

    /// Writes a whole response; nothing if the client is gone.
    pub(crate) fn write<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: &[u8],
    ) -> PyResult<()> {
        if self.disconnected.load(Ordering::Relaxed) {
            return Ok(());
        }
        let connection = self.connection();
        let keep_alive = self.keep_alive.load(Ordering::Relaxed);
        let response = Response { status, headers, body, keep_alive, without_body: self.head.is_head() };
        drop(self.sending.replace(py, Sending::begun()));
        connection.write(py, &response, &self.head, self.scope.get(py))?;
        self.finish(py)
    }

    /// The whole response has been written.
    pub(super) fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let connection = self.connection();
        let keep_alive = self.keep_alive.load(Ordering::Relaxed);
        self.response_complete.store(true, Ordering::Relaxed);
        if let Some(event) = self.event.get(py) {
            event.bind(py).call_method0(intern!(py, "set"))?;
        }
        if !keep_alive {
            connection.close(py)?;
        }
        connection.complete(py, keep_alive)
    }
}

#[pymethods]
impl Cycle {
    #[getter]
    pub(super) fn disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_disconnected(&self, disconnected: bool) {
        self.disconnected.store(disconnected, Ordering::Relaxed);
    }

    #[getter]
    pub(super) fn response_complete(&self) -> bool {
        self.response_complete.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_response_complete(&self, complete: bool) {
        self.response_complete.store(complete, Ordering::Relaxed);
    }

    #[getter]
    pub(super) fn keep_alive(&self) -> bool {
        self.keep_alive.load(Ordering::Relaxed)
    }

    #[setter]
    pub(super) fn set_keep_alive(&self, keep_alive: bool) {
        self.keep_alive.store(keep_alive, Ordering::Relaxed);
    }

    /// The task that serves the request, until it is over.
    #[getter]
    fn task(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.task.get(py)
    }

    /// What is set when the client is gone or the response is complete: an event, if anybody waits for one.
    #[getter]
    fn message_event<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyAny> {
        let py = slf.py();
        slf.get().event.get(py).map_or_else(|| slf.clone().into_any(), |event| event.into_bound(py))
    }

    #[setter]
    fn set_message_event(&self, py: Python<'_>, event: Py<PyAny>) {
        drop(self.event.replace(py, Some(event)));
    }

    /// In place of the event that nobody waits for.
    #[expect(clippy::unused_self, reason = "a method of an event")]
    fn set(&self) {}

    /// The ASGI scope, once it was made.
    #[getter]
    fn scope(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.scope.get(py)
    }

    #[setter]
    fn set_scope(&self, py: Python<'_>, scope: Py<PyAny>) {
        drop(self.scope.replace(py, Some(scope)));
    }

    /// Write a whole response; nothing if the client is gone.
    ///
    /// Parameters:
    ///     status: the status code.
    ///     headers: pairs of bytes that were checked; or a content type, for a head with that, the body's length and nothing else.
    ///     body: the body.
    fn respond(&self, py: Python<'_>, status: u16, headers: &Bound<'_, PyAny>, body: &[u8]) -> PyResult<()> {
        match headers.cast::<PyBytes>() {
            Ok(content_type) => self.write(py, status, &Headers::ContentType(content_type.as_bytes()), body),
            Err(_) => self.write(py, status, &Headers::Pairs(headers.cast::<PyList>()?.clone()), body),
        }
    }

    /// Whether a response has begun.
    #[getter]
    fn started(&self, py: Python<'_>) -> bool {
        self.has_started(py)
    }

    /// Take an ASGI message of the response; nothing is done with it if the client is gone.
    fn send(slf: &Bound<'_, Self>, message: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::take_message(slf, message)
    }

    /// Write what has been taken, without waiting for the event loop's next turn.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.flush_pending(py)
    }

    /// Note that the task that serves the request is over.
    fn forget(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().connection().forget(slf.py(), &slf.clone().unbind())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        self.task.visit(&visit)?;
        self.event.visit(&visit)?;
        self.scope.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        for object in [&self.task, &self.event, &self.scope] {
            drop(object.take(py));
        }
    }
}
