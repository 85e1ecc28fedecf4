//! `Connection`: a connection as `asyncio.Protocol` has it, between the transport, the state machine of `wire::http1`, and the
//! requests in flight.
//!
//! Most reads hold one whole request, which is served by a task of its own with no more than its coroutine made for it. All other
//! bytes are held until the machine makes something of them. One request is in flight at a time; bytes behind it are taken up on
//! the event loop's next turn after its response: not from the handler's task, whose context variables are its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use wire::http1::{BodyLength, Limits, Refusal, Upgrade};

use super::in_flight::InFlightRequest;
use super::reading::{Got, Reading};
use super::request_head::RequestHead;
use super::response::unless_closed;
use super::server::Server;
use super::site::Site;
use super::waiters::Waiters;
use crate::py::Attached;
use crate::request::path::PathParams;
use crate::run::{Content, HttpTransport, Machine, Program, Serving, Transport, program_of};

/// Bytes of a body, or of what comes behind a request, from which on the client is held back.
pub(super) const HIGH_WATER: usize = 64 * 1024;

/// A connection: the base of `ferrapi.server.HttpProtocol`, which has what is done in Python.
///
/// Each call of Python may come back here.
#[pyclass(frozen, subclass, module = "ferrapi._native", name = "HttpConnection")]
pub(crate) struct Connection {
    server: Py<Server>,
    /// What the lifespan has left.
    app_state: Py<PyAny>,
    reading: Attached<Reading>,
    /// The request in flight.
    in_flight: Attached<Option<Py<InFlightRequest>>>,
    /// A request for a route whose body is on its way.
    collecting: Attached<Option<Collecting>>,
    transport: Attached<Option<Py<PyAny>>>,
    /// The transport's `write`, which each request needs.
    write: Attached<Option<Py<PyAny>>>,
    /// The timer that looks whether the connection is idle.
    timer: Attached<Option<Py<PyAny>>>,
    /// The addresses of both ends, and the scheme.
    ends: Attached<Option<Py<PyTuple>>>,
    /// Who waits until the client has read more.
    pub(super) drains: Waiters,
    flags: Flags,
    /// When the last request was over, by the event loop's clock, while there is no other.
    idle_since: Moment,
}

/// What is true of a connection.
#[derive(Default)]
struct Flags {
    /// The client reads too slowly for anything more to be written.
    is_paused: AtomicBool,
    /// Nothing is read until somebody takes what has come.
    is_reading_paused: AtomicBool,
    /// What is held is taken up on the event loop's next turn.
    is_resuming: AtomicBool,
    /// The client sends nothing more.
    has_ended: AtomicBool,
    /// The connection closes behind the current request.
    is_last: AtomicBool,
    /// There is no connection any more, or another protocol has it.
    is_lost: AtomicBool,
    /// Whether the application has to be called in the ASGI way, as a look at it has shown.
    is_foreign: AtomicBool,
}

fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

fn set(flag: &AtomicBool, value: bool) {
    flag.store(value, Ordering::Relaxed);
}

/// A request for a route that wants its whole body.
struct Collecting {
    head: RequestHead,
    target: Py<PyAny>,
    params: PathParams,
}

/// Who answers a request.
enum Answerer {
    Route {
        target: Py<PyAny>,
        params: PathParams,
        content: Content,
    },
    Application,
    /// There are too many requests.
    Nobody,
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
    /// A connection of a server.
    ///
    /// Parameters:
    ///     server: what is known of it.
    ///     `app_state`: what the lifespan has left for each scope.
    #[new]
    fn new(server: Py<Server>, app_state: Py<PyAny>) -> Self {
        let known = server.get();
        let limits = Limits { head: known.max_head, body: None };
        Self {
            server,
            app_state,
            reading: Attached::new(Reading::new(limits)),
            in_flight: Attached::default(),
            collecting: Attached::new(None),
            transport: Attached::default(),
            write: Attached::default(),
            timer: Attached::default(),
            ends: Attached::default(),
            drains: Waiters::default(),
            flags: Flags::default(),
            idle_since: Moment::default(),
        }
    }

