//! `Dispatch`: the middleware's own part: its `dispatch_func`, the sending of what that returns, and the end of what is below.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::atomic::Ordering;

use super::Passage;
use super::arrival::Arrival;
use super::messages::Message;
use crate::py::{self, KeptError, Sent};
use crate::response::checks::describes_body;
use crate::run::layers::{Delivery, Flow, Rest, deliver, goes_unseen};
use crate::run::reply;
use crate::run::serving::awaited;
use crate::run::transport::Headers;

/// A coroutine that serves a request by a `BaseHTTPMiddleware`.
pub(super) struct Dispatch {
    passage: Py<Passage>,
    stage: Stage,
    awaiting: Option<Py<PyAny>>,
    arrival: Arrival,
    /// What the middleware has raised, while the applications below come to their end.
    error: Option<KeptError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    /// The middleware makes its response.
    Dispatching,
    /// The response is sent.
    Sending,
    /// What is to run behind the response runs.
    Background,
    /// The applications below go on to their end.
    Finishing,
    /// They are cancelled.
    Cancelling,
}

impl Dispatch {
    pub(super) fn new(passage: Py<Passage>) -> Self {
        Self { passage, stage: Stage::New, awaiting: None, arrival: Arrival::default(), error: None }
    }

    fn wait<'py>(&mut self, py: Python<'py>, stage: Stage, awaitable: Bound<'py, PyAny>) -> PyResult<()> {
        self.stage = stage;
        self.awaiting = Some(awaited(self.passage.bind(py).get().layer(py), awaitable)?.unbind());
        Ok(())
    }

    /// Calls the middleware's function.
    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let passage = self.passage.bind(py).clone();
        let function = passage.get().middleware.bind(py).getattr(intern!(py, "dispatch_func"))?;
        let call_next = passage.getattr(intern!(py, "call_next"))?;
        let dispatching = function.call1((&passage.get().request, call_next))?;
        self.wait(py, Stage::Dispatching, dispatching)
    }

    /// Sends the response of the middleware.
    fn send<'py>(&mut self, py: Python<'py>, response: &Bound<'py, PyAny>) -> PyResult<()> {
        let passage = self.passage.bind(py).clone();
        let this = passage.get();
        let is_from_below = this.has_untouched(response)?;
        let delivery = if is_from_below { this.send_whole(py, response)? } else { this.send_own(py, response)? };
        let sending = match delivery {
            Delivery::Sent => return self.after_sending(py, response),
            Delivery::Waits(sending) => {
                this.layer(py).call_method1(intern!(py, "then_background"), (sending, response))?
            }
            Delivery::Not if is_from_below => {
                this.passes_on.store(goes_unseen(this.send.bind(py))?, Ordering::Relaxed);
                this.layer(py).call_method1(intern!(py, "pass_on"), (&passage, response))?
            }
            Delivery::Not => {
                let receive = this.request.bind(py).getattr(intern!(py, "wrapped_receive"))?;
                response.call1((&this.scope, receive, &this.send))?
            }
        };
        self.wait(py, Stage::Sending, sending)
    }

    fn after_sending<'py>(&mut self, py: Python<'py>, response: &Bound<'py, PyAny>) -> PyResult<()> {
        let background = response.getattr(intern!(py, "background"))?;
        if background.is_none() || !background.is_truthy()? {
            return self.finish(py);
        }
        let running = background.call0()?;
        self.wait(py, Stage::Background, running)
    }

    /// Lets the applications below come to their end.
    fn finish(&mut self, py: Python<'_>) -> PyResult<()> {
        self.stage = Stage::Finishing;
        Passage::release(self.passage.bind(py))
    }

    /// The end: raises what an application below has raised, if nobody has seen it.
    fn end<'py>(&self, py: Python<'py>) -> PyResult<Sent<'py>> {
        let passage = self.passage.bind(py).get();
        let unseen = passage.error(py).filter(|_| !passage.error_raised.load(Ordering::Relaxed));
        let error = unseen.map(|error| PyErr::from_value(error.into_bound(py).into_any()));
        self.over(py, error)
    }

    /// Lets go of everything, and raises what is to be raised.
    fn over<'py>(&self, py: Python<'py>, error: Option<PyErr>) -> PyResult<Sent<'py>> {
        let passage = self.passage.bind(py).get();
        let error = passage.with_unhandled(py, error)?;
        passage.clear(py);
        error.map_or(Ok(Sent::Ended), Err)
    }

    /// Goes on by one step; answers whether there is something to wait for.
    fn step<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.stage == Stage::New {
            sent?;
            self.begin(py)?;
            return Ok(None);
        }
        if self.stage == Stage::Finishing {
            return self.arrival.until_end(self.passage.bind(py), sent);
        }
        let Some(awaiting) = self.awaiting.take() else { return sent.map(|_| None) };
        let value = match py::resume(awaiting.bind(py), sent)? {
            Sent::Yielded(waits) => {
                self.awaiting = Some(awaiting);
                return Ok(Some(waits));
            }
            Sent::Returned(value) => value,
            Sent::Ended => py.None().into_bound(py),
        };
        drop(awaiting);
        match self.stage {
            Stage::Dispatching => self.send(py, &value)?,
            Stage::Sending | Stage::Background => self.finish(py)?,
            Stage::New | Stage::Finishing | Stage::Cancelling => {}
        }
        Ok(None)
    }
}

