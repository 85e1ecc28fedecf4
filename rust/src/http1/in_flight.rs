//! `InFlightRequest`: a request in flight, and the `receive` and `send` of who answers it.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::access::log_head;
use super::arriving::CONTINUE;
use super::connection::Connection;
use super::messages::MessageCall;
use super::request_head::RequestHead;
use super::response::{Response, plain_text};
use super::sending::Sending;
use super::site::Site;
use super::waiters::Waiters;
use crate::access_log::log_scope;
use crate::py::Attached;
use crate::run::Headers;

/// A request in flight (uvicorn calls it a cycle).
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct InFlightRequest {
    head: RequestHead,
    /// Whether the client is gone.
    disconnected: AtomicBool,
    /// Whether the whole response has been written.
    response_complete: AtomicBool,
    /// Whether the connection is to stay open behind the response.
    keep_alive: AtomicBool,
    /// Whether the task is over.
    is_over: AtomicBool,
    /// Whether the client waits to be told to send the body.
    awaits_continue: AtomicBool,
    /// Whether the end of the body has been received.
    has_received_all: AtomicBool,
    /// Whether whoever answers was told that the client has left, although it may still read.
    is_told: AtomicBool,
    connection: Py<Connection>,
    task: Attached<Option<Py<PyAny>>>,
    scope: Attached<Option<Py<PyDict>>>,
    /// Who waits for more of the body, or for the client to leave.
    waiters: Waiters,
    /// The cancel scope that is cancelled when the client leaves, if somebody wants that.
    watcher: Attached<Option<Py<PyAny>>>,
    /// What has been sent of a response that comes in messages.
    pub(super) sending: Attached<Sending>,
}

impl InFlightRequest {
    /// A request that has just come; the connection closes behind the last one.
    pub(super) fn new(connection: Py<Connection>, head: RequestHead, is_last: bool) -> Self {
        let wire = head.wire();
        Self {
            disconnected: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            response_complete: AtomicBool::new(false),
            keep_alive: AtomicBool::new(wire.keep_alive && !is_last),
            awaits_continue: AtomicBool::new(wire.expects_continue),
            has_received_all: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
            sending: Attached::new(Sending::new(wire)),
            head,
            connection,
            task: Attached::default(),
            scope: Attached::default(),
            waiters: Waiters::default(),
            watcher: Attached::default(),
        }
    }

    /// The connection that it is on.
    pub(crate) fn connection(&self) -> &Connection {
        self.connection.get()
    }

