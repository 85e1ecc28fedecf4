//! `Machine`: one request on its way through its program, from one wait to the next.

use pyo3::PyTraverseError;
use pyo3::exceptions::{PyException, PyRuntimeError, PyStopAsyncIteration, PyTypeError};
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use smallvec::SmallVec;

use super::asgi::Arrived;
use super::door::{Content, Door, Headers};
use super::program::{Action, Body, Program, Step};
use super::reply::{self, Made};
use crate::py::{self, Sent};
use crate::request::form::FormReader;

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
    /// The result of a step.
    Result,
    /// The value of the context that a step has entered.
    Entered,
    /// The end of the response's head, whose body is to be sent then.
    Head,
    /// The end of the response.
    Sent,
    /// The end of a context after the response.
    Closing,
    /// The end of a generator that has yielded twice.
    Stopping,
    /// The contexts that an exception is thrown into.
    Unwinding,
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
    pub(super) door: Door,
    program: Option<Py<Program>>,
    stage: Stage,
    awaiting: Option<Py<PyAny>>,
    /// The keyword arguments of each step that have been read.
    groups: SmallVec<[Option<Py<PyDict>>; 2]>,
    /// The results of the steps that have run.
    results: Objects,
    /// The contexts that are open: asynchronous generators, and asynchronous context managers.
    open: SmallVec<[Py<PyAny>; 1]>,
    exchange: Option<Py<PyAny>>,
    failure: Option<PyErr>,
    /// The body that is sent when the head is.
    unsent: Option<Py<PyBytes>>,
    /// Whether user code has run since it was last known that no dependency is overridden.
    unchecked: bool,
    started: bool,
    replied: bool,
}

impl Machine {
    pub(crate) fn new(door: Door, program: Option<Py<Program>>) -> Self {
        Self {
            door,
            program,
            stage: Stage::Begin,
            awaiting: None,
            groups: SmallVec::new(),
            results: Objects::new(),
            open: SmallVec::new(),
            exchange: None,
            failure: None,
            unsent: None,
            unchecked: false,
            started: false,
            replied: false,
        }
    }

    /// Whether anything has happened yet.
    pub(super) fn is_new(&self) -> bool {
        self.stage == Stage::Begin && self.awaiting.is_none()
    }

    /// What it waits for.
    pub(super) fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    /// Lets the exchange, if there is one, let go of what refers back to it.
    pub(super) fn release(&self, py: Python<'_>) -> PyResult<()> {
        match &self.exchange {
            Some(exchange) => exchange.bind(py).call_method0(intern!(py, "release")).map(drop),
            None => Ok(()),
        }
    }

