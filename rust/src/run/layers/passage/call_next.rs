//! `call_next`: the application below, until its response begins.

use pyo3::exceptions::{PyAssertionError, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::atomic::Ordering;

use super::Passage;
use super::arrival::{Arrival, Arrived};
use super::below::Task;
use super::messages::Message;
use crate::py::{self, Sent};
use crate::run::layers::Flow;
use crate::run::serving::awaited;

/// The coroutine of `call_next`.
pub(super) struct CallNext {
    passage: Py<Passage>,
    stage: Stage,
    arrival: Arrival,
    /// The sending of an early hint.
    hint: Option<Py<PyAny>>,
    /// What a message for tests has said.
    info: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Begun,
}

impl CallNext {
    pub(super) fn new(passage: Py<Passage>) -> Self {
        Self { passage, stage: Stage::New, arrival: Arrival::default(), hint: None, info: None }
    }

    /// The response, if `message` begins it; else what is to be awaited, if anything.
    fn take<'py>(&mut self, py: Python<'py>, message: Message) -> PyResult<Option<Bound<'py, PyAny>>> {
        let passage = self.passage.bind(py);
        let message = match message {
            Message::Head { status, headers } => {
                let status = status.into_pyobject(py)?.into_any();
                let info = self.info.take();
                return Passage::begin_response(passage, status, headers.into_bound(py).into_any(), info).map(Some);
            }
            other => other.into_asgi(py)?,
        };
        let kind = message.get_item(intern!(py, "type"))?;
        if kind.eq(intern!(py, "http.response.start"))? {
            let status = message.get_item(intern!(py, "status"))?;
            let nothing = PyList::empty(py);
            let headers = message.call_method1(intern!(py, "get"), (intern!(py, "headers"), nothing))?;
            return Passage::begin_response(passage, status, headers, self.info.take()).map(Some);
        }
        if kind.eq(intern!(py, "http.response.debug"))? {
            self.info = Some(message.get_item(intern!(py, "info"))?.unbind());
        } else if kind.eq(intern!(py, "http.response.early_hint"))? {
            let sending = passage.get().send.bind(py).call1((message,))?;
            self.hint = Some(awaited(passage.get().layer(py), sending)?.unbind());
        } else {
            return Err(PyAssertionError::new_err(()));
        }
        Ok(None)
    }

    /// What the end of the application without a response is.
    fn no_response(&self, py: Python<'_>) -> PyErr {
        let passage = self.passage.bind(py).get();
        let Some(error) = passage.error(py) else { return PyRuntimeError::new_err("No response returned.") };
        passage.error_raised.store(true, Ordering::Relaxed);
        let error = PyErr::from_value(error.into_bound(py).into_any());
        let cause = error.cause(py).or_else(|| {
            let context = error.value(py).getattr(intern!(py, "__context__")).ok()?;
            if context.is_none() { None } else { Some(PyErr::from_value(context)) }
        });
        error.set_cause(py, cause);
        error
    }
}

impl Flow for CallNext {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        if self.stage == Stage::New {
            sent?;
            self.stage = Stage::Begun;
            let passage = self.passage.bind(py);
            if !Task::begin(passage)? {
                return Ok(Sent::Yielded(py.None().into_bound(py))); // it begins, even if there are messages of the one before
            }
            sent = Ok(py.None().into_bound(py));
        }
        loop {
            if let Some(hint) = &self.hint {
                match py::resume(hint.bind(py), sent)? {
                    Sent::Yielded(waits) => return Ok(Sent::Yielded(waits)),
                    Sent::Returned(_) | Sent::Ended => self.hint = None,
                }
                sent = Ok(py.None().into_bound(py));
            }
            match self.arrival.resume(self.passage.bind(py), sent)? {
                Arrived::Waits(waits) => return Ok(Sent::Yielded(waits)),
                Arrived::Nothing => return Err(self.no_response(py)),
                Arrived::Message(message) => {
                    if let Some(response) = self.take(py, message)? {
                        return Ok(Sent::Returned(response));
                    }
                }
            }
            sent = Ok(py.None().into_bound(py));
        }
    }

    fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.hint.as_ref().or(self.arrival.awaiting.as_ref())
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.hint.take().or_else(|| self.arrival.awaiting.take())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)?;
        visit.call(&self.hint)?;
        visit.call(&self.info)?;
        visit.call(&self.arrival.awaiting)
    }
}
