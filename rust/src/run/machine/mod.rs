//! `Machine`: one request on its way through its program, from one wait to the next.

mod contexts;
mod events;
mod failing;
mod python;
mod reading;
mod replying;
mod running;
mod solving;
mod stacks;
mod stream;
mod streaming;
mod threads;
mod tracing;
mod values;

use pyo3::PyTraverseError;
use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration};
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use smallvec::SmallVec;

use self::replying::Ready;
use self::stacks::HandlerStacks;
use self::stream::{Phase, Stream};
use self::tracing::Tracer;
use super::hop::Hop;
use super::program::Program;
use super::transport::Transport;
use crate::py::{self, KeptError, Sent};

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing has happened.
    Begin,
    /// It is running, and does not wait.
    Running,
    /// The body's first message.
    Body,
    /// The body, which comes in several messages.
    Collected,
    /// The form in the body.
    Form,
    /// The keyword arguments of a step that Python validates: from a form, from a large body, or from what somebody else has read.
    BodyValues,
    /// The end of a hop to a worker thread.
    Hop,
    /// The end of generators in a worker thread.
    Left,
    /// The result of a step.
    Result,
    /// The value of the context that a step has entered.
    Entered,
    /// The end of the response's head, whose body is to be sent then.
    Head,
    /// The response, which Python makes before contexts are left.
    Responded,
    /// A response that comes in pieces.
    Stream(Phase),
    /// The response, which is returned.
    Returned,
    /// The end of the response.
    Sent,
    /// The end of the background tasks.
    Background,
    /// The end of a context.
    Closing,
    /// The end of a generator that has yielded twice.
    Stopping,
    /// The one open generator, which an exception was thrown into.
    Thrown,
    /// The contexts that an exception is thrown into, in Python.
    Unwinding,
    /// The same for those that end before the response is sent, while others are open.
    UnwindingFunction,
    /// The end of the files of the form, after all else.
    Ending,
    /// The end of the exit stack around the request, behind that.
    Leaving,
    /// What a handler of the user's answers to an exception.
    Asked,
    /// Python, which does all the rest.
    Delegated,
}

/// What comes next.
enum Next<'py> {
    /// Wait for this, a coroutine or another iterator.
    Await(Bound<'py, PyAny>),
    /// The request is over.
    Done,
}

/// What a wait came to.
enum Outcome<'py> {
    Value(Bound<'py, PyAny>),
    /// The end of an asynchronous generator.
    Ended,
    Raised(PyErr),
}

impl<'py> From<PyResult<Bound<'py, PyAny>>> for Outcome<'py> {
    fn from(result: PyResult<Bound<'py, PyAny>>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(error) => Self::Raised(error),
        }
    }
}

impl<'py> Outcome<'py> {
    fn result(self) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Ended => Err(PyStopAsyncIteration::new_err(())),
            Self::Raised(error) => Err(error),
        }
    }
}

type Objects = SmallVec<[Py<PyAny>; 4]>;

/// One request on its way.
pub(crate) struct Machine {
    pub(in crate::run) transport: Transport,
    program: Option<Py<Program>>,
    stage: Stage,
    awaiting: Option<Py<PyAny>>,
    /// The keyword arguments of each step that have been read.
    groups: SmallVec<[Option<Py<PyDict>>; 2]>,
    /// The results of the steps that have run.
    results: Objects,
    /// The contexts that are open: asynchronous generators, and asynchronous context managers.
    open: SmallVec<[Py<PyAny>; 1]>,
    /// Those of them that end before the response is sent.
    function_open: Vec<Py<PyAny>>,
    /// The one that is being entered or left.
    context: Option<Py<PyAny>>,
    /// The value in the body, if it was read: what JSON says, other bytes, a form.
    body: Option<Py<PyAny>>,
    /// The bytes of a body whose values are from them: JSON that was validated, a plain form. What is wrong with the former.
    source: Option<Py<PyBytes>>,
    refused: Option<KeptError>,
    /// The bytes of JSON that is so long that its mistakes are found out one by one; else 0.
    large: usize,
    /// The mistakes in the request so far.
    errors: Option<Py<PyList>>,
    /// The steps that have no result because of them.
    failed: SmallVec<[usize; 2]>,
    /// Whether the parameters could be read before anything ran.
    is_read: bool,
    /// What is being done in a worker thread.
    hop: Option<Py<Hop>>,
    /// Whether generators are being left that end before the response is sent.
    leaves_function: bool,
    /// The response, while contexts are left before it is sent.
    ready: Option<Ready>,
    /// The response that is being sent in pieces.
    stream: Option<Box<Stream>>,
    /// Whether exceptions in it come out in a group.
    has_group: bool,
    /// What runs after the response.
    background: Option<Py<PyAny>>,
    /// The steps whose keyword arguments from the body were validated before their turn.
    early: Vec<usize>,
    /// Keeps it known that the task is inside of synchronous contexts.
    inside: Vec<Py<PyAny>>,
    /// Whether there is a form, whose files are to be closed.
    has_form: bool,
    /// The exit stack around the request, if there is one.
    pub(in crate::run) file_stack: Option<Py<PyAny>>,
    /// Whether it was opened here.
    owns_file_stack: bool,
    handler_stacks: Option<Box<HandlerStacks>>,
    /// What the request has come to, while these are being closed.
    end: Option<KeptError>,
    exchange: Option<Py<PyAny>>,
    failure: Option<KeptError>,
    /// What the coroutine returns, if that is what was asked for.
    returned: Option<Py<PyAny>>,
    /// The cancel scope that keeps those around the request from cutting exit code short; while contexts are open.
    shield: Option<Py<PyAny>>,
    /// Whether the steps before the body have run.
    is_past_body: bool,
    /// The body that is sent when the head is.
    unsent: Option<Py<PyBytes>>,
    /// Whether user code has run since it was last known that no dependency is overridden.
    unchecked: bool,
    /// Where results of dependencies are from that are not called again, and where those of others go.
    cache: Option<Py<PyDict>>,
    /// Who follows the request.
    tracer: Option<Box<Tracer>>,
    started: bool,
    replied: bool,
}