impl Flow for Dispatch {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        loop {
            match py::guarded(|| self.step(py, sent)) {
                Ok(Some(waits)) => return Ok(Sent::Yielded(waits)),
                Ok(None) => {
                    if self.stage == Stage::Cancelling {
                        let error = self.error.take().map(|error| error.into_error_as_it_was(py));
                        return self.over(py, error);
                    }
                    if self.stage == Stage::Finishing && self.passage.bind(py).get().running() == 0 {
                        return self.end(py);
                    }
                }
                Err(error) => {
                    let passage = self.passage.bind(py).clone();
                    if self.stage == Stage::Cancelling || passage.get().running() == 0 {
                        return self.over(py, Some(error));
                    }
                    self.error = Some(KeptError::new(py, &error));
                    let tasks = passage.get().tasks(py)?;
                    let layer = passage.get().layer(py);
                    let ending = layer.call_method1(intern!(py, "end_tasks"), (tasks, &passage.get().around))?;
                    self.wait(py, Stage::Cancelling, ending)?;
                }
            }
            sent = Ok(py.None().into_bound(py));
        }
    }

    fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref().or(self.arrival.awaiting.as_ref())
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take().or_else(|| self.arrival.awaiting.take())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)?;
        visit.call(&self.awaiting)?;
        if let Some(error) = &self.error {
            error.traverse(visit)?;
        }
        visit.call(&self.arrival.awaiting)
    }
}

impl Passage {
    /// Sends a response from below, of which nobody has taken anything, if it is whole.
    fn send_whole<'py>(&self, py: Python<'py>, response: &Bound<'py, PyAny>) -> PyResult<Delivery<'py>> {
        if !response.getattr(intern!(py, "info"))?.is_none() {
            return Ok(Delivery::Not);
        }
        let body = self.state.see(py, |state| match state.messages.front() {
            Some(Message::Body(body)) => Some(body.clone_ref(py)),
            _ => None,
        });
        let headers = response.getattr(intern!(py, "raw_headers"))?.cast_into_exact::<PyList>();
        let status = response.getattr(intern!(py, "status_code"))?.extract::<u16>();
        let (Some(body), Ok(headers), Ok(status)) = (body, headers, status) else { return Ok(Delivery::Not) };
        let body = body.bind(py).as_bytes();
        let problem = crate::response::checks::response_head_problem(status.into_pyobject(py)?.as_any(), &headers)?;
        if problem.is_some() || !describes_body(status, &headers, body.len()) {
            return Ok(Delivery::Not);
        }
        let rest = if body.is_empty() { Rest::Nothing } else { Rest::Empty };
        let delivery = deliver(None, self.send.bind(py), status, &Headers::Pairs(headers), body, rest)?;
        if !matches!(delivery, Delivery::Not) {
            drop(self.state.change(py, |state| state.messages.pop_front()));
        }
        Ok(delivery)
    }

    /// Sends a response that the middleware has made itself without messages, unless its own `__call__` has to.
    fn send_own<'py>(&self, py: Python<'py>, response: &Bound<'py, PyAny>) -> PyResult<Delivery<'py>> {
        let call = self.layer(py).getattr(intern!(py, "response_call"))?;
        let Some(whole) = reply::whole(&call, response)? else { return Ok(Delivery::Not) };
        let (headers, body) = (Headers::Pairs(whole.headers.into_bound(py)), whole.body.bind(py).as_bytes());
        deliver(None, self.send.bind(py), whole.status, &headers, body, Rest::Nothing)
    }
}
