//! The ASGI transport: a scope comes in, and messages go out.

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use smallvec::SmallVec;

use super::entrance::Entrance;
use super::layers::{Delivery, Rest, deliver};
use super::program::Program;
use super::reply::Body;
use super::sink::Sink;
use super::transport::Headers;
use super::uvicorn::Heard;
use crate::http1;
use crate::routing::Found;

/// A request that has come by ASGI.
pub(crate) struct AsgiTransport {
    entrance: Py<Entrance>,
    /// The entrances of the applications around, the outermost first.
    outer: SmallVec<[Py<Entrance>; 1]>,
    scope: Py<PyDict>,
    receive: Py<PyAny>,
    send: Py<PyAny>,
    /// The body, once it was read.
    content: Option<Py<PyBytes>>,
}

/// Who serves a request.
pub(super) enum Arrived<'py> {
    /// A program.
    At(Py<Program>),
    /// Nobody: this is the answer; its headers are pairs, or a content type alone.
    Answered { status: u16, headers: Bound<'py, PyAny>, body: Bound<'py, PyBytes> },
    /// Python: `function(exchange, *arguments)`.
    Elsewhere { function: Bound<'py, PyAny>, arguments: Bound<'py, PyTuple> },
}

/// How it is heard that the client of a request has left.
pub(super) enum Ears {
    /// A request of ferrapi's own protocol says so.
    Own(Py<http1::InFlightRequest>),
    /// This `receive` of uvicorn's says so, which needs no task.
    Uvicorn(Py<PyAny>),
    /// Any other `receive` does.
    Receive(Py<PyAny>),
    /// `send` raises `OSError` (ASGI 2.4).
    Sending,
}

impl Ears {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Own(cycle) => visit.call(cycle),
            Self::Uvicorn(receive) | Self::Receive(receive) => visit.call(receive),
            Self::Sending => Ok(()),
        }
    }
}

/// Status, headers and body of the answer to a request that no route is for.
type UnmatchedAnswer<'py> = (u16, Bound<'py, PyAny>, Bound<'py, PyBytes>);

impl AsgiTransport {
    /// What has come to an entrance.
    pub(super) fn new(entrance: Py<Entrance>, scope: Py<PyDict>, receive: Py<PyAny>, send: Py<PyAny>) -> Self {
        Self { entrance, outer: SmallVec::new(), scope, receive, send, content: None }
    }

