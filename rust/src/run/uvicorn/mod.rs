//! A whole response in one write, and a body without waiting, where the ASGI callables are those of uvicorn's cycle.
//!
//! uvicorn's `RequestResponseCycle` is what an application's `receive` and `send` belong to. Its `send` takes the response in two
//! messages and writes each of them; this does in one step what the two calls would come to, for the responses that the engine
//! makes itself, and for those that come in chunks (`chunks`). The cycle has to be of the very class, in a release that is known, with a `send` that nobody has replaced
//! (tracing tools do); everything else, and any cycle in another state than that of a fresh request, gets its messages.

mod chunks;
mod watch;

use std::sync::{Mutex, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString};

pub(super) use self::chunks::{Begun, Chunks, begin_own};
pub(super) use self::watch::{Heard, Watch};
use wire::http1::response::is_bodiless;

use super::transport::Headers;
use crate::access_log::{AccessLog, log_scope};
use crate::http1::{self, Opening, Response, unless_closed};
use crate::py::{Attached, attribute};
use crate::response::checks::{is_framing, pair_of_bytes};

/// What is known of the class of cycles that requests come from.
#[derive(Default)]
pub(super) struct UvicornCycles {
    known: Mutex<Option<Known>>,
    opening: Mutex<Opening>,
    log: Attached<Option<Py<AccessLog>>>,
}

/// An answer of Python's: whether cycles of a class are known.
struct Known {
    class: Py<PyAny>,
    /// Status lines by status, and the functions `send` and `receive`; None for a class that is not known.
    parts: Option<Parts>,
}

/// The same, as Python says it.
type Found<'py> = (Bound<'py, PyDict>, Bound<'py, PyAny>, Bound<'py, PyAny>);

struct Parts {
    status_lines: Py<PyDict>,
    send: Py<PyAny>,
    receive: Py<PyAny>,
}

impl Clone for Parts {
    fn clone(&self) -> Self {
        Python::attach(|py| Self {
            status_lines: self.status_lines.clone_ref(py),
            send: self.send.clone_ref(py),
            receive: self.receive.clone_ref(py),
        })
    }
}

/// A cycle of the class that is known, whose `send` or `receive` is its own.
struct UvicornCycle<'py> {
    object: Bound<'py, PyAny>,
    attributes: Bound<'py, PyDict>,
    status_lines: Bound<'py, PyDict>,
}