    /// Goes on until there is something to wait for, which is returned; None when the request is over.
    ///
    /// `sent` is what the event loop sends, or raises.
    pub(super) fn resume<'py>(
        &mut self,
        py: Python<'py>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut sent = sent;
        loop {
            let outcome = match self.awaiting.as_ref().map(|object| object.clone_ref(py).into_bound(py)) {
                None => Outcome::from(sent),
                Some(awaiting) => {
                    let step = match sent {
                        Ok(value) => py::send(&awaiting, &value),
                        Err(error) => py::throw(&awaiting, error),
                    };
                    let outcome = match step {
                        Ok(Sent::Yielded(value)) => return Ok(Some(value)),
                        Ok(Sent::Returned(value)) => Outcome::Value(value),
                        Ok(Sent::Ended) => Outcome::Ended,
                        Err(error) => Outcome::Raised(error),
                    };
                    self.awaiting = None;
                    outcome
                }
            };
            match self.advance(py, outcome).or_else(|error| self.fail(py, error))? {
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
            (Stage::Entered, Outcome::Value(value)) => self.take_result(py, value),
            (Stage::Entered, outcome) => {
                // What did not come to its first `yield` is over.
                let is_generator = self.open.pop().is_some_and(|entered| py::is_async_generator(entered.bind(py)));
                match outcome.result() {
                    Err(error) if is_generator && error.is_instance_of::<PyStopAsyncIteration>(py) => {
                        let error = self.reference(py)?.call_method0(intern!(py, "unyielded"))?;
                        Err(PyErr::from_value(error))
                    }
                    outcome => outcome.map(|_| Next::Done),
                }
            }
            (Stage::Closing, outcome) => match (outcome, self.open.pop()) {
                (Outcome::Value(_), Some(context)) if py::is_async_generator(context.bind(py)) => {
                    self.stop(py, context)
                }
                (Outcome::Value(_) | Outcome::Ended, _) => self.close_next(py),
                (Outcome::Raised(error), Some(context))
                    if error.is_instance_of::<PyStopAsyncIteration>(py) && py::is_async_generator(context.bind(py)) =>
                {
                    self.close_next(py)
                }
                (Outcome::Raised(error), _) => Err(error),
            },
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
            Stage::Result => {
                let result = outcome?;
                self.take_result(py, result)
            }
            Stage::Running | Stage::Entered | Stage::Closing => {
                Err(PyRuntimeError::new_err("a request that waits for nothing was woken"))
            }
            Stage::Head => outcome.and_then(|_| self.send_rest(py)),
            Stage::Sent => outcome.and_then(|_| self.after_reply(py)),
            Stage::Stopping => outcome.map(|_| Next::Done),
            Stage::Unwinding => {
                let failure = self.failure.take();
                match (outcome, failure) {
                    (Err(error), _) => self.answer_failure(py, error),
                    (Ok(swallowed), Some(failure)) if !swallowed.is_truthy()? => self.answer_failure(py, failure),
                    (Ok(_), _) if self.replied => Ok(Next::Done),
                    (Ok(_), _) => {
                        let error = self.reference(py)?.call_method0(intern!(py, "unanswered"))?;
                        self.answer_failure(py, PyErr::from_value(error))
                    }
                }
            }
            Stage::Delegated => {
                self.stage = Stage::Delegated; // what comes out of there was dealt with
                outcome.map(|_| Next::Done)
            }
        }
    }

    // Reading

