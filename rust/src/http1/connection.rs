//! `Connection`: the short way of a connection's bytes into the engine, and of responses back.
//!
//! Most reads hold one whole request for a route that can be found without a scope. Such a request is served by a task of its
//! own, with no more than its coroutine made for it. All other bytes are the protocol's: it holds them back, waits for bodies and
//! hands over to uvicorn; what it has made a request of comes back here to be served.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyAttributeError, PyKeyError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyContext, PyDict, PyList, PySet, PyString};
use wire::http1::read_whole;

use super::cycle::Cycle;
use super::head::Head;
use super::response::{Defaults, Response, unless_closed};
use super::site::Site;
use crate::py;
use crate::request::path::PathParams;
use crate::run::{Content, Door, HttpDoor, Machine, Program, Serving, program_of};

/// The native side of a connection.
///
/// Not frozen: breaking a cycle takes `&mut self`, as in `RouteTable`; all else takes `&self`, since each call of Python may come
/// back here.
#[pyclass(module = "ferrapi._native")]
pub(crate) struct Connection {
    max_head: usize,
    max_body: u64,
    /// Whether the next bytes may begin a request.
    is_open: AtomicBool,
    /// The request in flight.
    in_flight: Mutex<Option<Py<Cycle>>>,
    /// Whether the protocol is to be told when it no longer is.
    is_awaited: AtomicBool,
    /// Whether the client reads too slowly for anything more to be written.
    is_paused: AtomicBool,
    /// Whether a timer runs that looks whether the connection is idle.
    is_timed: AtomicBool,
    /// When the last request was over, by the event loop's clock, while there is no other.
    idle_since: Mutex<Option<f64>>,
    site: Mutex<Option<Py<Site>>>,
    server: Option<Server>,
    transport: Mutex<Option<Transport>>,
    defaults: Mutex<Defaults>,
}

/// What a connection has from the server.
struct Server {
    protocol: Py<PyAny>,
    /// The protocol's attributes.
    attributes: Py<PyDict>,
    event_loop: Py<PyAny>,
    /// The event loop's clock.
    time: Py<PyAny>,
    /// Makes tasks as `asyncio.Task` does; None if the loop has to.
    new_task: Option<Py<PyAny>>,
    /// What the tasks' contexts are copies of; None if they are empty.
    context: Option<Py<PyContext>>,
    tasks: Py<PySet>,
    /// The attributes of the server's state.
    state: Py<PyDict>,
    status_lines: Py<PyDict>,
    logs: bool,
    /// Whether the protocol has to be asked before each request.
    is_limited: bool,
}

/// A transport, and the methods of it that each request needs.
struct Transport {
    object: Py<PyAny>,
    write: Py<PyAny>,
    close: Py<PyAny>,
}