/// Whose `send` or `receive` a callable is.
enum Owner<'py> {
    Uvicorn(UvicornCycle<'py>),
    /// A request of ferrapi's own protocol.
    Own(Bound<'py, http1::InFlightRequest>),
}

impl UvicornCycles {
    /// Sends a whole response; answers whether it could.
    pub(super) fn send<'py>(
        &self,
        layer: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: &[u8],
    ) -> PyResult<bool> {
        let py = send.py();
        let cycle = match self.owner(layer, send, |parts| &parts.send)? {
            None => return Ok(false),
            Some(Owner::Own(request)) => return send_own(&request, status, headers, body),
            Some(Owner::Uvicorn(cycle)) => cycle,
        };
        if is_bodiless(status.into()) || !cycle.is_fresh()? {
            return Ok(false);
        }
        let scope = cycle.get(intern!(py, "scope"))?;
        let without_body = scope.get_item(intern!(py, "method"))?.eq(intern!(py, "HEAD"))?;
        let keep_alive = cycle.get(intern!(py, "keep_alive"))?.is_truthy()?;
        let defaults = cycle.get(intern!(py, "default_headers"))?.cast_into::<PyList>()?;
        let response = Response { status, headers, body, keep_alive, without_body };
        let bytes = {
            let mut known = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(opening) = known.of(status, &cycle.status_lines, &defaults)? else { return Ok(false) };
            response.write(py, opening)?
        };
        if cycle.get(intern!(py, "access_log"))?.is_truthy()? {
            self.log(layer, &cycle, &scope, status)?;
        }
        cycle.write(&bytes, keep_alive)?;
        Ok(true)
    }

    /// Writes the line of the access log for a response.
    fn log<'py>(
        &self,
        layer: &Bound<'py, PyAny>,
        cycle: &UvicornCycle<'py>,
        scope: &Bound<'py, PyAny>,
        status: u16,
    ) -> PyResult<()> {
        let py = scope.py();
        let logger = cycle.get(intern!(py, "access_logger"))?;
        let known = self.log.get(py).filter(|log| log.get().logger().is(&logger));
        let log = match known {
            Some(log) => log.into_bound(py),
            None => {
                let log = layer.call_method1(intern!(py, "access_log"), (logger,))?.cast_into::<AccessLog>()?;
                drop(self.log.replace(py, Some(log.clone().unbind())));
                log
            }
        };
        log_scope(&log, scope.cast::<PyDict>()?, status)
    }

    /// Shows the garbage collector what this holds.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.log.visit(visit)?;
        // A thread that has locked one of these is at work on it, so that whatever is in it is in use.
        if let Ok(known) = self.known.try_lock()
            && let Some(known) = known.as_ref()
        {
            visit.call(&known.class)?;
            if let Some(parts) = &known.parts {
                visit.call(&parts.status_lines)?;
                visit.call(&parts.send)?;
                visit.call(&parts.receive)?;
            }
        }
        match self.opening.try_lock() {
            Ok(opening) => opening.traverse(visit),
            Err(_) => Ok(()),
        }
    }

    /// Whether `send` is a server's own.
    pub(super) fn knows<'py>(&self, layer: &Bound<'py, PyAny>, send: &Bound<'py, PyAny>) -> PyResult<bool> {
        Ok(self.owner(layer, send, |parts| &parts.send)?.is_some())
    }

    /// Whether a whole response would be sent by `send`, which is a method of uvicorn's. ferrapi's own protocol puts the pieces
    /// of a response together itself.
    pub(super) fn takes_whole<'py>(&self, layer: &Bound<'py, PyAny>, send: &Bound<'py, PyAny>) -> PyResult<bool> {
        match self.owner(layer, send, |parts| &parts.send)? {
            Some(Owner::Uvicorn(cycle)) => cycle.is_fresh(),
            Some(Owner::Own(_)) | None => Ok(false),
        }
    }

    /// The whole body of a request, if it has come.
    pub(super) fn receive<'py>(
        &self,
        layer: &Bound<'py, PyAny>,
        receive: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        match self.owner(layer, receive, |parts| &parts.receive)? {
            Some(Owner::Uvicorn(cycle)) => cycle.take_body(),
            Some(Owner::Own(cycle)) => cycle.get().body_at_once(cycle.py()),
            None => Ok(None),
        }
    }

    /// What `method` is of, if it is a known one's own.
    fn owner<'py>(
        &self,
        layer: &Bound<'py, PyAny>,
        method: &Bound<'py, PyAny>,
        own: impl Fn(&Parts) -> &Py<PyAny>,
    ) -> PyResult<Option<Owner<'py>>> {
        let py = method.py();
        if let Some(request) = own_request(method)? {
            return Ok(Some(Owner::Own(request)));
        }
        let Some(object) = attribute(method, intern!(py, "__self__"))? else { return Ok(None) };
        let class = object.get_type().into_any();
        let Some(parts) = self.parts(layer, &class)? else { return Ok(None) };
        let function = attribute(method, intern!(py, "__func__"))?;
        if !function.is_some_and(|function| function.is(own(&parts))) {
            return Ok(None);
        }
        let attributes = object.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        Ok(Some(Owner::Uvicorn(UvicornCycle { object, attributes, status_lines: parts.status_lines.into_bound(py) })))
    }

    /// What is known of a class; asks Python at the first request of a server's.
    fn parts<'py>(&self, layer: &Bound<'py, PyAny>, class: &Bound<'py, PyAny>) -> PyResult<Option<Parts>> {
        let py = class.py();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.as_ref().filter(|known| known.class.is(class)) {
                return Ok(known.parts.clone());
            }
        }
        let found: Option<Found<'py>> = layer.call_method1(intern!(py, "parts_of_cycle"), (class,))?.extract()?;
        let parts = found.map(|(status_lines, send, receive)| Parts {
            status_lines: status_lines.unbind(),
            send: send.unbind(),
            receive: receive.unbind(),
        });
        let known = Known { class: class.clone().unbind(), parts: parts.clone() };
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = Opening::default(); // it had that class's lines
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).replace(known);
        drop(before); // no lock is held: freeing a class may run code
        Ok(parts)
    }
}

