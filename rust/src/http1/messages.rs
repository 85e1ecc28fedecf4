//! `MessageCall`: what `receive()` and `send(message)` return, a coroutine that is done in one step unless it has to wait.

use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::in_flight::InFlightRequest;
use crate::py::{self, Attached, Sent};

/// A message that is to be received or sent.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct MessageCall {
    in_flight: Py<InFlightRequest>,
    /// What is sent; None if a message is to be received.
    message: Option<Py<PyAny>>,
    state: Attached<State>,
}

enum State {
    New,
    /// For this iterator of a future.
    Waiting(Py<PyAny>),
    Running,
    Over,
}

/// What a step came to.
enum Next<'py> {
    Wait(Bound<'py, PyAny>),
    Return(Option<Bound<'py, PyAny>>),
}

impl MessageCall {
    fn new<'py>(in_flight: &Bound<'py, InFlightRequest>, message: Option<Py<PyAny>>) -> PyResult<Bound<'py, Self>> {
        Bound::new(
            in_flight.py(),
            Self { in_flight: in_flight.clone().unbind(), message, state: Attached::new(State::New) },
        )
    }

    /// The next message of a request.
    pub(super) fn receive<'py>(in_flight: &Bound<'py, InFlightRequest>) -> PyResult<Bound<'py, Self>> {
        Self::new(in_flight, None)
    }

    /// A message of a response.
    pub(super) fn send_message<'py>(
        in_flight: &Bound<'py, InFlightRequest>,
        message: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        Self::new(in_flight, Some(message.unbind()))
    }

    /// Goes on with what was `sent` for what is awaited.
    fn resume<'py>(&self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Next<'py>> {
        match self.state.replace(py, State::Running) {
            State::Running => return Err(PyValueError::new_err("coroutine already executing")),
            State::Over => {
                drop(self.state.replace(py, State::Over));
                return Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine"));
            }
            State::New => {
                if let Err(error) = sent {
                    return self.end(py, Err(error));
                }
            }
            State::Waiting(iterator) => {
                let iterator = iterator.into_bound(py);
                match py::resume(&iterator, sent) {
                    Ok(Sent::Yielded(again)) => {
                        drop(self.state.replace(py, State::Waiting(iterator.unbind())));
                        return Ok(Next::Wait(again));
                    }
                    Ok(Sent::Returned(_) | Sent::Ended) => {}
                    Err(error) => return self.end(py, Err(error)),
                }
            }
        }
        match self.attempt(py) {
            Ok(Some(next)) => self.end(py, Ok(next)),
            Ok(None) => self.wait(py),
            Err(error) => self.end(py, Err(error)),
        }
    }

    fn end<'py>(&self, py: Python<'py>, result: PyResult<Option<Bound<'py, PyAny>>>) -> PyResult<Next<'py>> {
        drop(self.state.replace(py, State::Over));
        result.map(Next::Return)
    }

    /// Does what there is to do; None if that has to wait.
    #[expect(clippy::option_option, reason = "whether there is a result, and what it is")]
    fn attempt<'py>(&self, py: Python<'py>) -> PyResult<Option<Option<Bound<'py, PyAny>>>> {
        let in_flight = self.in_flight.bind(py);
        let Some(message) = &self.message else {
            return Ok(in_flight.get().next_message(py)?.map(|message| Some(message.into_any())));
        };
        if in_flight.get().connection().is_paused() && !in_flight.get().disconnected() {
            return Ok(None);
        }
        InFlightRequest::take_message(in_flight, message.bind(py))?;
        Ok(Some(None))
    }

    /// Waits until something has changed.
    fn wait<'py>(&self, py: Python<'py>) -> PyResult<Next<'py>> {
        let in_flight = self.in_flight.get();
        let future = in_flight.connection().known().new_future(py)?;
        let waiters = if self.message.is_some() { &in_flight.connection().drains } else { in_flight.waiters() };
        waiters.add(&future)?;
        let iterator = future.call_method0(intern!(py, "__await__"))?;
        match py::send(&iterator, py.None().bind(py))? {
            Sent::Yielded(waited) => {
                drop(self.state.replace(py, State::Waiting(iterator.unbind())));
                Ok(Next::Wait(waited))
            }
            Sent::Returned(_) | Sent::Ended => self.end(py, Err(PyRuntimeError::new_err("a new future is done"))),
        }
    }

    fn step<'py>(&self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match self.resume(py, sent)? {
            Next::Wait(waited) => Ok(waited),
            Next::Return(None) => Err(PyStopIteration::new_err(())),
            Next::Return(Some(value)) => Err(PyStopIteration::new_err((value.unbind(),))),
        }
    }
}

#[pymethods]
impl MessageCall {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.resume(py, Ok(py.None().into_bound(py)))? {
            Next::Wait(waited) => Ok(Some(waited)),
            Next::Return(None) => Ok(None),
            Next::Return(Some(value)) => Err(PyStopIteration::new_err((value.unbind(),))),
        }
    }

    /// Go on with a value for what is awaited.
    fn send<'py>(&self, py: Python<'py>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py, Ok(value))
    }

    /// Go on with an exception in what is awaited.
    #[pyo3(signature = (kind, value=None, traceback=None))]
    fn throw<'py>(
        &self,
        py: Python<'py>,
        kind: Bound<'py, PyAny>,
        value: Option<Bound<'py, PyAny>>,
        traceback: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.step(py, Err(py::exception(&kind, value, traceback)?))
    }

    /// End it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.state.replace(py, State::Over) {
            State::Waiting(iterator) => py::close(iterator.bind(py)),
            State::Running => {
                drop(self.state.replace(py, State::Running));
                Err(PyValueError::new_err("coroutine already executing"))
            }
            State::New | State::Over => Ok(()),
        }
    }

    /// What it waits for.
    #[getter]
    fn cr_await(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.see(py, |state| match state {
            State::Waiting(iterator) => Some(iterator.clone_ref(py)),
            _ => None,
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.in_flight)?;
        visit.call(&self.message)?;
        self.state.traverse(&visit, |state, visit| match state {
            State::Waiting(iterator) => visit.call(iterator),
            _ => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.state.replace(py, State::Over));
    }
}
