//! What is raised on the way, and the answer to it.

use pyo3::exceptions::{PyBaseException, PyException, PyStopAsyncIteration, PyStopIteration};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use super::{Machine, Next, Outcome, Stage};
use crate::py::{self, KeptError};
use crate::request::limits::LimitExceeded;
use crate::response::exception;
use crate::run::program::Program;
use crate::run::reply::{self, Body, Whole};
use crate::run::transport::Headers;

impl Machine {
    /// Answers an exception that something here has raised, or lets it out.
    pub(super) fn fail<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        if self.tracer.is_some() {
            self.trace_failure(py, &error)?;
        }
        self.take_stacks(py, true)?;
        if matches!(self.stage, Stage::Delegated | Stage::Ending | Stage::Leaving) || self.returns() {
            return Err(error);
        }
        if !self.function_open.is_empty() {
            let open = PyList::new(py, self.function_open.drain(..))?;
            return self.unwind(py, &open, &error, Stage::UnwindingFunction);
        }
        let Some(last) = self.open.last() else { return self.answer_failure(py, error) };
        // Several contexts may swallow exceptions for each other, and a generator can't raise the ones that end an iteration.
        let ends = error.is_instance_of::<PyStopIteration>(py) || error.is_instance_of::<PyStopAsyncIteration>(py);
        if self.open.len() == 1 && !ends && py::is_async_generator(last.bind(py)) {
            let throwing = last.bind(py).call_method1(intern!(py, "athrow"), (error.clone_ref(py),))?;
            self.failure = Some(KeptError::new(py, &error));
            self.stage = Stage::Thrown;
            return Ok(Next::Await(throwing));
        }
        let open = PyList::new(py, self.open.drain(..))?;
        self.unwind(py, &open, &error, Stage::Unwinding)
    }

    /// Lets Python throw an exception into contexts that are open.
    fn unwind<'py>(
        &mut self,
        py: Python<'py>,
        open: &Bound<'py, PyList>,
        error: &PyErr,
        stage: Stage,
    ) -> PyResult<Next<'py>> {
        let unwinding = self.reference(py)?.call_method1(intern!(py, "unwind"), (open, error.clone_ref(py)))?;
        self.failure = Some(KeptError::new(py, error));
        self.wait(py, stage, unwinding)
    }

    /// Goes on when an exception was thrown into the contexts that end before the response is sent.
    pub(super) fn after_function_unwinding<'py>(
        &mut self,
        py: Python<'py>,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Next<'py>> {
        let failure = self.failure.take();
        let swallowed = outcome?.is_truthy().unwrap_or(false);
        match failure {
            Some(failure) if !swallowed => Err(failure.into_error(py)),
            _ if self.ready.is_some() => self.close_next(py),
            _ => Err(PyErr::from_value(self.reference(py)?.call_method0(intern!(py, "no_response"))?)),
        }
    }

    /// Goes on when an exception was thrown into the one generator that was open.
    pub(super) fn after_throw<'py>(&mut self, py: Python<'py>, outcome: Outcome<'py>) -> PyResult<Next<'py>> {
        let generator = self.open.pop();
        let Some(failure) = self.failure.take() else { return self.after_unwinding(py, None) };
        match outcome {
            Outcome::Raised(raised) if raised.value(py).is(&failure.exception) => {
                self.after_unwinding(py, Some(failure.into_error_as_it_was(py)))
            }
            Outcome::Raised(raised) if !raised.is_instance_of::<PyStopAsyncIteration>(py) => {
                self.after_unwinding(py, Some(raised))
            }
            Outcome::Raised(_) | Outcome::Ended => self.after_unwinding(py, None),
            Outcome::Value(_) => {
                let stopping =
                    self.reference(py)?.call_method1(intern!(py, "stop_thrown"), (generator, failure.exception))?;
                self.wait(py, Stage::Unwinding, stopping)
            }
        }
    }

    /// Goes on when nothing is open any more; without an error if it was swallowed.
    pub(super) fn after_unwinding<'py>(&mut self, py: Python<'py>, error: Option<PyErr>) -> PyResult<Next<'py>> {
        match error {
            Some(error) => self.answer_failure(py, error),
            None if self.has_replied(py)? => Ok(Next::Done),
            None => {
                let error = self.reference(py)?.call_method0(intern!(py, "unanswered"))?;
                self.answer_failure(py, PyErr::from_value(error))
            }
        }
    }

    /// Answers an exception when nothing is open any more.
    fn answer_failure<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        self.drop_shield(py)?;
        if !error.is_instance_of::<PyException>(py) || self.program.is_none() {
            if self.started {
                self.exchange(py)?.setattr(intern!(py, "started"), true)?;
            }
            return self.raise_in_python(py, error);
        }
        self.ready = None;
        // What can't be found out or made here says so when it is done the long way.
        if !self.has_started(py)?
            && let Ok(Some(handler)) = self.handler_of(py, &error)
        {
            let program = self.program(py)?;
            let program = program.bind(py).get();
            if !program.own_handlers.iter().any(|own| handler.is(own)) {
                return self.ask(py, &handler, &error);
            }
            if let Ok(Some((status, headers, body))) = answer_by(program, &handler, error.value(py)) {
                py::set_traceback(py, &error, None);
                self.background = None;
                return match headers {
                    Some(headers) => self.send(py, status, &Headers::Pairs(headers), body),
                    None => self.send(py, status, &Headers::ContentType(b"application/json"), body),
                };
            }
        }
        if self.started {
            self.exchange(py)?.setattr(intern!(py, "started"), true)?;
        }
        let handle = self.reference(py)?.getattr(intern!(py, "handle"))?;
        self.delegate(py, &handle, (error,).into_pyobject(py)?)
    }

    /// The handler for an exception. None for one that is told as another.
    fn handler_of<'py>(&self, py: Python<'py>, error: &PyErr) -> PyResult<Option<Bound<'py, PyAny>>> {
        if error.is_instance_of::<LimitExceeded>(py) {
            return Ok(None);
        }
        handler_for(&self.transport.handlers(py)?, error.value(py))
    }

    /// Asks a handler what it answers to an exception.
    fn ask<'py>(&mut self, py: Python<'py>, handler: &Bound<'py, PyAny>, error: &PyErr) -> PyResult<Next<'py>> {
        self.background = None;
        let exchange = self.exchange(py)?;
        let asking = self.reference(py)?.call_method1(intern!(py, "ask"), (exchange, handler, error.clone_ref(py)))?;
        self.wait(py, Stage::Asked, asking)
    }

    /// Sends what a handler answers, unless Python has done that.
    pub(super) fn after_asking<'py>(
        &mut self,
        py: Python<'py>,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Next<'py>> {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => return self.raise_in_python(py, error),
        };
        if response.is_none() {
            return self.end(py);
        }
        let program = self.program(py)?;
        let program = program.bind(py).get();
        match reply::whole(program.response_call.bind(py), &response)? {
            Some(Whole { status, headers, body, .. }) => {
                self.send(py, status, &Headers::Pairs(headers.into_bound(py)), Body::Python(body))
            }
            None => {
                let send = program.reference.bind(py).getattr(intern!(py, "send"))?;
                self.delegate(py, &send, (response,).into_pyobject(py)?)
            }
        }
    }

    /// Whether a response has begun, here or in Python.
    fn has_started(&self, py: Python<'_>) -> PyResult<bool> {
        match &self.exchange {
            Some(exchange) if !self.started => exchange.bind(py).getattr(intern!(py, "started"))?.is_truthy(),
            _ => Ok(self.started),
        }
    }

    /// Whether a response is complete, from here or from Python.
    fn has_replied(&self, py: Python<'_>) -> PyResult<bool> {
        match &self.exchange {
            Some(exchange) if !self.replied => exchange.bind(py).getattr(intern!(py, "replied"))?.is_truthy(),
            _ => Ok(self.replied),
        }
    }
}

