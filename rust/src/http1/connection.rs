//! `Connection`: a connection as `asyncio.Protocol` has it, between the transport, the state machine of `wire::http1`, and the
//! requests in flight.
//!
//! Most reads hold one whole request, which is served by a task of its own with no more than its coroutine made for it. All other
//! bytes are held until the machine makes something of them. One request is in flight at a time; bytes behind it are taken up on
//! the event loop's next turn after its response: not from the handler's task, whose context variables are its own.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::answering::{Answerer, Collecting};
use super::arriving::HIGH_WATER;
use super::in_flight::InFlightRequest;
use super::reading::Reading;
use super::request_head::RequestHead;
use super::response::unless_closed;
use super::server::Server;
use super::timing::{Awaited, Timing};
use super::waiters::Waiters;
use crate::py::Attached;
use crate::run::Content;

/// A connection: the base of `ferrapi.server.HttpProtocol`, which has what is done in Python.
///
/// Each call of Python may come back here.
#[pyclass(frozen, subclass, module = "ferrapi._native", name = "HttpConnection")]
pub(crate) struct Connection {
    pub(super) server: Py<Server>,
    /// What the lifespan has left.
    pub(super) app_state: Py<PyAny>,
    pub(super) reading: Attached<Reading>,
    /// The request in flight.
    pub(super) in_flight: Attached<Option<Py<InFlightRequest>>>,
    /// A request for a route whose body is on its way.
    pub(super) collecting: Attached<Option<Collecting>>,
    pub(super) transport: Attached<Option<Py<PyAny>>>,
    /// The transport's `write`, which each request needs.
    pub(super) write: Attached<Option<Py<PyAny>>>,
    /// The addresses of both ends, and the scheme.
    pub(super) ends: Attached<Option<Py<PyTuple>>>,
    /// Who waits until the client has read more.
    pub(super) drains: Waiters,
    pub(super) flags: Flags,
    pub(super) timing: Timing,
}

/// What is true of a connection.
#[derive(Default)]
pub(super) struct Flags {
    /// The client reads too slowly for anything more to be written.
    pub(super) is_paused: AtomicBool,
    /// Nothing is read until somebody takes what has come.
    pub(super) is_reading_paused: AtomicBool,
    /// What is held is taken up on the event loop's next turn.
    pub(super) is_resuming: AtomicBool,
    /// The client sends nothing more.
    pub(super) has_ended: AtomicBool,
    /// The connection closes behind the current request.
    pub(super) is_last: AtomicBool,
    /// There is no connection any more, or another protocol has it.
    pub(super) is_lost: AtomicBool,
    /// Whether the application has to be called in the ASGI way, as a look at it has shown.
    pub(super) is_foreign: AtomicBool,
}