    /// What is known of the server.
    #[getter]
    pub(super) fn server(&self, py: Python<'_>) -> Py<Server> {
        self.server.clone_ref(py)
    }

    /// The request in flight, if there is one.
    #[getter]
    fn in_flight(&self, py: Python<'_>) -> Option<Py<InFlightRequest>> {
        self.in_flight.get(py)
    }

    /// Whether bytes that are held are going to be taken up.
    #[getter]
    fn is_resuming(&self) -> bool {
        is(&self.flags.is_resuming)
    }

    /// The timer, if the connection is idle.
    #[getter]
    fn timeout_keep_alive_task(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.idle_since.get().and_then(|_| self.timer.get(py))
    }

    /// The transport; None before there is one.
    #[getter]
    fn transport(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.transport.get(py)
    }

    /// The client's address.
    #[getter]
    fn client<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.ends(py)?.get_item(1)
    }

    /// ``"https"`` or ``"http"``.
    #[getter]
    fn scheme<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.ends(py)?.get_item(2)
    }

    /// Serve what comes by `transport`.
    ///
    /// Parameters:
    ///     transport: it.
    ///     ends: the server's and the client's address, and the scheme.
    fn open(slf: &Bound<'_, Self>, transport: &Bound<'_, PyAny>, ends: Bound<'_, PyTuple>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        drop(this.write.replace(py, Some(transport.getattr(intern!(py, "write"))?.unbind())));
        drop(this.transport.replace(py, Some(transport.clone().unbind())));
        drop(this.ends.replace(py, Some(ends.unbind())));
        this.server.get().connections(py).call_method1(intern!(py, "add"), (slf,)).map(drop)
    }

    /// Take bytes of the connection.
    fn data_received(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.idle_since.set(None);
        if let Ok(bytes) = data.cast::<PyBytes>() {
            let flags = &this.flags;
            if !is(&flags.is_paused) && !is(&flags.is_resuming) && !is(&flags.is_last) {
                let most = u64::try_from(HIGH_WATER).unwrap_or(u64::MAX);
                let raw = bytes.as_bytes();
                if let Some(head) = this.reading.change(py, |reading| reading.take_whole(raw, most)) {
                    let content = raw.get(head.length..).unwrap_or_default();
                    let content = match content {
                        [] => Content::Empty,
                        content => Content::Whole(PyBytes::new(py, content).unbind()),
                    };
                    return Self::start_whole(slf, RequestHead::new(bytes, head), content);
                }
            }
            return Self::go_on(slf, raw_of(bytes));
        }
        let bytes = py.get_type::<PyBytes>().call1((data,))?.cast_into::<PyBytes>()?;
        Self::go_on(slf, raw_of(&bytes))
    }

    /// The client sends nothing more. It may still read: whoever asks is told that it has left, and what is answered is written.
    ///
    /// Returns whether the connection is to stay open.
    fn eof_received(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        set(&this.flags.has_ended, true);
        if is(&this.flags.is_resuming) {
            return Ok(!this.is_secure(py)?);
        }
        let Some(in_flight) = this.in_flight.get(py) else { return Ok(false) };
        if this.reading.see(py, |reading| reading.conversation.is_in_body()) || this.is_secure(py)? {
            return Ok(false);
        }
        in_flight.get().wake(py)?;
        Ok(true)
    }

    /// The client reads too slowly.
    fn pause_writing(&self) {
        set(&self.flags.is_paused, true);
    }

    /// It has read on.
    fn resume_writing(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        set(&this.flags.is_paused, false);
        this.drains.wake(py)?;
        if this.in_flight.get(py).is_none() && this.reading.see(py, Reading::has_held) {
            this.resume_soon(slf)
        } else {
            Ok(())
        }
    }

    /// There is no connection any more.
    fn close_down(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.leave(slf)?;
        let collecting = this.collecting.replace(py, None);
        this.reading.change(py, Reading::close);
        if let Some(in_flight) = this.in_flight.get(py) {
            in_flight.get().lose(py)?;
        }
        this.drains.wake(py)?;
        if let Some(Collecting { head, target, params }) = collecting {
            // The application may want to know that a client has left.
            Self::start(slf, head, Answerer::Route { target, params, content: Content::Lost })?;
            if let Some(in_flight) = this.in_flight.get(py) {
                in_flight.get().lose(py)?;
            }
        }
        drop(this.write.take(py));
        Ok(())
    }

    /// Close the connection when nothing is in flight any more.
    fn shutdown(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        set(&this.flags.is_last, true);
        if let Some(in_flight) = this.in_flight.get(py) {
            in_flight.get().close_behind();
            return Ok(());
        }
        let has_request = this.collecting.see(py, Option::is_some) || is(&this.flags.is_resuming);
        if has_request { Ok(()) } else { this.close(py) }
    }

    /// Take up what is held.
    fn resume(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        set(&this.flags.is_resuming, false);
        if is(&this.flags.is_lost) || this.is_closing(py)? {
            return Ok(());
        }
        this.resume_reading(py)?;
        Self::go_on(slf, &[])?;
        Self::rest_if_idle(slf)
    }

    /// Look whether the connection has been idle for too long.
    fn on_timer(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        drop(this.timer.take(py));
        let Some(since) = this.idle_since.get() else { return Ok(()) };
        let server = this.server.get();
        let left = since + server.keep_alive - server.now(py)?;
        if left > 0.0 {
            return this.start_timer(slf, left);
        }
        this.reading.change(py, Reading::close);
        this.close(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.server)?;
        visit.call(&self.app_state)?;
        self.in_flight.visit(&visit)?;
        self.collecting.traverse(&visit, |collecting, visit| match collecting {
            Some(collecting) => {
                visit.call(&collecting.target)?;
                collecting.params.traverse(visit)
            }
            None => Ok(()),
        })?;
        self.transport.visit(&visit)?;
        self.write.visit(&visit)?;
        self.timer.visit(&visit)?;
        self.ends.visit(&visit)?;
        self.drains.traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.in_flight.take(py));
        drop(self.collecting.replace(py, None));
        for object in [&self.transport, &self.write, &self.timer] {
            drop(object.take(py));
        }
        drop(self.ends.take(py));
        self.drains.clear(py);
    }
}

