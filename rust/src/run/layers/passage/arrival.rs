//! Waiting for a message from below.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::messages::Message;
use super::{Passage, settle};
use crate::py::{self, Sent};
use crate::run::layers::Flow;

/// What there is.
pub(super) enum Arrived<'py> {
    Message(Message),
    /// No application runs any more that could send one.
    Nothing,
    /// Nothing yet: this is to be waited for.
    Waits(Bound<'py, PyAny>),
}

/// Somebody who waits for messages.
#[derive(Default)]
pub(super) struct Arrival {
    /// The iterator of a future.
    pub(super) awaiting: Option<Py<PyAny>>,
}

impl Arrival {
    /// Goes on waiting for a message.
    pub(super) fn resume<'py>(
        &mut self,
        passage: &Bound<'py, Passage>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Arrived<'py>> {
        let py = passage.py();
        let mut sent = sent;
        loop {
            if let Some(waits) = self.wait(py, sent)? {
                return Ok(Arrived::Waits(waits));
            }
            if let Some(message) = passage.get().pop(py)? {
                return Ok(Arrived::Message(message));
            }
            if passage.get().running() == 0 {
                return Ok(Arrived::Nothing);
            }
            self.awaiting = Some(passage.get().something(py)?.unbind());
            sent = Ok(py.None().into_bound(py));
        }
    }

    /// Goes on until no application runs below; answers what is to be waited for.
    pub(super) fn until_end<'py>(
        &mut self,
        passage: &Bound<'py, Passage>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = passage.py();
        let mut sent = sent;
        loop {
            if let Some(waits) = self.wait(py, sent)? {
                return Ok(Some(waits));
            }
            if passage.get().running() == 0 {
                return Ok(None);
            }
            self.awaiting = Some(passage.get().something(py)?.unbind());
            sent = Ok(py.None().into_bound(py));
        }
    }

    /// Goes on with the future; answers what it waits for, None if it is done.
    fn wait<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(awaiting) = &self.awaiting else { return sent.map(|_| None) };
        match py::resume(awaiting.bind(py), sent) {
            Ok(Sent::Yielded(waits)) => return Ok(Some(waits)),
            Ok(Sent::Returned(_) | Sent::Ended) => self.awaiting = None,
            Err(error) => {
                self.awaiting = None;
                return Err(error);
            }
        }
        Ok(None)
    }
}

impl Passage {
    /// Takes a message, and tells who has sent it.
    fn pop(&self, py: Python<'_>) -> PyResult<Option<Message>> {
        let (message, taken) = self.state.change(py, |state| {
            let message = state.messages.pop_front();
            let is_last = message.is_some() && state.messages.is_empty();
            let taken = if is_last { state.taken.as_ref().map(|future| future.clone_ref(py)) } else { None };
            (message, taken)
        });
        if let Some(taken) = taken {
            settle(taken.bind(py))?;
        }
        Ok(message)
    }

    /// The iterator of a future that is done when there is something to look at.
    ///
    /// To wait for the task below would be to pass a cancellation on to that.
    fn something<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let future = self.new_future(py)?;
        let before = self.state.change(py, |state| state.arrived.replace(future.clone().unbind()));
        drop(before);
        future.call_method0(intern!(py, "__await__"))
    }
}

/// A coroutine that returns the next message as ASGI has it, or None.
pub(super) struct NextMessage {
    passage: Py<Passage>,
    arrival: Arrival,
    is_new: bool,
}

impl NextMessage {
    pub(super) fn new(passage: Py<Passage>) -> Self {
        Self { passage, arrival: Arrival::default(), is_new: true }
    }
}

impl Flow for NextMessage {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        self.is_new = false;
        match self.arrival.resume(self.passage.bind(py), sent)? {
            Arrived::Message(message) => message.into_asgi(py).map(Sent::Returned),
            Arrived::Nothing => Ok(Sent::Ended),
            Arrived::Waits(waits) => Ok(Sent::Yielded(waits)),
        }
    }

    fn is_new(&self) -> bool {
        self.is_new
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.arrival.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.arrival.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)?;
        visit.call(&self.arrival.awaiting)
    }
}