    fn begin<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        if let Door::Asgi(door) = &self.door {
            match door.arrive(py) {
                Ok(Arrived::At(program)) => self.program = Some(program),
                Ok(Arrived::Elsewhere { function, arguments }) => return self.delegate(py, &function, arguments),
                Err(error) => return self.raise_in_python(py, error),
            }
        }
        let Some(program) = self.program.as_ref().map(|program| program.clone_ref(py)) else {
            return self.serve_in_python(py);
        };
        let program = program.bind(py).borrow();
        if program.overrides.exist(py)? {
            return self.take_long_way(py, &program);
        }
        if let Some(reader) = &program.reader {
            match self.door.read(py, &reader.bind(py).borrow())? {
                Some(groups) => self.groups.extend(groups.into_iter().map(|group| group.map(Bound::unbind))),
                None => return self.take_long_way(py, &program),
            }
        }
        match &program.body {
            None => self.run_from(py, &program, 0),
            Some(body) => self.read_body(py, &program, body),
        }
    }

    /// Reads the body, unless it is not of the type that is expected.
    fn read_body<'py>(&mut self, py: Python<'py>, program: &Program, body: &Body) -> PyResult<Next<'py>> {
        let fits = match body {
            Body::Json { strict, .. } => {
                self.door.header(py, b"content-type", wire::media_type::is_json)?.unwrap_or(!strict)
            }
            Body::Form { .. } => {
                let fits = |value: &[u8]| value.starts_with(b"application/x-www-form-urlencoded");
                self.door.header(py, b"content-type", fits)?.unwrap_or(false)
            }
        };
        if !fits || (matches!(body, Body::Form { .. }) && self.door.limits_forms(py)?) {
            return self.take_long_way(py, program);
        }
        match &mut self.door {
            Door::Http(door) => match &door.content {
                Content::Whole(content) => {
                    let content = content.clone_ref(py).into_bound(py);
                    self.take_body(py, program, body, &content)
                }
                Content::Empty | Content::Lost => self.take_long_way(py, program),
            },
            Door::Asgi(door) => {
                if let Some(content) = door.receive_at_once(py)? {
                    door.keep(&content);
                    return self.take_body(py, program, body, &content);
                }
                let message = door.receive(py)?;
                self.wait(py, Stage::Body, message)
            }
        }
    }

    /// Takes the first message of the body; what it is no good for goes the long way.
    fn take_message<'py>(&mut self, py: Python<'py>, outcome: PyResult<Bound<'py, PyAny>>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).borrow();
        let message = match outcome {
            Ok(message) => message,
            Err(error) if error.is_instance_of::<PyException>(py) => {
                let unreadable = program.reference.bind(py).call_method1(intern!(py, "unreadable"), (error,))?;
                return Err(PyErr::from_value(unreadable));
            }
            Err(error) => return Err(error),
        };
        match (&program.body, &mut self.door, super::asgi::whole_body(&message)?) {
            (Some(body), Door::Asgi(door), Some(content)) => {
                door.keep(&content);
                self.take_body(py, &program, body, &content)
            }
            (Some(Body::Json { .. }), ..) => {
                let exchange = self.exchange(py)?;
                exchange.setattr(intern!(py, "unread"), message)?;
                let collecting = program.reference.bind(py).call_method1(intern!(py, "collect"), (exchange,))?;
                self.wait(py, Stage::Collected, collecting)
            }
            _ => {
                self.exchange(py)?.setattr(intern!(py, "unread"), message)?;
                self.take_long_way(py, &program)
            }
        }
    }

    /// Takes a body that has come in several messages.
    fn take_collected<'py>(&mut self, py: Python<'py>, content: &Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).borrow();
        match (&program.body, content.cast::<PyBytes>()) {
            (Some(body), Ok(content)) => self.take_body(py, &program, body, content),
            _ => self.take_long_way(py, &program),
        }
    }

    /// Adds what the body says to the keyword arguments of the endpoint, which is the only step.
    fn take_body<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        body: &Body,
        content: &Bound<'py, PyBytes>,
    ) -> PyResult<Next<'py>> {
        let bytes = content.as_bytes();
        match body {
            Body::Json { name, validate, .. } => {
                if bytes.is_empty() || wire::json::has_long_number(bytes) {
                    return self.take_long_way(py, program);
                }
                match validate.bind(py).call1((content,)) {
                    Ok(value) => self.arguments(py, 0).set_item(name, value)?,
                    Err(error) if reply::is_validation_error(py, &error) => {
                        // Raises what is wrong, if that can be said of the bytes.
                        program.reference.bind(py).call_method1(intern!(py, "refuse_body"), (content, error))?;
                        return self.take_long_way(py, program);
                    }
                    Err(error) => return Err(error),
                }
            }
            Body::Form { reader, max_fields, max_part_size } => {
                let reader: PyRef<'_, FormReader> = reader.bind(py).borrow();
                let declared = self.door.header(py, b"content-type", <[u8]>::to_vec)?.unwrap_or_default();
                let Some(found) = reader.read_body(py, &declared, bytes, *max_fields, *max_part_size)? else {
                    return self.take_long_way(py, program);
                };
                let found = found.cast_into::<PyDict>()?;
                found.update(self.arguments(py, 0).as_mapping())?;
                self.groups.clear();
                self.groups.push(Some(found.unbind()));
            }
        }
        self.run_from(py, program, 0)
    }

    // Running

    /// Runs the steps from the `index`-th on.
    fn run_from<'py>(&mut self, py: Python<'py>, program: &Program, mut index: usize) -> PyResult<Next<'py>> {
        loop {
            let Some(step) = program.steps.get(index) else { return Ok(Next::Done) };
            index = index.saturating_add(1);
            let is_endpoint = index == program.steps.len();
            if !is_endpoint && std::mem::take(&mut self.unchecked) && program.overrides.exist(py)? {
                return self.go_on_overridden(py, program);
            }
            match &step.action {
                Action::Same(other) => {
                    let result = self.results.get(*other).map(|result| result.clone_ref(py));
                    self.results.extend(result);
                }
                Action::Credentials { header, scheme } => {
                    let token = match scheme {
                        Some(scheme) => self.door.token(py, header, scheme)?,
                        None => None,
                    };
                    let credentials = match token {
                        Some(token) => token.into_any(),
                        None => step.call.bind(py).call1((self.door.header_text(py, header)?,))?,
                    };
                    self.results.push(credentials.unbind());
                }
                Action::Call | Action::Thread => {
                    let made = self.call(py, step)?;
                    return self.wait(py, Stage::Result, made);
                }
                Action::Context => {
                    let made = self.call(py, step)?;
                    self.open.push(made.clone().unbind());
                    self.stage = Stage::Entered;
                    let entering = if py::is_async_generator(&made) {
                        made.call_method0(intern!(py, "__anext__"))
                    } else {
                        made.call_method0(intern!(py, "__aenter__"))
                    };
                    return entering.map(Next::Await);
                }
            }
        }
    }

    /// Calls what a step calls.
    fn call<'py>(&mut self, py: Python<'py>, step: &Step) -> PyResult<Bound<'py, PyAny>> {
        let call = step.call.bind(py);
        let index = self.results.len();
        if !step.reads && step.specials.is_empty() {
            if step.feeders.is_empty() {
                return call.call0();
            }
            let values: SmallVec<[Bound<'py, PyAny>; 8]> = self.fed(py, step).collect();
            return py::call_named(call, &values, step.fed.bind(py));
        }
        if step.feeders.is_empty() && step.specials.is_empty() {
            return call.call((), Some(&self.arguments(py, index)));
        }
        // In the order in which FastAPI gives them.
        let arguments = PyDict::new(py);
        for (name, value) in step.fed.bind(py).iter().zip(self.fed(py, step)) {
            arguments.set_item(name, value)?;
        }
        if step.reads {
            arguments.update(self.arguments(py, index).as_mapping())?;
        }
        for (name, get) in &step.specials {
            let exchange = self.exchange(py)?;
            arguments.set_item(name, get.bind(py).call1((exchange,))?)?;
        }
        call.call((), Some(&arguments))
    }

    /// The results that are keyword arguments of a step.
    fn fed<'py>(&self, py: Python<'py>, step: &Step) -> impl Iterator<Item = Bound<'py, PyAny>> {
        step.feeders
            .iter()
            .filter_map(move |&feeder| self.results.get(feeder))
            .map(move |result| result.bind(py).clone())
    }

    /// The keyword arguments that were read for a step.
    fn arguments<'py>(&mut self, py: Python<'py>, index: usize) -> Bound<'py, PyDict> {
        while self.groups.len() <= index {
            self.groups.push(None);
        }
        match self.groups.get_mut(index) {
            Some(group) => group.get_or_insert_with(|| PyDict::new(py).unbind()).bind(py).clone(),
            None => PyDict::new(py),
        }
    }

    /// Goes on with the result of a step, or with the endpoint's.
    fn take_result<'py>(&mut self, py: Python<'py>, result: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).borrow();
        let next = self.results.len().saturating_add(1);
        if next == program.steps.len() {
            return self.reply(py, &program, &result);
        }
        self.results.push(result.unbind());
        self.unchecked = true;
        self.run_from(py, &program, next)
    }

    // Responding

    fn reply<'py>(&mut self, py: Python<'py>, program: &Program, result: &Bound<'py, PyAny>) -> PyResult<Next<'py>> {
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
    fn send<'py>(
        &mut self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: reply::Body<'py>,
    ) -> PyResult<Next<'py>> {
        self.started = true;
        match &self.door {
            Door::Http(door) if !door.connection.bind(py).borrow().has_middleware(py) => {
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
    fn send_rest<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let (Door::Asgi(door), Some(body)) = (&self.door, self.unsent.take()) else { return Ok(Next::Done) };
        let pending = door.send_body(py, body.into_bound(py))?;
        self.wait(py, Stage::Sent, pending)
    }

    /// Waits for `pending`, or goes on if it is None.
    fn wait_or_go_on<'py>(&mut self, py: Python<'py>, pending: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        if pending.is_none() { self.after_reply(py) } else { self.wait(py, Stage::Sent, pending) }
    }

    /// The response is sent: what is open ends now.
    fn after_reply<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        self.replied = true;
        self.close_next(py)
    }

    /// Leaves the context that was entered last.
    fn close_next<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let Some(context) = self.open.last() else { return self.end(py) };
        let context = context.bind(py);
        self.stage = Stage::Closing;
        let leaving = if py::is_async_generator(context) {
            context.call_method0(intern!(py, "__anext__"))
        } else {
            context.call_method1(intern!(py, "__aexit__"), (py.None(), py.None(), py.None()))
        };
        leaving.map(Next::Await)
    }

    /// Ends a generator that has yielded twice; the coroutine raises.
    fn stop<'py>(&mut self, py: Python<'py>, generator: Py<PyAny>) -> PyResult<Next<'py>> {
        let stopping = self.reference(py)?.call_method1(intern!(py, "stop"), (generator,))?;
        self.wait(py, Stage::Stopping, stopping)
    }

    /// The request is over, unless Python has not answered it.
    fn end<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        match &self.door {
            Door::Http(door) if door.cycle.get().is_unanswered() => {
                let nothing = self.door.layer(py)?.getattr(intern!(py, "do_nothing"))?;
                self.delegate(py, &nothing, PyTuple::empty(py))
            }
            _ => Ok(Next::Done),
        }
    }

    // What goes wrong

    /// Answers an exception that something here has raised, or lets it out.
    fn fail<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        if self.stage == Stage::Delegated {
            return Err(error);
        }
        if self.open.is_empty() {
            return self.answer_failure(py, error);
        }
        let open = PyList::new(py, self.open.drain(..))?;
        let unwinding = self.reference(py)?.call_method1(intern!(py, "unwind"), (open, error.clone_ref(py)))?;
        self.failure = Some(error);
        self.wait(py, Stage::Unwinding, unwinding)
    }

    /// Answers an exception when nothing is open any more.
    fn answer_failure<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        if !error.is_instance_of::<PyException>(py) {
            return self.raise_in_python(py, error);
        }
        let reference = self.reference(py)?;
        if !self.has_started(py)? {
            let handlers = self.door.handlers(py)?;
            // One that can't be made says so when it is made the long way.
            if let Ok(answer) = reference.call_method1(intern!(py, "answer"), (handlers, error.value(py)))
                && !answer.is_none()
            {
                return self.send_answer(py, &answer, &error);
            }
        }
        if self.started {
            self.exchange(py)?.setattr(intern!(py, "started"), true)?;
        }
        let handle = reference.getattr(intern!(py, "handle"))?;
        self.delegate(py, &handle, (error,).into_pyobject(py)?)
    }

    /// Whether a response has begun, here or in Python.
    fn has_started(&self, py: Python<'_>) -> PyResult<bool> {
        match &self.exchange {
            Some(exchange) if !self.started => exchange.bind(py).getattr(intern!(py, "started"))?.is_truthy(),
            _ => Ok(self.started),
        }
    }

    /// Sends the answer to an exception: a status, a content type or headers, and a body.
    fn send_answer<'py>(&mut self, py: Python<'py>, answer: &Bound<'py, PyAny>, error: &PyErr) -> PyResult<Next<'py>> {
        let (status, headers, body): (u16, Bound<'py, PyAny>, Bound<'py, PyBytes>) = answer.extract()?;
        error.set_traceback(py, None);
        let body = reply::Body::Python(body);
        match headers.cast::<PyBytes>() {
            Ok(kind) => self.send(py, status, &Headers::ContentType(kind.as_bytes()), body),
            Err(_) => self.send(py, status, &Headers::Pairs(headers.cast_into::<PyList>()?), body),
        }
    }

    // Going on in Python

    /// Waits for an awaitable.
    fn wait<'py>(&mut self, py: Python<'py>, stage: Stage, awaitable: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        self.stage = stage;
        if py::is_coroutine(&awaitable) {
            return Ok(Next::Await(awaitable));
        }
        // Whatever else can be awaited, a coroutine awaits as Python does.
        let layer = self.door.layer(py)?;
        Ok(Next::Await(layer.call_method1(intern!(py, "wait_for"), (awaitable,))?))
    }

    /// Lets Python do the rest: `function(exchange, *arguments)`, under guard.
    fn delegate<'py>(
        &mut self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
        arguments: Bound<'py, PyTuple>,
    ) -> PyResult<Next<'py>> {
        self.stage = Stage::Delegated;
        let exchange = self.exchange(py)?;
        let parts = (exchange, function, arguments);
        Ok(Next::Await(self.door.layer(py)?.call_method1(intern!(py, "guard"), parts)?))
    }

    /// Lets Python serve the request from the beginning.
    fn serve_in_python<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let Door::Http(door) = &self.door else { return Ok(Next::Done) };
        let serve = door.target.bind(py).getattr(intern!(py, "serve"))?;
        self.delegate(py, &serve, (true,).into_pyobject(py)?)
    }

    /// Lets the route's reference path serve the request.
    fn take_long_way<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Next<'py>> {
        let serve = program.reference.bind(py).getattr(intern!(py, "serve"))?;
        self.delegate(py, &serve, PyTuple::empty(py))
    }

    /// Lets the reference path go on behind the steps that have run, because dependencies are overridden now.
    fn go_on_overridden<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Next<'py>> {
        let groups = PyList::new(py, self.groups.drain(..))?;
        let results = PyList::new(py, self.results.drain(..))?;
        let open = PyList::new(py, self.open.drain(..))?;
        let go_on = program.reference.bind(py).getattr(intern!(py, "go_on"))?;
        self.delegate(py, &go_on, (groups, results, open).into_pyobject(py)?)
    }

    /// Lets Python deal with an exception that no handler is for.
    fn raise_in_python<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        let raise = self.door.layer(py)?.getattr(intern!(py, "raise_again"))?;
        self.delegate(py, &raise, (error,).into_pyobject(py)?)
    }

    /// The request as Python knows it.
    fn exchange<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(exchange) = &self.exchange {
            return Ok(exchange.bind(py).clone());
        }
        let exchange = self.door.exchange(py)?;
        if let (Door::Http(_), Some(program)) = (&self.door, &self.program)
            && let Some(route) = &program.bind(py).borrow().placed
        {
            exchange.call_method1(intern!(py, "place"), (route,))?;
        }
        self.exchange = Some(exchange.clone().unbind());
        Ok(exchange)
    }

    fn program(&self, py: Python<'_>) -> PyResult<Py<Program>> {
        let program = self.program.as_ref().map(|program| program.clone_ref(py));
        program.ok_or_else(|| PyTypeError::new_err("a request without a program waits for a step"))
    }

    fn reference<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.program(py)?.bind(py).borrow().reference.bind(py).clone())
    }

    /// Shows the garbage collector what this holds.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.door.traverse(visit)?;
        visit.call(&self.program)?;
        visit.call(&self.awaiting)?;
        visit.call(&self.exchange)?;
        for group in self.groups.iter().flatten() {
            visit.call(group)?;
        }
        self.results.iter().chain(&self.open).try_for_each(|object| visit.call(object))
    }
}