/// The bytes of an object that nobody changes.
fn raw_of<'b>(bytes: &'b Bound<'_, PyBytes>) -> &'b [u8] {
    bytes.as_bytes()
}

// What has come
impl Connection {
    /// Makes what can be made of the bytes that are held, and of those that are `fresh`.
    fn go_on(slf: &Bound<'_, Self>, mut fresh: &[u8]) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut has_body = false;
        loop {
            let waits = is(&this.flags.is_resuming)
                || (is(&this.flags.is_paused) && this.reading.see(py, |reading| reading.conversation.is_between()));
            if waits {
                this.reading.change(py, |reading| reading.hold(&mut fresh));
                this.hold_back(py)?;
                break;
            }
            match this.reading.change(py, |reading| reading.next(&mut fresh)) {
                Got::More | Got::Over => break,
                Got::Wait => {
                    if this.reading.see(py, Reading::has_held) {
                        this.hold_back(py)?;
                    }
                    break;
                }
                Got::Request(head, bytes) => {
                    this.reading.change(py, |reading| reading.hold(&mut fresh));
                    let head = RequestHead::new(&PyBytes::new(py, &bytes), *head);
                    if Self::arrive(slf, head)? {
                        return Ok(());
                    }
                }
                Got::Body => {
                    has_body = true;
                    if this.collecting.see(py, Option::is_some)
                        && this.reading.see(py, Reading::waiting) > HIGH_WATER
                        && let Some(Collecting { head, .. }) = this.collecting.replace(py, None)
                    {
                        this.reading.change(py, |reading| reading.hold(&mut fresh));
                        Self::start(slf, head, Answerer::Application)?;
                    }
                }
                Got::End => {
                    has_body = true;
                    if let Some(Collecting { head, target, params }) = this.collecting.replace(py, None) {
                        this.reading.change(py, |reading| reading.hold(&mut fresh));
                        let (body, _) = this.reading.change(py, Reading::take_body);
                        let content = if body.is_empty() {
                            Content::Empty
                        } else {
                            Content::Whole(PyBytes::new(py, &body).unbind())
                        };
                        Self::start(slf, head, Answerer::Route { target, params, content })?;
                    }
                }
                Got::Refused(refusal) => return this.refuse(py, refusal),
            }
        }
        if has_body && let Some(in_flight) = this.in_flight.get(py) {
            if this.reading.see(py, Reading::waiting) > HIGH_WATER {
                this.hold_back(py)?;
            }
            in_flight.get().wake(py)?;
        }
        Ok(())
    }