    /// The connection as Python knows it.
    pub(crate) fn protocol<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.connection.bind(py).clone().into_any()
    }

    /// The request's head.
    pub(crate) fn head(&self) -> &RequestHead {
        &self.head
    }

    /// Whether the task is over.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Remembers the task, unless it is over already; tells whether it does.
    pub(super) fn begin(&self, task: &Bound<'_, PyAny>) -> bool {
        if self.is_over() {
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

    /// Whether whoever answers was told that the client has left, although it may still read.
    pub(super) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Relaxed)
    }

    /// Whether the client waits to be told to send the body.
    pub(super) fn awaits_continue(&self) -> bool {
        self.awaits_continue.load(Ordering::Relaxed)
    }

    /// Whether the connection is to stay open behind the response.
    pub(super) fn keep_alive(&self) -> bool {
        self.keep_alive.load(Ordering::Relaxed)
    }

    /// Has the connection closed behind the response.
    pub(super) fn close_behind(&self) {
        self.keep_alive.store(false, Ordering::Relaxed);
    }

    /// The client is gone.
    pub(super) fn lose(&self, py: Python<'_>) -> PyResult<()> {
        if !self.response_complete() {
            self.disconnected.store(true, Ordering::Relaxed);
        }
        self.wake(py)
    }

    /// Whoever waits may go on.
    pub(super) fn wake(&self, py: Python<'_>) -> PyResult<()> {
        self.waiters.wake(py)?;
        if self.is_left() { self.cancel_watcher(py) } else { Ok(()) }
    }

    /// Whether `receive` would say that the client has left, or has its response.
    fn is_left(&self) -> bool {
        !self.is_unanswered() || self.connection().has_ended()
    }

    /// Has a cancel scope cancelled when the client leaves; at once, if it has.
    pub(crate) fn watch(&self, scope: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = scope.py();
        drop(self.watcher.replace(py, Some(scope.clone().unbind())));
        if self.is_left() { self.cancel_watcher(py) } else { Ok(()) }
    }

    /// Nothing is cancelled any more.
    pub(crate) fn forget_watcher(&self, py: Python<'_>) {
        drop(self.watcher.take(py));
    }

    fn cancel_watcher(&self, py: Python<'_>) -> PyResult<()> {
        match self.watcher.take(py) {
            Some(scope) => {
                self.is_told.store(self.is_unanswered(), Ordering::Relaxed);
                scope.bind(py).call_method0(intern!(py, "cancel")).map(drop)
            }
            None => Ok(()),
        }
    }

    /// What is awaited until the client has read more: a future, which is done then.
    pub(crate) fn drain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let future = self.connection().known().new_future(py)?;
        self.connection().drains.add(&future)?;
        future.call_method0(intern!(py, "__await__"))
    }

    /// Who waits for something to come.
    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// The next message for who answers; None if there is none yet.
    pub(super) fn next_message<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.ask_for_body(py)?;
        if !self.is_unanswered() {
            return disconnect(py).map(Some);
        }
        if !self.has_received_all.load(Ordering::Relaxed) {
            let (body, is_complete) = Connection::take_body(self.connection.bind(py), self)?.unwrap_or_default();
            if is_complete || !body.is_empty() {
                self.has_received_all.store(is_complete, Ordering::Relaxed);
                let message = PyDict::new(py);
                message.set_item(intern!(py, "type"), intern!(py, "http.request"))?;
                message.set_item(intern!(py, "body"), PyBytes::new(py, &body))?;
                message.set_item(intern!(py, "more_body"), !is_complete)?;
                return Ok(Some(message));
            }
        }
        if !self.connection().has_ended() {
            return Ok(None);
        }
        self.is_told.store(true, Ordering::Relaxed);
        disconnect(py).map(Some)
    }

    /// Tells a client to send the body, if it waits for that.
    fn ask_for_body(&self, py: Python<'_>) -> PyResult<()> {
        if !self.awaits_continue() || self.disconnected() {
            return Ok(());
        }
        self.awaits_continue.store(false, Ordering::Relaxed);
        self.connection().write_bytes(py, &PyBytes::new(py, CONTINUE))?;
        Connection::watch(self.connection.bind(py))
    }

    /// The whole body, if it has come and nobody has taken anything of it.
    pub(crate) fn body_at_once<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        if self.has_received_all.load(Ordering::Relaxed)
            || !self.is_unanswered()
            || !self.connection().has_whole_body(py)
        {
            return Ok(None);
        }
        self.ask_for_body(py)?;
        let Some((body, true)) = Connection::take_body(self.connection.bind(py), self)? else { return Ok(None) };
        self.has_received_all.store(true, Ordering::Relaxed);
        Ok(Some(PyBytes::new(py, &body)))
    }

    /// The body has been taken in another way.
    pub(super) fn note_body_taken(&self) {
        self.has_received_all.store(true, Ordering::Relaxed);
        self.awaits_continue.store(false, Ordering::Relaxed);
    }

    /// The client is not told to send the body: it does already, or the response begins.
    pub(super) fn stop_asking(&self) {
        self.awaits_continue.store(false, Ordering::Relaxed);
    }

    /// The ASGI scope, made when it is asked for first.
    pub(super) fn scope_of<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        if let Some(scope) = self.scope.get(py) {
            return Ok(scope.into_bound(py));
        }
        let connection = self.connection();
        let scope = connection.known().scope(py, &self.head, &connection.ends(py)?, connection.state(py)?)?;
        drop(self.scope.replace(py, Some(scope.clone().unbind())));
        Ok(scope)
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
        self.sending.change(py, |sending| sending.started = true);
        self.stop_asking();
        self.log(py, status)?;
        let bytes = connection.known().whole(py, &response)?;
        connection.write_bytes(py, &bytes)?;
        self.finish(py)
    }

    /// Answers with a text; the connection ends then. Nothing is done if the client is gone.
    pub(super) fn answer_last(&self, py: Python<'_>, status: u16, text: &str) -> PyResult<()> {
        self.close_behind();
        self.write(py, status, &plain_text(py, text)?, text.as_bytes())
    }

    /// Has the access log told of the response, if there is one.
    pub(super) fn log(&self, py: Python<'_>, status: u16) -> PyResult<()> {
        let known = self.connection().known();
        let Some(log) = known.access_log(py) else { return Ok(()) };
        let Some(scope) = self.scope.get(py) else {
            let client = self.connection().ends(py)?.get_item(1)?;
            let client = known.seen_client(py, &self.head, client)?;
            return log_head(&log, &client, &self.head, known.root_path(), status);
        };
        log_scope(&log, scope.bind(py), status)
    }

    /// The whole response has been written.
    pub(super) fn finish(&self, py: Python<'_>) -> PyResult<()> {
        let keep_alive = self.keep_alive.load(Ordering::Relaxed);
        self.response_complete.store(true, Ordering::Relaxed);
        self.wake(py)?;
        let connection = self.connection.bind(py);
        Connection::complete(connection, keep_alive)?;
        if keep_alive {
            return Ok(());
        }
        Connection::part(connection, self.sending.see(py, Sending::is_framed))
    }
}

