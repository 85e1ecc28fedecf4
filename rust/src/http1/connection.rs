//! `Connection`: the short way of a connection's bytes into the engine, and of responses back.
//!
//! Most reads hold one whole request for a route that can be found without a scope. Such a request is served by a task of its
//! own, with no more than its coroutine made for it. All other bytes are the protocol's: it holds them back, waits for bodies and
//! hands over to uvicorn; what it has made a request of comes back here to be served.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
use crate::py::Attached;
use crate::request::path::PathParams;
use crate::run::{Content, Door, HttpDoor, Machine, Program, Serving, program_of};

/// The native side of a connection.
///
/// Each call of Python may come back here.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Connection {
    server: Py<Server>,
    protocol: Py<PyAny>,
    /// Whether the next bytes may begin a request.
    is_open: AtomicBool,
    /// The request in flight.
    in_flight: Attached<Option<Py<Cycle>>>,
    /// Whether the protocol is to be told when it no longer is.
    is_awaited: AtomicBool,
    /// Whether the client reads too slowly for anything more to be written.
    is_paused: AtomicBool,
    /// Whether a timer runs that looks whether the connection is idle.
    is_timed: AtomicBool,
    /// When the last request was over, by the event loop's clock, while there is no other.
    idle_since: Moment,
    /// Whether the protocol has looked at the application.
    is_known: AtomicBool,
    site: Attached<Option<Py<Site>>>,
    transport: Attached<Option<Py<PyAny>>>,
    /// The transport's `write`, which each request needs.
    write: Attached<Option<Py<PyAny>>>,
}

/// A whole request, and the route that answers it; none if the application is called.
struct Request<'py> {
    head: Head,
    route: Option<(Bound<'py, PyAny>, PathParams)>,
    content: Content,
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
            in_flight: Attached::default(),
            is_awaited: AtomicBool::new(false),
            is_paused: AtomicBool::new(false),
            is_timed: AtomicBool::new(false),
            idle_since: Moment::default(),
            is_known: AtomicBool::new(false),
            site: Attached::default(),
            transport: Attached::default(),
            write: Attached::default(),
        }
    }

    /// Use `transport`.
    fn attach(&self, transport: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = transport.py();
        drop(self.write.replace(py, Some(transport.getattr(intern!(py, "write"))?.unbind())));
        drop(self.transport.replace(py, Some(transport.clone().unbind())));
        Ok(())
    }

    /// Serve `site` from here on; None calls the application.
    fn use_site(&self, py: Python<'_>, site: Option<Py<Site>>) {
        self.is_known.store(true, Ordering::Relaxed);
        drop(self.site.replace(py, site));
    }

    /// The request in flight, if there is one.
    #[getter]
    fn in_flight(&self, py: Python<'_>) -> Option<Py<Cycle>> {
        self.in_flight.get(py)
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
    /// `target` is the route; None calls the application. `content` is the body; None if the client left before it was complete.
    fn start(
        slf: &Bound<'_, Self>,
        head: &Head,
        target: Option<Bound<'_, PyAny>>,
        params: Bound<'_, PyDict>,
        content: Option<Bound<'_, PyBytes>>,
    ) -> PyResult<()> {
        let content = match content {
            None => Content::Lost,
            Some(content) if content.as_bytes().is_empty() => Content::Empty,
            Some(content) => Content::Whole(content.unbind()),
        };
        let route = target.map(|target| (target, PathParams::of_dict(&params)));
        Self::start_request(slf, Request { head: head.clone(), route, content })
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
        self.in_flight.visit(&visit)?;
        self.site.visit(&visit)?;
        self.transport.visit(&visit)?;
        self.write.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.in_flight.take(py));
        drop(self.site.take(py));
        drop(self.transport.take(py));
        drop(self.write.take(py));
    }
}