    /// A request's head has come; its body may still be on its way. Answers whether the connection is somebody else's now.
    fn arrive(slf: &Bound<'_, Self>, head: RequestHead) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        if let Some(upgrade) = head.wire().upgrade {
            let has_web_sockets = || slf.getattr(intern!(py, "ws_protocol_class")).map(|class| !class.is_none());
            if upgrade == Upgrade::WebSocket && has_web_sockets()? {
                let rest = this.reading.change(py, |reading| {
                    let rest = reading.take_held();
                    reading.close();
                    rest
                });
                this.leave(slf)?;
                slf.call_method1(intern!(py, "upgrade"), (head, PyBytes::new(py, &rest)))?;
                return Ok(true);
            }
            slf.call_method0(intern!(py, "warn_of_upgrade"))?;
        }
        let answerer = Self::answerer(slf, &head)?;
        let Answerer::Route { target, params, .. } = answerer else {
            Self::start(slf, head, answerer)?;
            return Ok(false);
        };
        let most = u64::try_from(HIGH_WATER).unwrap_or(u64::MAX);
        let has_come = |length: u64| {
            this.reading.see(py, |reading| u64::try_from(reading.held()).is_ok_and(|held| held >= length))
        };
        let reads_body = || target.bind(py).call_method0(intern!(py, "reads_body"))?.is_truthy();
        let collects = match head.wire().body {
            BodyLength::None => true,
            BodyLength::Known(length) if length > most => false,
            // Who waits to be told to send the body is told by whoever receives it.
            BodyLength::Known(length) => (has_come(length) && !head.wire().expects_continue) || reads_body()?,
            BodyLength::Chunked => reads_body()?,
        };
        if !collects {
            Self::start(slf, head, Answerer::Application)?;
            return Ok(false);
        }
        if head.wire().body == BodyLength::None {
            Self::start(slf, head, Answerer::Route { target, params, content: Content::Empty })?;
            return Ok(false);
        }
        if head.wire().expects_continue {
            this.write_bytes(py, &PyBytes::new(py, CONTINUE))?;
        }
        drop(this.collecting.replace(py, Some(Collecting { head, target, params })));
        Ok(false)
    }

    /// Refuses what has come, and closes the connection.
    fn refuse(&self, py: Python<'_>, refusal: Refusal) -> PyResult<()> {
        drop(self.collecting.replace(py, None));
        let server = self.server.get();
        server.warn(py, refusal.message())?;
        let is_free = match self.in_flight.get(py) {
            // An answered request whose body goes wrong has got its answer.
            None => !self.reading.see(py, |reading| reading.conversation.is_answered_early()),
            Some(in_flight) => {
                let is_free = !in_flight.get().has_started(py);
                if is_free {
                    in_flight.get().lose(py)?;
                }
                is_free
            }
        };
        if is_free {
            let message = refusal.message().as_bytes();
            let mut bytes = server.opening(py, refusal.status())?;
            bytes.extend_from_slice(b"content-type: text/plain; charset=utf-8\r\ncontent-length: ");
            bytes.extend_from_slice(itoa::Buffer::new().format(message.len()).as_bytes());
            bytes.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
            bytes.extend_from_slice(message);
            self.write_bytes(py, &PyBytes::new(py, &bytes))?;
        }
        self.close(py)
    }

    /// Reads nothing until somebody takes what has come.
    fn hold_back(&self, py: Python<'_>) -> PyResult<()> {
        if is(&self.flags.is_reading_paused) || is(&self.flags.is_lost) {
            return Ok(());
        }
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        if transport.bind(py).call_method0(intern!(py, "is_closing"))?.is_truthy()? {
            return Ok(());
        }
        set(&self.flags.is_reading_paused, true);
        transport.bind(py).call_method0(intern!(py, "pause_reading")).map(drop)
    }

    /// Reads on, in the context of the connection: an event loop may remember that of whoever tells it to.
    fn resume_reading(&self, py: Python<'_>) -> PyResult<()> {
        if !is(&self.flags.is_reading_paused) || is(&self.flags.is_lost) {
            return Ok(());
        }
        set(&self.flags.is_reading_paused, false);
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        if transport.bind(py).call_method0(intern!(py, "is_closing"))?.is_truthy()? {
            return Ok(());
        }
        let resume = transport.bind(py).getattr(intern!(py, "resume_reading"))?;
        let context = self.server.get().context(py).call_method0(intern!(py, "copy"))?;
        context.call_method1(intern!(py, "run"), (resume,)).map(drop)
    }

    /// What has come of the body of `in_flight`, and whether it is complete; None if it is not in flight.
    pub(super) fn take_body(&self, py: Python<'_>, in_flight: &InFlightRequest) -> PyResult<Option<(Vec<u8>, bool)>> {
        let is_current =
            self.in_flight.see(py, |current| current.as_ref().is_some_and(|own| std::ptr::eq(own.get(), in_flight)));
        if !is_current {
            return Ok(None);
        }
        let taken = self.reading.change(py, Reading::take_body);
        if self.reading.see(py, |reading| reading.conversation.is_in_body()) {
            self.resume_reading(py)?;
        }
        Ok(Some(taken))
    }

    /// Whether all of the current request's body has come.
    pub(super) fn has_whole_body(&self, py: Python<'_>) -> bool {
        !self.reading.see(py, |reading| reading.conversation.is_in_body())
    }

    /// Whether the client sends nothing more.
    pub(super) fn has_ended(&self) -> bool {
        is(&self.flags.has_ended)
    }
}