impl Machine {
    pub(crate) fn new(transport: Transport, program: Option<Py<Program>>) -> Self {
        Self {
            transport,
            program,
            stage: Stage::Begin,
            awaiting: None,
            groups: SmallVec::new(),
            results: Objects::new(),
            open: SmallVec::new(),
            function_open: Vec::new(),
            context: None,
            body: None,
            source: None,
            refused: None,
            large: 0,
            errors: None,
            failed: SmallVec::new(),
            is_read: true,
            hop: None,
            leaves_function: false,
            ready: None,
            stream: None,
            has_group: false,
            background: None,
            early: Vec::new(),
            inside: Vec::new(),
            has_form: false,
            file_stack: None,
            owns_file_stack: false,
            handler_stacks: None,
            end: None,
            exchange: None,
            failure: None,
            returned: None,
            shield: None,
            is_past_body: false,
            unsent: None,
            unchecked: false,
            cache: None,
            tracer: None,
            started: false,
            replied: false,
        }
    }

    /// Whether anything has happened yet.
    pub(in crate::run) fn is_new(&self) -> bool {
        self.stage == Stage::Begin && self.awaiting.is_none()
    }

    /// What it waits for.
    pub(in crate::run) fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    /// Takes the request as Python knows it.
    pub(in crate::run) fn take_exchange(&mut self, exchange: &Bound<'_, PyAny>) {
        self.exchange = Some(exchange.clone().unbind());
    }

    /// What the coroutine returns, if that is what was asked for.
    pub(in crate::run) fn take_returned(&mut self) -> Option<Py<PyAny>> {
        self.returned.take()
    }

    /// Stops waiting for it.
    pub(in crate::run) fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    /// Lets the exchange, if there is one, let go of what refers back to it.
    pub(in crate::run) fn release(&self, py: Python<'_>) -> PyResult<()> {
        match &self.exchange {
            Some(exchange) => exchange.bind(py).setattr(intern!(py, "request_object"), py.None()),
            None => Ok(()),
        }
    }

