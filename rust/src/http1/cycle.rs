//! `Cycle`: a request in flight, as uvicorn's protocol and the exchange see it, and how its response is written.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyList};

use super::connection::Connection;
use super::head::Head;
use super::response::Response;
use crate::py::Attached;
use crate::response::head::response_head_problem;
use crate::run::{Headers, describes_body};

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
    /// uvicorn's cycle for the request, if there is one.
    stand_in: Attached<Option<Py<PyAny>>>,
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
            stand_in: Attached::default(),
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
        connection.write(py, &response, &self.head, self.scope.get(py))?;
        self.response_complete.store(true, Ordering::Relaxed);
        if let Some(event) = self.event.get(py) {
            event.bind(py).call_method0(intern!(py, "set"))?;
        }
        if let Some(stand_in) = self.stand_in.get(py) {
            stand_in.bind(py).setattr(intern!(py, "response_complete"), true)?;
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
    fn disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_disconnected(&self, disconnected: bool) {
        self.disconnected.store(disconnected, Ordering::Relaxed);
    }

    #[getter]
    fn response_complete(&self) -> bool {
        self.response_complete.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_response_complete(&self, complete: bool) {
        self.response_complete.store(complete, Ordering::Relaxed);
    }

    #[getter]
    fn keep_alive(&self) -> bool {
        self.keep_alive.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_keep_alive(&self, keep_alive: bool) {
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

    /// uvicorn's cycle for the request, which is told when the response is complete without it.
    #[setter]
    fn set_stand_in(&self, py: Python<'_>, cycle: Py<PyAny>) {
        drop(self.stand_in.replace(py, Some(cycle)));
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

    /// Whether a response with this status and these headers may wait for its body: whether both are what HTTP can carry, and
    /// leave the connection alone.
    fn can_hold(&self, status: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (true, Ok(headers)) = (status.is_exact_instance_of::<PyInt>(), headers.cast_exact::<PyList>()) else {
            return Ok(false);
        };
        Ok(self.connection().knows_status(status)? && response_head_problem(status, headers)?.is_none())
    }

    /// Write a whole response, if its head describes its body; tell whether it does.
    fn respond_whole(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Bound<'_, PyList>,
        body: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let Ok(body) = body.cast_exact::<PyBytes>() else { return Ok(false) };
        if !describes_body(status, &headers, body.as_bytes().len()) {
            return Ok(false);
        }
        self.write(py, status, &Headers::Pairs(headers), body.as_bytes())?;
        Ok(true)
    }

    /// Note that the task that serves the request is over.
    fn forget(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().connection().forget(slf.py(), &slf.clone().unbind())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        self.task.visit(&visit)?;
        self.event.visit(&visit)?;
        self.scope.visit(&visit)?;
        self.stand_in.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        for object in [&self.task, &self.event, &self.scope, &self.stand_in] {
            drop(object.take(py));
        }
    }
}