/// What tells a client to send the body.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

// Who answers
impl Connection {
    /// The application, if its routes are known.
    fn site<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Site>>> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        if let Some(site) = server.site(py)
            && site.get().stands(py)?
        {
            return Ok(Some(site));
        }
        if is(&this.flags.is_foreign) {
            return Ok(None);
        }
        let found = slf.call_method0(intern!(py, "find_site"))?;
        let site = server.use_site(&found)?;
        set(&this.flags.is_foreign, site.is_none());
        Ok(site)
    }

    /// Who answers a request, without its body.
    fn answerer(slf: &Bound<'_, Self>, head: &RequestHead) -> PyResult<Answerer> {
        let py = slf.py();
        let this = slf.get();
        if this.server.get().is_full(py)? {
            return Ok(Answerer::Nobody);
        }
        let Some(site) = Self::site(slf)? else { return Ok(Answerer::Application) };
        let site = site.get();
        if site.has_middleware && !slf.call_method1(intern!(py, "passes"), (head.clone(),))?.is_truthy()? {
            return Ok(Answerer::Application);
        }
        // A convertor that raises is the application's own way's to report.
        Ok(match site.table.get().find_head_lazily(py, head).ok().flatten() {
            Some((target, params)) => Answerer::Route { target: target.unbind(), params, content: Content::Empty },
            None => Answerer::Application,
        })
    }

    /// Serves a request that has come whole.
    fn start_whole(slf: &Bound<'_, Self>, head: RequestHead, content: Content) -> PyResult<()> {
        let py = slf.py();
        let answerer = match Self::answerer(slf, &head)? {
            Answerer::Route { target, params, .. } => Answerer::Route { target, params, content },
            other => {
                if let Content::Whole(content) = content {
                    slf.get().reading.change(py, |reading| reading.put_body(content.as_bytes(py)));
                }
                other
            }
        };
        Self::start(slf, head, answerer)
    }

    /// Serves a request in a task of its own; its response may be complete when this is back.
    fn start(slf: &Bound<'_, Self>, head: RequestHead, answerer: Answerer) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        let in_flight = Bound::new(py, InFlightRequest::new(slf.clone().unbind(), head, is(&this.flags.is_last)))?;
        if matches!(answerer, Answerer::Route { .. }) {
            in_flight.get().note_body_taken();
        }
        this.idle_since.set(None);
        drop(this.in_flight.replace(py, Some(in_flight.clone().unbind())));
        let task = match answerer {
            Answerer::Route { target, params, content } => {
                let is_lost = matches!(content, Content::Lost);
                // A program that can't be made is the reference path's to report.
                let program: Option<Py<Program>> =
                    if is_lost { None } else { program_of(target.bind(py)).ok().flatten().map(Bound::unbind) };
                let transport = HttpTransport { in_flight: in_flight.clone().unbind(), target, params, content };
                let serving = Bound::new(py, Serving::new(Machine::new(Transport::Http(transport), program)))?;
                if is_lost {
                    in_flight.get().lose(py)?;
                }
                server.tasks.make(py, serving.as_any())?
            }
            Answerer::Application => {
                let running = slf.call_method1(intern!(py, "call"), (in_flight.clone(),))?;
                server.tasks.make(py, &running)?
            }
            Answerer::Nobody => {
                let running = slf.call_method1(intern!(py, "turn_away"), (in_flight.clone(),))?;
                server.tasks.make(py, &running)?
            }
        };
        if in_flight.get().begin(&task) {
            server.tasks.note(&task)?;
        }
        Ok(())
    }

    /// The task of a request is over.
    pub(crate) fn forget(&self, py: Python<'_>, in_flight: &Py<InFlightRequest>) -> PyResult<()> {
        in_flight.get().end(py).map_or(Ok(()), |task| self.server.get().tasks.forget(task.bind(py)))
    }

    /// Whether the protocol has to send the responses.
    pub(crate) fn has_middleware(&self, py: Python<'_>) -> bool {
        self.server.get().site(py).is_none_or(|site| site.get().has_middleware)
    }

    /// The exception handlers, by class and by status.
    pub(crate) fn handlers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.known_site(py)?.get().handlers.bind(py).clone())
    }

    /// Whether the router has limits for forms that its routes don't know.
    pub(crate) fn limits_forms(&self, py: Python<'_>) -> PyResult<bool> {
        self.known_site(py)?.get().router.bind(py).getattr(intern!(py, "form_limits"))?.is_truthy()
    }

    fn known_site<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Site>> {
        self.server.get().site(py).ok_or_else(|| PyRuntimeError::new_err("there is no application"))
    }
}