/// Status, headers and body of the answer that one of ferrapi's own handlers has to an exception; None if only the handler can make it.
fn answer_by<'py>(
    program: &Program,
    handler: &Bound<'py, PyAny>,
    error: &Bound<'py, PyBaseException>,
) -> PyResult<Option<Answer<'py>>> {
    let py = error.py();
    if handler.is(&program.http_handler)
        && let Some((status, headers, body)) = exception::answer(error)?
    {
        return Ok(Some((status, headers, Body::Native(body))));
    }
    let answer = program.reference.bind(py).call_method1(intern!(py, "answer"), (handler, error))?;
    if answer.is_none() {
        return Ok(None);
    }
    let (status, headers, body): (u16, Bound<'py, PyAny>, Bound<'py, PyBytes>) = answer.extract()?;
    // A content type is always that of JSON.
    Ok(Some((status, headers.cast_into::<PyList>().ok(), Body::Python(body.unbind()))))
}

/// Status, headers (none for a JSON document alone) and body.
type Answer<'py> = (u16, Option<Bound<'py, PyList>>, Body);

/// The handler for an exception: by its status code if it is one of HTTP's, else by the nearest of its classes.
fn handler_for<'py>(handlers: &Bound<'py, PyAny>, error: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = error.py();
    let handlers = handlers.cast::<PyTuple>()?;
    let (by_class, by_status) = (handlers.get_item(0)?, handlers.get_item(1)?);
    let (by_class, by_status) = (by_class.cast::<PyDict>()?, by_status.cast::<PyDict>()?);
    if !by_status.is_empty() && error.is_instance(http_exception(py)?)? {
        let handler = by_status.get_item(error.getattr(intern!(py, "status_code"))?)?;
        if let Some(handler) = handler
            && handler.is_truthy()?
        {
            return Ok(Some(handler));
        }
    }
    for class in error.get_type().mro() {
        if let Some(handler) = by_class.get_item(class)? {
            return Ok(Some(handler));
        }
    }
    Ok(None)
}

fn http_exception(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS.import(py, "starlette.exceptions", "HTTPException")
}