impl Connection {
    /// The protocol.
    pub(crate) fn protocol<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.protocol.bind(py).clone()
    }

    /// Whether the client reads too slowly for anything more to be written.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Relaxed)
    }

    /// Whether the protocol has to send the responses.
    pub(crate) fn has_middleware(&self, py: Python<'_>) -> bool {
        self.site.get(py).is_none_or(|site| site.get().has_middleware)
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
        let site = self.site.get(py).map(|site| site.into_bound(py));
        site.ok_or_else(|| PyRuntimeError::new_err("there is no application"))
    }

    /// The request that `data` is, from its first byte to its last, if nothing about it is unusual.
    fn whole_request<'py>(&self, data: &Bound<'py, PyBytes>) -> PyResult<Option<Request<'py>>> {
        let py = data.py();
        let bytes = data.as_bytes();
        let server = self.server.get();
        let Some(head) = read_whole(bytes, server.max_head) else { return Ok(None) };
        let content = bytes.get(head.length..).unwrap_or_default();
        let expected = head.content_length.unwrap_or(0);
        if expected > server.max_body || u64::try_from(content.len()).ok() != Some(expected) {
            return Ok(None);
        }
        if server.is_limited || self.is_paused.load(Ordering::Relaxed) || !self.is_known.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let head = Head::new(data, head);
        let route = match self.site.get(py) {
            None => None,
            Some(site) if !site.get().stands(py)? => return Ok(None),
            Some(site) => self.find(py, site.get(), &head)?,
        };
        let content =
            if content.is_empty() { Content::Empty } else { Content::Whole(PyBytes::new(py, content).unbind()) };
        Ok(Some(Request { head, route, content }))
    }

    /// The route of a request, if the middleware has nothing to do with it.
    fn find<'py>(
        &self,
        py: Python<'py>,
        site: &Site,
        head: &Head,
    ) -> PyResult<Option<(Bound<'py, PyAny>, PathParams)>> {
        if site.has_middleware {
            let passes = self.protocol.bind(py).call_method1(intern!(py, "passes"), (head.clone(),))?;
            if !passes.is_truthy()? {
                return Ok(None);
            }
        }
        // A convertor that raises is the application's own way's to report.
        Ok(site.table.get().find_head_lazily(py, head).ok().flatten())
    }

    /// Serves a request in a task of its own.
    fn start_request(slf: &Bound<'_, Self>, request: Request<'_>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        let is_lost = matches!(request.content, Content::Lost);
        let cycle = Bound::new(py, Cycle::new(slf.clone().unbind(), request.head, is_lost))?;
        this.idle_since.set(None);
        drop(this.in_flight.replace(py, Some(cycle.clone().unbind())));
        let task = match request.route {
            Some((target, params)) => {
                // A program that can't be made is the reference path's to report.
                let program: Option<Py<Program>> =
                    if is_lost { None } else { program_of(&target).ok().flatten().map(Bound::unbind) };
                let door = HttpDoor {
                    cycle: cycle.clone().unbind(),
                    target: target.unbind(),
                    params,
                    content: request.content,
                };
                let serving = Bound::new(py, Serving::new(Machine::new(Door::Http(door), program)))?;
                server.tasks.make(py, serving.as_any())?
            }
            None => {
                let content = match request.content {
                    Content::Whole(content) => content.into_bound(py),
                    Content::Empty | Content::Lost => PyBytes::new(py, b""),
                };
                let call = (cycle.clone(), cycle.get().head().clone(), content);
                let running = this.protocol.bind(py).call_method1(intern!(py, "call"), call)?;
                server.tasks.make(py, &running)?
            }
        };
        if cycle.get().begin(&task) {
            server.tasks.note(&task)?;
        }
        Ok(())
    }

    /// The task of a request is over.
    pub(crate) fn forget(&self, py: Python<'_>, cycle: &Py<Cycle>) -> PyResult<()> {
        cycle.get().end(py).map_or(Ok(()), |task| self.server.get().tasks.forget(task.bind(py)))
    }

    /// Writes a whole response to the request with this `head`.
    pub(super) fn write(
        &self,
        py: Python<'_>,
        response: &Response<'_, '_>,
        head: &Head,
        scope: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        self.log(py, head, scope, response.status)?;
        let bytes = self.server.get().whole(py, response)?;
        self.write_bytes(py, &bytes)
    }

    /// Has the access log told of a response, if there is one.
    pub(super) fn log(&self, py: Python<'_>, head: &Head, scope: Option<Py<PyAny>>, status: u16) -> PyResult<()> {
        if self.server.get().logs {
            self.protocol.bind(py).call_method1(intern!(py, "log_access"), (head.clone(), scope, status))?;
        }
        Ok(())
    }

    /// Writes to the client.
    pub(super) fn write_bytes(&self, py: Python<'_>, bytes: &Bound<'_, PyBytes>) -> PyResult<()> {
        let (Some(transport), Some(write)) = (self.transport.get(py), self.write.get(py)) else { return Ok(()) };
        unless_closed(transport.bind(py), write.bind(py).call1((bytes,)))
    }

    /// The status line and the server's default headers.
    pub(super) fn opening(&self, py: Python<'_>, status: u16) -> PyResult<Vec<u8>> {
        self.server.get().opening(py, status)
    }

    /// Has `callback` called on the event loop's next turn.
    pub(super) fn call_soon(&self, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        self.server.get().call_soon(callback)
    }

    /// Closes the connection when all is written.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        transport.bind(py).call_method0(intern!(py, "close")).map(drop)
    }

    /// The response to the request in flight is complete; `keep_alive` tells whether another request may come.
    pub(super) fn complete(&self, py: Python<'_>, keep_alive: bool) -> PyResult<()> {
        drop(self.in_flight.take(py));
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