pub(super) fn is(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

pub(super) fn set(flag: &AtomicBool, value: bool) {
    flag.store(value, Ordering::Relaxed);
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
        let reading = Reading::new(server.get().limits);
        Self {
            server,
            app_state,
            reading: Attached::new(reading),
            in_flight: Attached::default(),
            collecting: Attached::new(None),
            transport: Attached::default(),
            write: Attached::default(),
            ends: Attached::default(),
            drains: Waiters::default(),
            flags: Flags::default(),
            timing: Timing::default(),
        }
    }

    /// What is known of the server.
    #[getter]
    pub(super) fn server(&self, py: Python<'_>) -> Py<Server> {
        self.server.clone_ref(py)
    }

    /// Whether bytes that are held are going to be taken up.
    #[getter]
    fn is_resuming(&self) -> bool {
        is(&self.flags.is_resuming)
    }

    /// The timer, if the connection is idle.
    #[getter]
    fn timeout_keep_alive_task(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.timing.idle_timer(py)
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
        this.server.get().connections(py).call_method1(intern!(py, "add"), (slf,))?;
        Self::watch(slf)
    }

    /// Take bytes of the connection.
    fn data_received(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if this.is_lingering() {
            return Self::wait_for(slf, Awaited::End);
        }
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
            return Self::go_on(slf, bytes.as_bytes());
        }
        let bytes = py.get_type::<PyBytes>().call1((data,))?.cast_into::<PyBytes>()?;
        Self::go_on(slf, bytes.as_bytes())
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
        if this.is_lingering() {
            return Ok(false);
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
        if this.in_flight.see(py, Option::is_some) {
            Ok(())
        } else if this.reading.see(py, Reading::has_held) {
            this.resume_soon(slf)
        } else {
            this.resume_reading(py)
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
            if in_flight.get().is_over() {
                drop(this.in_flight.take(py));
            }
        }
        set(&this.flags.is_paused, false); // nobody is going to read on
        this.drains.wake(py)?;
        if let Some(Collecting { head, destination }) = collecting {
            // The application may want to know that a client has left.
            Self::start(slf, head, Answerer::Route { destination, content: Content::Lost })?;
            if let Some(in_flight) = this.in_flight.get(py) {
                in_flight.get().lose(py)?;
            }
        }
        drop(this.write.take(py));
        Ok(())
    }

    /// Close the connection behind the last request that has come whole.
    fn shutdown(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        set(&this.flags.is_last, true);
        if this.is_lingering() {
            return Self::hurry(slf);
        }
        if let Some(in_flight) = this.in_flight.get(py) {
            if this.is_at_its_end(py) {
                in_flight.get().close_behind();
            }
            return Ok(());
        }
        // What a client has sent that doesn't read is taken up when it has read on.
        let waits = is(&this.flags.is_paused) && !this.is_at_its_end(py);
        if waits || this.has_request(py) || is(&this.flags.is_resuming) { Ok(()) } else { Self::end_idle(slf) }
    }

    /// Take up what is held.
    fn resume(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        set(&this.flags.is_resuming, false);
        if is(&this.flags.is_lost) || this.is_closing(py)? {
            return Ok(());
        }
        if this.is_at_its_end(py) && !this.has_request(py) {
            return Self::end_idle(slf);
        }
        this.resume_reading(py)?;
        Self::go_on(slf, &[])?;
        Self::rest_if_idle(slf)
    }

    /// Look whether the client has had enough time.
    fn on_timer(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::look_at_the_clock(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.server)?;
        visit.call(&self.app_state)?;
        self.in_flight.visit(&visit)?;
        self.collecting.traverse(&visit, |collecting, visit| match collecting {
            Some(collecting) => collecting.destination.traverse(visit),
            None => Ok(()),
        })?;
        self.transport.visit(&visit)?;
        self.write.visit(&visit)?;
        self.timing.traverse(&visit)?;
        self.ends.visit(&visit)?;
        self.drains.traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.in_flight.take(py));
        drop(self.collecting.replace(py, None));
        for object in [&self.transport, &self.write] {
            drop(object.take(py));
        }
        self.timing.clear(py);
        drop(self.ends.take(py));
        self.drains.clear(py);
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
        if is(&this.flags.has_ended) { this.close(py) } else { Self::wait_for(slf, Awaited::Request) }
    }

    /// Whether the server stops, and no whole request is held behind the one in flight. What has come of another one is dropped:
    /// its client sees that it has not been answered, and may send it again (RFC 9112, section 9.3.2).
    pub(super) fn is_at_its_end(&self, py: Python<'_>) -> bool {
        is(&self.flags.is_last) && !self.reading.see(py, Reading::has_request_behind)
    }

    /// Whether there is a request that is being answered, or is going to be when its body has come.
    pub(super) fn has_request(&self, py: Python<'_>) -> bool {
        self.in_flight.see(py, Option::is_some) || self.collecting.see(py, Option::is_some)
    }

    /// Ends a connection whose requests are all answered.
    fn end_idle(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.reading.change(py, |reading| {
            if reading.conversation.is_answered_early() {
                reading.answered(false);
            }
        });
        Self::part(slf, true)
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

    /// Notes that the connection is idle, if nobody has a request of it, or may be going to have one.
    fn rest_if_idle(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let flags = &this.flags;
        // What a client has sent that doesn't read is taken up when it has read on.
        let waits = is(&flags.is_paused) && this.reading.see(py, Reading::has_held);
        let is_away = is(&flags.is_lost) || this.is_lingering();
        if waits || is_away || is(&flags.is_resuming) || this.has_request(py) {
            return Ok(());
        }
        if is(&flags.is_last) || is(&flags.has_ended) {
            return this.close(py);
        }
        // A head or a body that is watched goes on being so.
        if matches!(this.timing.awaited(), Awaited::Head | Awaited::Body) {
            return Ok(());
        }
        Self::wait_for(slf, Awaited::Request)
    }

    /// The transport is lost, or another protocol's: nothing of it reaches this one any more.
    pub(super) fn leave(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        set(&self.flags.is_lost, true);
        self.timing.end(py)?;
        self.server.get().connections(py).call_method1(intern!(py, "discard"), (slf,)).map(drop)
    }
}