/// The request of ferrapi's own protocol that a callable is a method of, if it is. Nobody can replace the methods of a native class.
pub(super) fn own_request<'py>(method: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, http1::InFlightRequest>>> {
    let object = attribute(method, intern!(method.py(), "__self__"))?;
    Ok(object.and_then(|object| object.cast_into().ok()))
}

/// Sends a whole response to a request of ferrapi's own protocol, unless one has begun; answers whether it could.
pub(super) fn send_own<'py>(
    request: &Bound<'py, http1::InFlightRequest>,
    status: u16,
    headers: &Headers<'_, 'py>,
    body: &[u8],
) -> PyResult<bool> {
    let py = request.py();
    let request = request.get();
    if request.has_started(py) || !request.is_unanswered() || request.connection().is_paused() {
        return Ok(false);
    }
    if is_bodiless(status.into()) && !(status >= 200 && body.is_empty() && says_no_framing(headers)) {
        return Ok(false);
    }
    request.write(py, status, headers, body)?;
    Ok(true)
}

/// Whether there is nothing about a body in these headers.
fn says_no_framing(headers: &Headers<'_, '_>) -> bool {
    match headers {
        Headers::ContentType(_) => false,
        Headers::Pairs(pairs) => pairs.iter().all(|pair| is_unframed(&pair)),
    }
}

/// Whether a header is a pair of bytes, and says nothing of a body.
fn is_unframed(pair: &Bound<'_, PyAny>) -> bool {
    pair_of_bytes(pair).is_some_and(|(name, _)| !is_framing(name.as_bytes()))
}

impl<'py> UvicornCycle<'py> {
    fn get(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        match self.attributes.get_item(name)? {
            Some(value) => Ok(value),
            None => self.object.getattr(name),
        }
    }

    fn is_set(&self, name: &Bound<'py, PyString>) -> PyResult<bool> {
        self.get(name)?.is_truthy()
    }

    /// Whether the response is all that there is to do.
    fn is_fresh(&self) -> PyResult<bool> {
        let py = self.object.py();
        let is_busy = self.is_set(intern!(py, "response_started"))?
            || self.is_set(intern!(py, "disconnected"))?
            || self.is_set(intern!(py, "waiting_for_100_continue"))?
            || self.get(intern!(py, "flow"))?.getattr(intern!(py, "write_paused"))?.is_truthy()?;
        Ok(!is_busy)
    }

    /// Writes a response, after which the cycle is over.
    fn write(&self, bytes: &Bound<'py, PyBytes>, keep_alive: bool) -> PyResult<()> {
        let py = self.object.py();
        self.attributes.set_item(intern!(py, "response_started"), true)?;
        let transport = self.get(intern!(py, "transport"))?;
        unless_closed(&transport, transport.call_method1(intern!(py, "write"), (bytes,)))?;
        self.finish(keep_alive)
    }

    /// The whole response has been written: the cycle is over.
    fn finish(&self, keep_alive: bool) -> PyResult<()> {
        let py = self.object.py();
        self.attributes.set_item(intern!(py, "response_complete"), true)?;
        self.get(intern!(py, "message_event"))?.call_method0(intern!(py, "set"))?;
        if !keep_alive {
            self.get(intern!(py, "transport"))?.call_method0(intern!(py, "close"))?;
        }
        self.get(intern!(py, "on_response"))?.call0()?;
        Ok(())
    }

    /// The body, if all of it has come and nothing of it was taken.
    fn take_body(&self) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let py = self.object.py();
        let is_unusual = self.is_set(intern!(py, "more_body"))?
            || self.is_set(intern!(py, "disconnected"))?
            || self.is_set(intern!(py, "response_complete"))?
            || self.is_set(intern!(py, "waiting_for_100_continue"))?;
        if is_unusual {
            return Ok(None);
        }
        let body = self.get(intern!(py, "body"))?.cast_into::<PyByteArray>()?;
        let content = PyBytes::new(py, &body.to_vec());
        self.get(intern!(py, "flow"))?.call_method0(intern!(py, "resume_reading"))?;
        self.get(intern!(py, "message_event"))?.call_method0(intern!(py, "clear"))?;
        self.attributes.set_item(intern!(py, "body"), PyByteArray::new(py, &[]))?;
        Ok(Some(content))
    }
}