    pub(super) fn layer<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.entrance.bind(py).get().layer.bind(py).clone()
    }

    pub(super) fn handlers<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.entrance.bind(py).get().handlers.bind(py).clone()
    }

    pub(super) fn scope<'s, 'py>(&'s self, py: Python<'py>) -> &'s Bound<'py, PyDict> {
        self.scope.bind(py)
    }

    pub(super) fn exchange<'py>(&self, py: Python<'py>, layer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let exchange = layer.call_method1(intern!(py, "exchange"), (&self.scope, &self.receive, &self.send))?;
        if let Some(content) = &self.content {
            exchange.setattr(intern!(py, "raw"), content)?;
        }
        if !self.outer.is_empty() {
            let outer = self.outer.iter().rev().map(|entrance| entrance.get());
            let around = PyList::new(
                py,
                outer.map(|outer| (outer.layer.bind(py), outer.handlers.bind(py))).collect::<Vec<_>>(),
            )?;
            exchange.setattr(intern!(py, "around"), around)?;
        }
        Ok(exchange)
    }

    /// Finds out who serves the request, and notes in the scope what routers and mounted applications note there.
    pub(super) fn arrive<'py>(&mut self, py: Python<'py>) -> PyResult<Arrived<'py>> {
        loop {
            let (arrived, app) = self.arrive_at_router(py)?;
            if let Some(app) = app
                && let Some((child, root_path)) = self.entrance.get().child(&app)?
            {
                let scope = self.scope.bind(py);
                if !root_path.is_empty()? {
                    scope.set_item(intern!(py, "root_path"), root_path)?;
                }
                scope.set_item(intern!(py, "app"), app)?;
                self.outer.push(std::mem::replace(&mut self.entrance, child.unbind()));
                continue;
            }
            return Ok(arrived);
        }
    }

    /// The same, for the router of one application; and the application that is mounted there, if one is.
    fn arrive_at_router<'py>(&self, py: Python<'py>) -> PyResult<(Arrived<'py>, Option<Bound<'py, PyAny>>)> {
        let entrance = self.entrance.bind(py).get();
        let scope = self.scope.bind(py);
        let router = entrance.router.bind(py);
        let has_limits = !router.getattr(intern!(py, "max_body_size"))?.is_none()
            || router.getattr(intern!(py, "form_limits"))?.is_truthy()?;
        if has_limits {
            let function = entrance.layer.bind(py).getattr(intern!(py, "dispatch"))?;
            return Ok((Arrived::Elsewhere { function, arguments: PyTuple::empty(py) }, None));
        }
        let key = intern!(py, "router");
        if !scope.contains(key)? {
            scope.set_item(key, router)?;
        }
        scope.set_item(intern!(py, "starlette.exception_handlers"), &entrance.handlers)?;
        let table = entrance.current_table(py)?;
        let Some(Found { target, full, mounted }) = table.get().find_in(scope)? else {
            let answer = router.call_method1(intern!(py, "_who_answers"), (scope, &entrance.handlers))?;
            if let Ok(program) = answer.cast::<Program>() {
                return Ok((Arrived::At(program.clone().unbind()), None));
            }
            if answer.is_instance_of::<PyTuple>() {
                let (status, headers, body) = answer.extract::<UnmatchedAnswer<'py>>()?;
                return Ok((Arrived::Answered { status, headers, body }, None));
            }
            return Ok((Arrived::Elsewhere { function: answer, arguments: PyTuple::empty(py) }, None));
        };
        let program = if full { program_of(&target)? } else { refusal_of(&target, entrance)? };
        if let Some(program) = program {
            if let Some(route) = &program.get().placed {
                place(scope, route.bind(py))?;
            }
            return Ok((Arrived::At(program.unbind()), None));
        }
        let function = target.getattr(intern!(py, "serve"))?;
        Ok((Arrived::Elsewhere { function, arguments: (full,).into_pyobject(py)? }, mounted))
    }

    /// Calls the receive callable, for the first message of the body.
    pub(super) fn receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // What arrives after the head stays out of the headers: see `Exchange.settle_headers`.
        let scope = self.scope.bind(py);
        if let Some(headers) = scope.get_item(intern!(py, "headers"))? {
            let copy = PyList::empty(py);
            for pair in headers.try_iter()? {
                copy.append(pair?)?;
            }
            scope.set_item(intern!(py, "headers"), copy)?;
        }
        self.receive.bind(py).call0()
    }

    /// The whole body, if it can be had without waiting.
    pub(super) fn receive_at_once<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let entrance = self.entrance.bind(py).get();
        entrance.cycles.receive(entrance.layer.bind(py), self.receive.bind(py))
    }

    /// The length of the body, if it has been received.
    pub(super) fn content_length(&self, py: Python<'_>) -> Option<usize> {
        self.content.as_ref().map(|content| content.bind(py).as_bytes().len())
    }

    /// Remembers the body, which has been received.
    pub(super) fn keep(&mut self, content: &Bound<'_, PyBytes>) {
        self.content = Some(content.clone().unbind());
    }

    /// The first header called `name`, as `take` has it.
    pub(super) fn header<T>(&self, py: Python<'_>, name: &[u8], take: impl FnOnce(&[u8]) -> T) -> PyResult<Option<T>> {
        let Some(headers) = self.scope.bind(py).get_item(intern!(py, "headers"))? else { return Ok(None) };
        for pair in headers.try_iter()? {
            let pair = pair?;
            let own = pair.get_item(0)?;
            if own.cast::<PyBytes>()?.as_bytes() == name {
                let value = pair.get_item(1)?;
                return Ok(Some(take(value.cast::<PyBytes>()?.as_bytes())));
            }
        }
        Ok(None)
    }

    /// Sends a whole response without messages, if that is possible.
    pub(super) fn send_at_once<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: &Body,
    ) -> PyResult<Delivery<'py>> {
        let entrance = self.entrance.bind(py).get();
        let server = (entrance.layer.bind(py), &entrance.cycles);
        deliver(Some(server), self.send.bind(py), status, headers, body.as_slice(py), Rest::Nothing)
    }

    /// How it is heard that the client has left; None if the scope doesn't say.
    pub(super) fn ears(&self, py: Python<'_>) -> PyResult<Option<Ears>> {
        let version = match self.scope.bind(py).get_item(intern!(py, "asgi"))? {
            Some(asgi) => match asgi.cast::<PyDict>() {
                Ok(asgi) => asgi.get_item(intern!(py, "spec_version"))?,
                Err(_) => return Ok(None),
            },
            None => None,
        };
        // ASGI, "HTTP & WebSocket format": 2.0 unless it says something else.
        let tells_by_sending = match version {
            None => false,
            Some(version) => {
                let Ok(version) = version.extract::<String>() else { return Ok(None) };
                let parts: Result<Vec<u32>, _> = version.split('.').map(str::parse).collect();
                let Ok(parts) = parts else { return Ok(None) };
                parts.as_slice() >= [2, 4].as_slice()
            }
        };
        if tells_by_sending {
            return Ok(Some(Ears::Sending));
        }
        let entrance = self.entrance.bind(py).get();
        let receive = self.receive.bind(py);
        Ok(Some(match entrance.cycles.heard_by(entrance.layer.bind(py), receive)? {
            Some(Heard::Own(cycle)) => Ears::Own(cycle.unbind()),
            Some(Heard::Uvicorn) => Ears::Uvicorn(receive.clone().unbind()),
            None => Ears::Receive(receive.clone().unbind()),
        }))
    }

    /// Begins a response whose body comes in pieces.
    pub(super) fn open<'py>(&self, py: Python<'py>, status: u16, headers: &Bound<'py, PyList>) -> PyResult<Sink> {
        let entrance = self.entrance.bind(py).get();
        Sink::of(Some((entrance.layer.bind(py), &entrance.cycles)), self.send.bind(py), status, headers)
    }

    /// Sends the message that begins a response with a body of `length` bytes.
    pub(super) fn send_head<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        length: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let message = PyDict::new(py);
        message.set_item(intern!(py, "type"), intern!(py, "http.response.start"))?;
        message.set_item(intern!(py, "status"), status)?;
        message.set_item(intern!(py, "headers"), headers.pairs(py, length)?)?;
        self.send.bind(py).call1((message,))
    }

    /// Sends the message that ends a response.
    pub(super) fn send_body<'py>(&self, py: Python<'py>, body: Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
        let message = PyDict::new(py);
        message.set_item(intern!(py, "type"), intern!(py, "http.response.body"))?;
        message.set_item(intern!(py, "body"), body)?;
        self.send.bind(py).call1((message,))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.entrance)?;
        self.outer.iter().try_for_each(|entrance| visit.call(entrance))?;
        visit.call(&self.scope)?;
        visit.call(&self.receive)?;
        visit.call(&self.send)
    }
}

