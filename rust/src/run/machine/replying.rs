//! From the endpoint's result to the response, and what ends after it.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::{Machine, Next, Stage};
use crate::py;
use crate::run::door::{Door, Headers};
use crate::run::program::Program;
use crate::run::reply::{self, Made};

impl Machine {
    pub(super) fn reply<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        let reference = program.reference.bind(py);
        if self.exchange.is_none() {
            match reply::make(&program.reply, result)? {
                Made::Body(body) => {
                    return self.send(py, program.status, &Headers::ContentType(&program.content_type), body);
                }
                Made::Invalid(error) => {
                    let invalid = reference.call_method1(intern!(py, "refuse_result"), (result, error))?;
                    return Err(PyErr::from_value(invalid));
                }
                Made::Other => {}
            }
        }
        let exchange = self.exchange(py)?;
        let pending = reference.call_method1(intern!(py, "reply"), (exchange, result))?;
        self.wait_or_go_on(py, pending)
    }

    /// Sends a whole response.
    pub(super) fn send<'py>(
        &mut self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: reply::Body<'py>,
    ) -> PyResult<Next<'py>> {
        self.started = true;
        match &self.door {
            Door::Http(door) if !door.connection().has_middleware(py) => {
                door.send(py, status, headers, &body)?;
                self.after_reply(py)
            }
            Door::Http(_) => {
                let exchange = self.exchange(py)?;
                let arguments = (status, headers.argument(py), body.into_bytes(py));
                let pending = exchange.call_method1(intern!(py, "send_body"), arguments)?;
                self.wait_or_go_on(py, pending)
            }
            Door::Asgi(door) => {
                if door.send_at_once(py, status, headers, &body)? {
                    return self.after_reply(py);
                }
                let body = body.into_bytes(py);
                let pending = door.send_head(py, status, headers, body.as_bytes().len())?;
                self.unsent = Some(body.unbind());
                self.wait(py, Stage::Head, pending)
            }
        }
    }

    /// Sends the body of a response whose head has been sent.
    pub(super) fn send_rest<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let (Door::Asgi(door), Some(body)) = (&self.door, self.unsent.take()) else { return Ok(Next::Done) };
        let pending = door.send_body(py, body.into_bound(py))?;
        self.wait(py, Stage::Sent, pending)
    }

    /// Waits for `pending`, or goes on if it is None.
    pub(super) fn wait_or_go_on<'py>(&mut self, py: Python<'py>, pending: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        if pending.is_none() { self.after_reply(py) } else { self.wait(py, Stage::Sent, pending) }
    }

    /// The response is sent: what is open ends now.
    pub(super) fn after_reply<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        self.replied = true;
        self.close_next(py)
    }

    /// Leaves the context that was entered last.
    pub(super) fn close_next<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let Some(open) = self.open.pop() else { return self.end(py) };
        let context = open.bind(py);
        let leaving = if py::is_async_generator(context) {
            context.call_method0(intern!(py, "__anext__"))?
        } else {
            context.call_method1(intern!(py, "__aexit__"), (py.None(), py.None(), py.None()))?
        };
        self.open.push(open); // until that is over
        self.stage = Stage::Closing;
        Ok(Next::Await(leaving))
    }

    /// Ends a generator that has yielded twice; the coroutine raises.
    pub(super) fn stop<'py>(&mut self, py: Python<'py>, generator: Py<PyAny>) -> PyResult<Next<'py>> {
        let stopping = self.reference(py)?.call_method1(intern!(py, "stop"), (generator,))?;
        self.wait(py, Stage::Stopping, stopping)
    }

    /// The request is over, unless Python has not answered it.
    pub(super) fn end<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        match &self.door {
            Door::Http(door) if door.cycle.get().is_unanswered() => {
                let nothing = self.door.layer(py)?.getattr(intern!(py, "do_nothing"))?;
                self.delegate(py, &nothing, PyTuple::empty(py))
            }
            _ => Ok(Next::Done),
        }
    }
}