/// What is received when the client is gone, or has its response.
fn disconnect(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let message = PyDict::new(py);
    message.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?;
    Ok(message)
}

#[pymethods]
impl InFlightRequest {
    /// Whether the client is gone.
    #[getter]
    pub(crate) fn disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Relaxed)
    }

    /// Whether the whole response has been written.
    #[getter]
    pub(super) fn response_complete(&self) -> bool {
        self.response_complete.load(Ordering::Relaxed)
    }

    /// The ASGI scope, as the server and the application have made it when a route is called.
    ///
    /// Parameters:
    ///     site: the application.
    ///     target: the route.
    ///     params: the path parameters.
    ///     roots: the root paths of a mounted application, and of the one around all.
    fn scope_at<'py>(
        &self,
        site: &Site,
        target: &Bound<'py, PyAny>,
        params: &Bound<'py, PyDict>,
        roots: Option<(PyBackedStr, PyBackedStr)>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = target.py();
        let scope = self.scope_of(py)?;
        site.enter(&scope, &self.head, roots.as_ref().map(|(own, app)| (&**own, &**app)))?;
        let announced = target.getattr(intern!(py, "announced"))?;
        if !announced.is_none() {
            scope.set_item(intern!(py, "route"), announced)?;
        }
        scope.set_item(intern!(py, "endpoint"), target.getattr(intern!(py, "endpoint"))?)?;
        scope.set_item(intern!(py, "path_params"), params)?;
        Ok(scope)
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

    /// What takes the messages of the response behind the layers of an application that requests pass; None if there are none.
    fn sending<'py>(slf: &Bound<'py, Self>, site: &Site) -> PyResult<Option<Bound<'py, PyAny>>> {
        site.sending(&slf.get().head, slf)
    }

    /// Say that whoever answers is back: without a whole response, the request is refused.
    fn conclude(&self, py: Python<'_>) -> PyResult<()> {
        self.settle(py)
    }

    /// Answer or log what whoever answers has raised, as uvicorn does.
    fn fail(&self, error: Bound<'_, PyAny>) -> PyResult<()> {
        self.refuse_error(error.py(), PyErr::from_value(error))
    }

    /// Whether a response has begun.
    #[getter]
    fn started(&self, py: Python<'_>) -> bool {
        self.has_started(py)
    }

    /// The ASGI receive callable: a coroutine that returns the next message.
    fn receive<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, MessageCall>> {
        MessageCall::receive(slf)
    }

    /// The ASGI send callable: a coroutine that sends a message, when the client has read enough.
    fn send<'py>(slf: &Bound<'py, Self>, message: Bound<'py, PyAny>) -> PyResult<Bound<'py, MessageCall>> {
        MessageCall::send_message(slf, message)
    }

    /// Write what has been taken, without waiting for the event loop's next turn.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.flush_pending(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.connection)?;
        self.task.visit(&visit)?;
        self.scope.visit(&visit)?;
        self.watcher.visit(&visit)?;
        self.waiters.traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.task.take(py));
        drop(self.scope.take(py));
        drop(self.watcher.take(py));
        self.waiters.clear(py);
    }
}