/// The program of a target, made at the first request to it; None if Python has to serve it.
pub(crate) fn program_of<'py>(target: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Program>>> {
    let py = target.py();
    let mut program = target.getattr(intern!(py, "program"))?;
    if program.is_none() {
        program = target.call_method0(intern!(py, "find_program"))?;
    }
    Ok(program.cast_into::<Program>().ok())
}

/// The program that refuses requests to a target whose method is none of its own; None if Python has to.
fn refusal_of<'py>(target: &Bound<'py, PyAny>, entrance: &Entrance) -> PyResult<Option<Bound<'py, Program>>> {
    Ok(target.call_method1(intern!(target.py(), "refusal"), (&entrance.handlers,))?.cast_into::<Program>().ok())
}

/// Notes the effective route of a request to an included router, as `Exchange.place` does.
fn place<'py>(scope: &Bound<'py, PyDict>, route: &Bound<'py, PyAny>) -> PyResult<()> {
    let py = scope.py();
    let key = intern!(py, "fastapi");
    let noted = match scope.get_item(key)? {
        Some(outer) if outer.is_truthy()? => outer.cast::<PyDict>()?.copy()?,
        _ => PyDict::new(py),
    };
    noted.set_item(intern!(py, "included_router"), route.getattr(intern!(py, "included"))?)?;
    noted.set_item(intern!(py, "effective_route_context"), route)?;
    scope.set_item(key, noted)
}

/// The body of a request or a response, if `message` is of that kind and holds all of it.
pub(super) fn whole_body<'py>(
    message: &Bound<'py, PyAny>,
    kind: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let py = message.py();
    let Ok(message) = message.cast::<PyDict>() else { return Ok(None) };
    let is_body = match message.get_item(intern!(py, "type"))? {
        Some(own) => own.eq(kind)?,
        None => false,
    };
    let has_more = match message.get_item(intern!(py, "more_body"))? {
        Some(more) => more.is_truthy()?,
        None => false,
    };
    if !is_body || has_more {
        return Ok(None);
    }
    Ok(match message.get_item(intern!(py, "body"))? {
        Some(body) => body.cast_into::<PyBytes>().ok(),
        None => Some(PyBytes::new(py, b"")),
    })
}