    /// Goes on until there is something to wait for, which is returned; None when the request is over.
    ///
    /// `sent` is what the event loop sends, or raises.
    pub(in crate::run) fn resume<'py>(
        &mut self,
        py: Python<'py>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut sent = sent;
        loop {
            let outcome = match self.awaiting.as_ref().map(|object| object.clone_ref(py).into_bound(py)) {
                None => Outcome::from(sent),
                Some(awaiting) => {
                    let resumed = match self.stream {
                        None => py::resume(&awaiting, sent),
                        Some(_) => self.resume_stream(&awaiting, sent),
                    };
                    let outcome = match resumed {
                        Ok(Sent::Yielded(value)) => {
                            self.before_wait(py)?;
                            return Ok(Some(value));
                        }
                        Ok(Sent::Returned(value)) => Outcome::Value(value),
                        Ok(Sent::Ended) => Outcome::Ended,
                        Err(error) => Outcome::Raised(error),
                    };
                    self.awaiting = None;
                    outcome
                }
            };
            let next = py::guarded(|| self.advance(py, outcome)).or_else(|error| self.fail(py, error));
            let next = if self.shield.is_some() { self.leave_shield(py, next) } else { next };
            let next = if self.has_form { self.end_form(py, next) } else { next };
            match if self.file_stack.is_some() { self.leave_file_stack(py, next) } else { next }? {
                Next::Await(object) => self.awaiting = Some(object.unbind()),
                Next::Done => return Ok(None),
            }
            sent = Ok(py.None().into_bound(py));
        }
    }

    /// Goes on from what the last wait came to.
    fn advance<'py>(&mut self, py: Python<'py>, outcome: Outcome<'py>) -> PyResult<Next<'py>> {
        let stage = std::mem::replace(&mut self.stage, Stage::Running);
        match (stage, outcome) {
            (Stage::Entered, outcome) => self.after_entering(py, outcome),
            (Stage::Hop, outcome) => self.after_hop(py, outcome),
            (Stage::Closing, outcome) => self.after_leaving(py, outcome),
            (Stage::Thrown, outcome) => self.after_throw(py, outcome),
            (Stage::Stream(phase), outcome) => self.after_streaming(py, phase, outcome),
            (stage, outcome) => self.go_on(py, stage, outcome.result()),
        }
    }

    /// The same, for what has nothing to do with contexts.
    fn go_on<'py>(
        &mut self,
        py: Python<'py>,
        stage: Stage,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Next<'py>> {
        match stage {
            Stage::Begin => outcome.and_then(|_| self.begin(py)),
            Stage::Body => self.take_message(py, outcome),
            Stage::Collected => outcome.and_then(|content| self.take_collected(py, &content)),
            Stage::Form => outcome.and_then(|form| self.take_form(py, form)),
            Stage::BodyValues => outcome.and_then(|found| self.take_body_values(py, &found)),
            Stage::Result => {
                let result = outcome?;
                self.take_result(py, result)
            }
            Stage::Running | Stage::Entered | Stage::Hop | Stage::Closing | Stage::Thrown | Stage::Stream(_) => {
                Err(PyRuntimeError::new_err("a request that waits for nothing was woken"))
            }
            Stage::Left => self.after_leaving_in_thread(py, outcome),
            Stage::Head => outcome.and_then(|_| self.send_rest(py)),
            Stage::Returned => outcome.map(|response| {
                self.returned = Some(response.unbind());
                Next::Done
            }),
            Stage::Responded => outcome.and_then(|response| self.hold(py, Ready::Python(response.unbind()))),
            Stage::Sent => outcome.and_then(|_| self.after_sending(py)),
            Stage::Asked => self.after_asking(py, outcome),
            Stage::Background => {
                outcome.map_err(|error| self.in_group(py, error))?;
                self.after_reply(py)
            }
            Stage::Stopping => outcome.map(|_| Next::Done),
            Stage::Unwinding => {
                let failure = self.failure.take();
                match outcome {
                    Err(error) => self.after_unwinding(py, Some(error)),
                    Ok(swallowed) if swallowed.is_truthy().unwrap_or(false) => self.after_unwinding(py, None),
                    Ok(_) => {
                        let error = failure.map(|failure| failure.into_error(py));
                        self.after_unwinding(py, error)
                    }
                }
            }
            Stage::UnwindingFunction => self.after_function_unwinding(py, outcome),
            Stage::Leaving => {
                self.stage = stage;
                let swallowed = outcome?.is_truthy()?;
                KeptError::raise_or(py, self.end.take().filter(|_| !swallowed), Next::Done)
            }
            Stage::Delegated | Stage::Ending => {
                self.stage = stage; // what comes out of there was dealt with
                outcome?;
                KeptError::raise_or(py, self.end.take(), Next::Done)
            }
        }
    }

    /// Shows the garbage collector what this holds.
    pub(in crate::run) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.transport.traverse(visit)?;
        visit.call(&self.program)?;
        visit.call(&self.awaiting)?;
        visit.call(&self.exchange)?;
        for error in [&self.failure, &self.refused, &self.end].into_iter().flatten() {
            error.traverse(visit)?;
        }
        visit.call(&self.context)?;
        visit.call(&self.hop)?;
        visit.call(&self.body)?;
        visit.call(&self.source)?;
        visit.call(&self.errors)?;
        visit.call(&self.background)?;
        visit.call(&self.file_stack)?;
        if let Some(stacks) = &self.handler_stacks {
            stacks.traverse(visit)?;
        }
        visit.call(&self.returned)?;
        visit.call(&self.shield)?;
        visit.call(&self.cache)?;
        if let Some(tracer) = &self.tracer {
            tracer.traverse(visit)?;
        }
        if let Some(ready) = &self.ready {
            ready.traverse(visit)?;
        }
        if let Some(stream) = &self.stream {
            stream.traverse(visit)?;
        }
        for group in self.groups.iter().flatten() {
            visit.call(group)?;
        }
        let objects = self.results.iter().chain(&self.open).chain(&self.function_open).chain(&self.inside);
        objects.into_iter().try_for_each(|object| visit.call(object))
    }
}
