//! `Connection`: the short way of a connection's bytes into the engine, and of responses back.
//!
//! Most reads hold one whole request for a route that can be found without a scope. Such a request is served by a task of its
//! own, with no more than its coroutine made for it. All other bytes are the protocol's: it holds them back, waits for bodies and
//! hands over to uvicorn; what it has made a request of comes back here to be served.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use wire::http1::read_whole;

use super::cycle::Cycle;
use super::head::Head;
use super::response::{Response, unless_closed};
use super::server::Server;
use super::site::Site;
use crate::request::path::PathParams;
use crate::run::{Content, Door, HttpDoor, Machine, Program, Serving, program_of};

/// The native side of a connection.
///
/// Each call of Python may come back here, so no lock is held during one.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Connection {
    server: Py<Server>,
    protocol: Py<PyAny>,
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
    idle_since: Moment,
    site: Mutex<Option<Py<Site>>>,
    transport: Mutex<Option<Transport>>,
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

/// Puts a flag down; tells whether it was up. Attached, nobody comes in between.
fn take(flag: &AtomicBool) -> bool {
    let was_up = flag.load(Ordering::Relaxed);
    flag.store(false, Ordering::Relaxed);
    was_up
}

/// A time in seconds, or none.
struct Moment(AtomicU64);

impl Default for Moment {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Moment {
    fn get(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Ordering::Relaxed))).filter(|seconds| !seconds.is_nan())
    }

    fn set(&self, seconds: Option<f64>) {
        self.0.store(seconds.unwrap_or(f64::NAN).to_bits(), Ordering::Relaxed);
    }
}

#[pymethods]
impl Connection {
    /// The connection of `protocol`, one of a server.
    #[new]
    fn new(server: Py<Server>, protocol: Py<PyAny>) -> Self {
        Self {
            server,
            protocol,
            is_open: AtomicBool::new(false),
            in_flight: Mutex::default(),
            is_awaited: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            is_timed: AtomicBool::new(false),
            idle_since: Moment::default(),
            site: Mutex::default(),
            transport: Mutex::default(),
        }
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
        self.idle_since.get()
    }

    /// Note that the connection is idle from now on; the protocol's timer may end it.
    fn rest(&self, py: Python<'_>) -> PyResult<()> {
        self.idle_since.set(Some(self.server.get().now(py)?));
        if !self.is_timed.load(Ordering::Relaxed) {
            self.is_timed.store(true, Ordering::Relaxed);
            self.protocol.bind(py).call_method0(intern!(py, "start_timer"))?;
        }
        Ok(())
    }

    /// Note that bytes have come.
    fn note_activity(&self) {
        self.idle_since.set(None);
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
        let this = slf.get();
        if take(&this.is_open)
            && let Ok(bytes) = data.cast::<PyBytes>()
            && let Some(request) = this.whole_request(bytes)?
        {
            return Self::start_request(slf, request);
        }
        this.protocol.bind(slf.py()).call_method1(intern!(slf.py(), "receive_slowly"), (data,)).map(drop)
    }

    /// The response to the request in flight is complete; `keep_alive` tells whether another request may come.
    #[pyo3(name = "complete")]
    fn complete_from_python(&self, py: Python<'_>, keep_alive: bool) -> PyResult<()> {
        self.complete(py, keep_alive)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.server)?;
        visit.call(&self.protocol)?;
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
        Ok(())
    }

    fn __clear__(&self) {
        let before = (locked(&self.in_flight).take(), locked(&self.site).take(), locked(&self.transport).take());
        drop(before); // no lock is held: freeing objects may run code
    }
}

impl Connection {
    /// The protocol.
    pub(crate) fn protocol<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.protocol.bind(py).clone()
    }

    /// Whether the protocol has to send the responses.
    pub(crate) fn has_middleware(&self, py: Python<'_>) -> bool {
        locked(&self.site).as_ref().is_none_or(|site| site.bind(py).get().has_middleware)
    }

    /// The exception handlers, by class and by status.
    pub(crate) fn handlers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.site(py)?.get().handlers.bind(py).clone())
    }

    /// Whether the router has limits for forms that its routes don't know.
    pub(crate) fn limits_forms(&self, py: Python<'_>) -> PyResult<bool> {
        self.site(py)?.get().router.bind(py).getattr(intern!(py, "form_limits"))?.is_truthy()
    }

    fn site<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Site>> {
        let site = locked(&self.site).as_ref().map(|site| site.bind(py).clone());
        site.ok_or_else(|| PyRuntimeError::new_err("there is no application"))
    }

    /// The request that `data` is, from its first byte to its last, if there is a route for it and nothing is unusual.
    fn whole_request<'py>(&self, data: &Bound<'py, PyBytes>) -> PyResult<Option<Request<'py>>> {
        let py = data.py();
        let site = locked(&self.site).as_ref().map(|site| site.bind(py).clone());
        let Some(site) = site else { return Ok(None) };
        let site = site.get();
        let bytes = data.as_bytes();
        let server = self.server.get();
        let Some(head) = read_whole(bytes, server.max_head) else { return Ok(None) };
        let content = bytes.get(head.length..).unwrap_or_default();
        let expected = head.content_length.unwrap_or(0);
        if expected > server.max_body || u64::try_from(content.len()).ok() != Some(expected) {
            return Ok(None);
        }
        if server.is_limited || !site.stands() || self.is_paused.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let head = Head::new(data, head);
        if site.has_middleware {
            let passes = self.protocol.bind(py).call_method1(intern!(py, "passes"), (head.clone(),))?;
            if !passes.is_truthy()? {
                return Ok(None);
            }
        }
        // A convertor that raises is the application's own way's to report.
        let found = site.table.get().find_head_lazily(py, &head);
        let Ok(Some((target, params))) = found else { return Ok(None) };
        let content =
            if content.is_empty() { Content::Empty } else { Content::Whole(PyBytes::new(py, content).unbind()) };
        Ok(Some(Request { head, target, params, content }))
    }

    /// Serves a request in a task of its own.
    fn start_request(slf: &Bound<'_, Self>, request: Request<'_>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        let is_lost = matches!(request.content, Content::Lost);
        let cycle = Bound::new(py, Cycle::new(slf.clone().unbind(), request.head.clone(), is_lost))?;
        this.idle_since.set(None);
        let before = locked(&this.in_flight).replace(cycle.clone().unbind());
        drop(before);
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
        let task = server.tasks.make(py, &serving)?;
        if cycle.get().begin(&task) {
            server.tasks.note(&task)?;
        }
        Ok(())
    }

    /// The task of a request is over.
    pub(crate) fn forget(&self, py: Python<'_>, cycle: &Py<Cycle>) -> PyResult<()> {
        cycle.get().end().map_or(Ok(()), |task| self.server.get().tasks.forget(task.bind(py)))
    }

    /// Writes a whole response to the request with this `head`.
    pub(super) fn write(
        &self,
        py: Python<'_>,
        response: &Response<'_, '_>,
        head: &Head,
        scope: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let server = self.server.get();
        if server.logs {
            let arguments = (head.clone(), scope, response.status);
            self.protocol.bind(py).call_method1(intern!(py, "log_access"), arguments)?;
        }
        let bytes = server.whole(py, response)?;
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
        let before = locked(&self.in_flight).take();
        drop(before);
        self.server.get().count(py)?;
        if take(&self.is_awaited) {
            self.protocol.bind(py).call_method0(intern!(py, "resume_soon"))?;
            return Ok(());
        }
        self.rest(py)?;
        self.is_open.store(keep_alive, Ordering::Relaxed);
        Ok(())
    }
}