// What goes out, and the end
impl Connection {
    /// Whether the client reads too slowly for anything more to be written.
    pub(crate) fn is_paused(&self) -> bool {
        is(&self.flags.is_paused)
    }

    /// Both addresses and the scheme.
    pub(super) fn ends<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let ends = self.ends.get(py).map(|ends| ends.into_bound(py));
        ends.ok_or_else(|| PyRuntimeError::new_err("there is no transport"))
    }

    /// A copy of what the lifespan has left.
    pub(super) fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.app_state.bind(py).cast::<PyDict>() {
            Ok(state) => Ok(state.copy()?.into_any()),
            Err(_) => self.app_state.bind(py).call_method0(intern!(py, "copy")),
        }
    }

    /// What is known of the server.
    pub(super) fn known(&self) -> &Server {
        self.server.get()
    }

    /// Writes to the client.
    pub(super) fn write_bytes(&self, py: Python<'_>, bytes: &Bound<'_, PyBytes>) -> PyResult<()> {
        let (Some(transport), Some(write)) = (self.transport.get(py), self.write.get(py)) else { return Ok(()) };
        unless_closed(transport.bind(py), write.bind(py).call1((bytes,)))
    }

    /// Closes the connection when all is written.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        transport.bind(py).call_method0(intern!(py, "close")).map(drop)
    }

    fn is_closing(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(transport) = self.transport.get(py) else { return Ok(true) };
        transport.bind(py).call_method0(intern!(py, "is_closing"))?.is_truthy()
    }

    /// Whether it is encrypted: then the client can't close its side alone.
    fn is_secure(&self, py: Python<'_>) -> PyResult<bool> {
        self.ends(py)?.get_item(2)?.eq(intern!(py, "https"))
    }

    /// The response to the request in flight is complete; `keep_alive` tells whether another request may come.
    pub(super) fn complete(slf: &Bound<'_, Self>, keep_alive: bool) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        drop(this.in_flight.take(py));
        this.reading.change(py, |reading| reading.answered(keep_alive));
        this.server.get().count(py)?;
        if !keep_alive || is(&this.flags.is_lost) {
            return Ok(());
        }
        if this.reading.see(py, Reading::has_held) {
            return this.resume_soon(slf);
        }
        this.resume_reading(py)?;
        if is(&this.flags.has_ended) { this.close(py) } else { this.rest(slf) }
    }

    /// Takes up what is held on the event loop's next turn, unless that is going to happen.
    fn resume_soon(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        if is(&self.flags.is_resuming) {
            return Ok(());
        }
        set(&self.flags.is_resuming, true);
        self.server.get().call_soon(&slf.getattr(intern!(py, "resume"))?)
    }

    /// Notes that the connection is idle, if nobody has a request of it, or is going to have one.
    fn rest_if_idle(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let flags = &this.flags;
        let is_busy = this.in_flight.see(py, Option::is_some)
            || this.collecting.see(py, Option::is_some)
            || is(&flags.is_resuming)
            || is(&flags.is_lost);
        if is_busy {
            return Ok(());
        }
        if is(&flags.is_last) || is(&flags.has_ended) { this.close(py) } else { this.rest(slf) }
    }

    /// The connection is idle from now on; the timer may end it.
    fn rest(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let server = self.server.get();
        self.idle_since.set(Some(server.now(py)?));
        if self.timer.see(py, Option::is_some) { Ok(()) } else { self.start_timer(slf, server.keep_alive) }
    }

    fn start_timer(&self, slf: &Bound<'_, Self>, delay: f64) -> PyResult<()> {
        let py = slf.py();
        let timer = self.server.get().call_later(delay, &slf.getattr(intern!(py, "on_timer"))?)?;
        drop(self.timer.replace(py, Some(timer.unbind())));
        Ok(())
    }

    /// The transport is lost, or another protocol's: nothing of it reaches this one any more.
    fn leave(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        set(&self.flags.is_lost, true);
        self.idle_since.set(None);
        if let Some(timer) = self.timer.take(py) {
            timer.bind(py).call_method0(intern!(py, "cancel"))?;
        }
        self.server.get().connections(py).call_method1(intern!(py, "discard"), (slf,)).map(drop)
    }
}