/// A whole request, and who answers it.
struct Request<'py> {
    head: Head,
    target: Bound<'py, PyAny>,
    params: PathParams,
    content: Content,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Connection {
    /// Parameters:
    ///     `max_head`, `max_body`: bytes of what is taken here.
    ///     protocol: the connection's protocol.
    ///     `event_loop`: its event loop.
    ///     `new_task`: makes tasks, as `asyncio.Task`; None if the loop is to make them.
    ///     context: what the tasks' contexts are copies of; None for empty ones.
    ///     tasks: the set of tasks that run.
    ///     state: the attributes of the server's state.
    ///     `status_lines`: by status.
    ///     logs: whether the protocol is told of responses, to log them.
    ///     `is_limited`: whether all bytes go to the protocol first.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "a connection knows that much of its server")]
    fn new(
        py: Python<'_>,
        max_head: usize,
        max_body: u64,
        protocol: Py<PyAny>,
        event_loop: Py<PyAny>,
        new_task: Option<Py<PyAny>>,
        context: Option<Py<PyContext>>,
        tasks: Py<PySet>,
        state: Py<PyDict>,
        status_lines: Py<PyDict>,
        logs: bool,
        is_limited: bool,
    ) -> PyResult<Self> {
        let attributes = protocol.bind(py).getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?.unbind();
        let time = event_loop.bind(py).getattr(intern!(py, "time"))?.unbind();
        let server = Server {
            protocol,
            attributes,
            event_loop,
            time,
            new_task,
            context,
            tasks,
            state,
            status_lines,
            logs,
            is_limited,
        };
        Ok(Self {
            max_head,
            max_body,
            is_open: AtomicBool::new(false),
            in_flight: Mutex::default(),
            is_awaited: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            is_timed: AtomicBool::new(false),
            idle_since: Mutex::default(),
            site: Mutex::default(),
            server: Some(server),
            transport: Mutex::default(),
            defaults: Mutex::default(),
        })
    }

    /// Use `transport`.
    fn attach(&self, transport: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = transport.py();
        let attached = Transport {
            object: transport.clone().unbind(),
            write: transport.getattr(intern!(py, "write"))?.unbind(),
            close: transport.getattr(intern!(py, "close"))?.unbind(),
        };
        let before = locked(&self.transport).replace(attached);
        drop(before); // no lock is held: freeing objects may run code
        Ok(())
    }

    /// Serve `site` from here on; None lets the protocol do it.
    fn use_site(&self, site: Option<Py<Site>>) {
        let before = std::mem::replace(&mut *locked(&self.site), site);
        drop(before); // no lock is held: freeing a table may run code
    }

    /// The request in flight, if there is one.
    #[getter]
    fn in_flight(&self, py: Python<'_>) -> Option<Py<Cycle>> {
        locked(&self.in_flight).as_ref().map(|cycle| cycle.clone_ref(py))
    }

    /// Note whether the client reads too slowly for anything more to be written.
    fn pause(&self, paused: bool) {
        self.is_paused.store(paused, Ordering::Relaxed);
    }

    /// Begin no request with what comes next: the connection closes.
    fn shut(&self) {
        self.is_open.store(false, Ordering::Relaxed);
    }

    /// Note that the timer that `start_timer` started has come to its end.
    fn end_timer(&self) {
        self.is_timed.store(false, Ordering::Relaxed);
    }

    /// Have the protocol told when the request in flight no longer is.
    fn await_completion(&self) {
        self.is_awaited.store(true, Ordering::Relaxed);
    }

    /// When the last request was over, by the event loop's clock; None if there is another one.
    #[getter]
    fn idle_since(&self) -> Option<f64> {
        *locked(&self.idle_since)
    }

    /// Note that the connection is idle from now on; the protocol's timer may end it.
    fn rest(&self, py: Python<'_>) -> PyResult<()> {
        let server = self.server()?;
        let now = server.time.bind(py).call0()?.extract()?;
        *locked(&self.idle_since) = Some(now);
        if !self.is_timed.swap(true, Ordering::Relaxed) {
            server.protocol.bind(py).call_method0(intern!(py, "start_timer"))?;
        }
        Ok(())
    }

    /// Note that bytes have come.
    fn note_activity(&self) {
        *locked(&self.idle_since) = None;
    }

    /// Serve a request in a task of its own; its response may be complete when this is back.
    ///
    /// `content` is the body; None if the client left before it was complete.
    fn start(
        slf: &Bound<'_, Self>,
        head: &Head,
        target: Bound<'_, PyAny>,
        params: Bound<'_, PyDict>,
        content: Option<Bound<'_, PyBytes>>,
    ) -> PyResult<()> {
        let content = match content {
            None => Content::Lost,
            Some(content) if content.as_bytes().is_empty() => Content::Empty,
            Some(content) => Content::Whole(content.unbind()),
        };
        Self::start_request(slf, Request { head: head.clone(), target, params: PathParams::of_dict(&params), content })
    }

    /// Take bytes of the connection.
    fn data_received(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let this = slf.borrow();
        if this.is_open.swap(false, Ordering::Relaxed)
            && let Ok(bytes) = data.cast::<PyBytes>()
            && let Some(request) = this.whole_request(bytes)?
        {
            return Self::start_request(slf, request);
        }
        if let Some(server) = &this.server {
            server.protocol.bind(slf.py()).call_method1(intern!(slf.py(), "receive_slowly"), (data,))?;
        }
        Ok(())
    }

    /// The response to the request in flight is complete; `keep_alive` tells whether another request may come.
    #[pyo3(name = "complete")]
    fn complete_from_python(&self, py: Python<'_>, keep_alive: bool) -> PyResult<()> {
        self.complete(py, keep_alive)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(server) = &self.server {
            visit.call(&server.protocol)?;
            visit.call(&server.attributes)?;
            visit.call(&server.event_loop)?;
            visit.call(&server.time)?;
            visit.call(&server.context)?;
            visit.call(&server.tasks)?;
            visit.call(&server.state)?;
        }
        if let Ok(cycle) = self.in_flight.try_lock() {
            visit.call(&*cycle)?;
        }
        if let Ok(site) = self.site.try_lock() {
            visit.call(&*site)?;
        }
        if let Ok(transport) = self.transport.try_lock()
            && let Some(transport) = &*transport
        {
            visit.call(&transport.object)?;
            visit.call(&transport.write)?;
            visit.call(&transport.close)?;
        }
        if let Ok(defaults) = self.defaults.try_lock() {
            visit.call(&defaults.list)?;
        }
        Ok(())
    }

    fn __clear__(&mut self) {
        self.server = None;
        *self.in_flight.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        *self.site.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        *self.transport.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Connection {
    fn server(&self) -> PyResult<&Server> {
        self.server.as_ref().ok_or_else(|| PyRuntimeError::new_err("the connection is gone"))
    }

    /// The protocol.
    pub(crate) fn protocol<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.server()?.protocol.bind(py).clone())
    }

    /// Whether the protocol has to send the responses.
    pub(crate) fn has_middleware(&self, py: Python<'_>) -> bool {
        locked(&self.site).as_ref().is_none_or(|site| site.bind(py).borrow().has_middleware)
    }

    /// The exception handlers, by class and by status.
    pub(crate) fn handlers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.site(py)?.borrow().handlers.bind(py).clone())
    }

    /// Whether the router has limits for forms that its routes don't know.
    pub(crate) fn limits_forms(&self, py: Python<'_>) -> PyResult<bool> {
        self.site(py)?.borrow().router.bind(py).getattr(intern!(py, "form_limits"))?.is_truthy()
    }

    fn site<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Site>> {
        let site = locked(&self.site).as_ref().map(|site| site.bind(py).clone());
        site.ok_or_else(|| PyRuntimeError::new_err("there is no application"))
    }

    /// The request that `data` is, from its first byte to its last, if there is a route for it and nothing is unusual.
    fn whole_request<'py>(&self, data: &Bound<'py, PyBytes>) -> PyResult<Option<Request<'py>>> {
        let py = data.py();
        let site = locked(&self.site).as_ref().map(|site| site.bind(py).clone());
        let (Some(site), Some(server)) = (site, &self.server) else { return Ok(None) };
        let site = site.borrow();
        let bytes = data.as_bytes();
        let Some(head) = read_whole(bytes, self.max_head) else { return Ok(None) };
        let content = bytes.get(head.length..).unwrap_or_default();
        let expected = head.content_length.unwrap_or(0);
        if expected > self.max_body || u64::try_from(content.len()).ok() != Some(expected) {
            return Ok(None);
        }
        if server.is_limited || !site.stands() || self.is_paused.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let head = Head::new(bytes, &head);
        if site.has_middleware {
            let passes = server.protocol.bind(py).call_method1(intern!(py, "passes"), (head.clone(),))?;
            if !passes.is_truthy()? {
                return Ok(None);
            }
        }
        let Some(table) = &site.table else { return Ok(None) };
        // A convertor that raises is the application's own way's to report.
        let Ok(Some((target, params))) = table.bind(py).borrow().find_head_lazily(py, &head) else { return Ok(None) };
        let content =
            if content.is_empty() { Content::Empty } else { Content::Whole(PyBytes::new(py, content).unbind()) };
        Ok(Some(Request { head, target, params, content }))
    }

    /// Serves a request in a task of its own.
    fn start_request(slf: &Bound<'_, Self>, request: Request<'_>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.borrow();
        let server = this.server()?;
        let is_lost = matches!(request.content, Content::Lost);
        let cycle = Bound::new(py, Cycle::new(slf.clone().unbind(), request.head.clone(), is_lost))?;
        *locked(&this.idle_since) = None;
        let before = locked(&this.in_flight).replace(cycle.clone().unbind());
        drop(before);
        server.attributes.bind(py).set_item(intern!(py, "cycle"), &cycle)?;
        // A program that can't be made is the reference path's to report.
        let program: Option<Py<Program>> =
            if is_lost { None } else { program_of(&request.target).ok().flatten().map(Bound::unbind) };
        let door = HttpDoor {
            connection: slf.clone().unbind(),
            cycle: cycle.clone().unbind(),
            head: request.head,
            target: request.target.unbind(),
            params: request.params,
            content: request.content,
        };
        let serving = Bound::new(py, Serving::new(Machine::new(Door::Http(door), program)))?;
        let task = server.make_task(py, &serving)?;
        if cycle.get().begin(&task) {
            server.tasks.bind(py).add(task)?;
        }
        Ok(())
    }

    /// The task of a request is over.
    pub(crate) fn forget(&self, py: Python<'_>, cycle: &Py<Cycle>) -> PyResult<()> {
        match (cycle.get().end(), &self.server) {
            (Some(task), Some(server)) => server.tasks.bind(py).discard(task).map(drop),
            _ => Ok(()),
        }
    }

    /// Writes a whole response to the request with this `head`.
    pub(super) fn write(
        &self,
        py: Python<'_>,
        response: &Response<'_, '_>,
        head: &Head,
        scope: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let server = self.server()?;
        if server.logs {
            let arguments = (head.clone(), scope, response.status);
            server.protocol.bind(py).call_method1(intern!(py, "log_access"), arguments)?;
        }
        let bytes = {
            let defaults = server.state(py, intern!(py, "default_headers"))?.cast_into::<PyList>()?;
            let mut known = locked(&self.defaults);
            let defaults = known.of(&defaults)?;
            // Where there is none, uvicorn raises this as well.
            let line = server.status_lines.bind(py).get_item(response.status)?;
            let line = line.ok_or_else(|| PyKeyError::new_err(response.status))?;
            response.write(py, line.cast::<PyBytes>()?.as_bytes(), defaults)?
        };
        let (transport, write) = match &*locked(&self.transport) {
            Some(transport) => (transport.object.bind(py).clone(), transport.write.bind(py).clone()),
            None => return Ok(()),
        };
        unless_closed(&transport, write.call1((bytes,)))
    }

    /// Closes the connection when all is written.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let close = match &*locked(&self.transport) {
            Some(transport) => transport.close.bind(py).clone(),
            None => return Ok(()),
        };
        close.call0().map(drop)
    }

    /// The response to the request in flight is complete; `keep_alive` tells whether another request may come.
    pub(super) fn complete(&self, py: Python<'_>, keep_alive: bool) -> PyResult<()> {
        let server = self.server()?;
        let before = locked(&self.in_flight).take();
        drop(before);
        let key = intern!(py, "total_requests");
        server.state.bind(py).set_item(key, server.state(py, key)?.add(1)?)?;
        if self.is_awaited.swap(false, Ordering::Relaxed) {
            server.protocol.bind(py).call_method0(intern!(py, "resume_soon"))?;
            return Ok(());
        }
        self.rest(py)?;
        self.is_open.store(keep_alive, Ordering::Relaxed);
        Ok(())
    }
}

impl Server {
    /// An attribute of the server's state.
    fn state<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let value = self.state.bind(py).get_item(name)?;
        value.ok_or_else(|| PyAttributeError::new_err(name.clone().unbind()))
    }

    /// A task that runs `serving`, which it may have done to its end already.
    fn make_task<'py>(&self, py: Python<'py>, serving: &Bound<'py, Serving>) -> PyResult<Bound<'py, PyAny>> {
        let context = match &self.context {
            Some(context) => py::copy_context(context.bind(py))?,
            None => py.import(intern!(py, "contextvars"))?.call_method0(intern!(py, "Context"))?,
        };
        let options = PyDict::new(py);
        options.set_item(intern!(py, "context"), context)?;
        let Some(new_task) = &self.new_task else {
            return self.event_loop.bind(py).call_method(intern!(py, "create_task"), (serving,), Some(&options));
        };
        options.set_item(intern!(py, "loop"), &self.event_loop)?;
        new_task.bind(py).call((serving,), Some(&options))
    }
}
