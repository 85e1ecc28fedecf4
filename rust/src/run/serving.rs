//! `Serving`: a request being served, as a coroutine.

use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError, PyStopIteration, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::layers::{Flow, Ready};
use super::machine::Machine;
use super::transport::Transport;
use crate::http1::MessageCall;
use crate::py::{self, Attached, Sent, attribute};

/// A request being served: a coroutine that returns None.
///
/// What it awaits gets what is sent and thrown into it, as with a coroutine of an `async def`.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Serving {
    /// Whether the request came by the HTTP/1.1 transport, which gives it a task of its own and tells the server of that.
    has_own_task: bool,
    state: Attached<State>,
}

/// What runs is taken out meanwhile.
enum State {
    Waiting(Work),
    Running,
    Over,
}

/// What is run.
enum Work {
    /// A request on its way through its program. It is large, and work is taken out and put back whenever it goes on.
    Request(Box<Machine>),
    /// A layer around it.
    Layer(Box<dyn Flow>),
}

impl Work {
    fn is_new(&self) -> bool {
        match self {
            Self::Request(machine) => machine.is_new(),
            Self::Layer(flow) => flow.is_new(),
        }
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        match self {
            Self::Request(machine) => machine.awaiting(),
            Self::Layer(flow) => flow.awaiting(),
        }
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        match self {
            Self::Request(machine) => machine.take_awaiting(),
            Self::Layer(flow) => flow.take_awaiting(),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Request(machine) => machine.traverse(visit),
            Self::Layer(flow) => flow.traverse(visit),
        }
    }
}

type Step<'py> = PyResult<Sent<'py>>;

impl Serving {
    pub(crate) fn new(machine: Machine) -> Self {
        Self {
            has_own_task: matches!(machine.transport, Transport::Http(_)),
            state: Attached::new(State::Waiting(Work::Request(Box::new(machine)))),
        }
    }

    /// A coroutine that runs a layer.
    pub(super) fn of(flow: Box<dyn Flow>) -> Self {
        Self { has_own_task: false, state: Attached::new(State::Waiting(Work::Layer(flow))) }
    }

    /// The same, for a request that came by the HTTP/1.1 transport.
    pub(crate) fn of_request(flow: Box<dyn Flow>) -> Self {
        Self { has_own_task: true, state: Attached::new(State::Waiting(Work::Layer(flow))) }
    }

    /// Whether the server knows the task that it is of.
    pub(crate) fn has_own_task(&self) -> bool {
        self.has_own_task
    }

    /// What `see` says of the state, which is taken out meanwhile.
    fn look<T>(&self, py: Python<'_>, see: impl FnOnce(&State) -> T) -> T {
        let state = self.state.replace(py, State::Running);
        let seen = see(&state);
        drop(self.state.replace(py, state));
        seen
    }

    /// Takes what is to be run; None if it is over.
    fn take(&self, py: Python<'_>) -> PyResult<Option<Work>> {
        match self.state.replace(py, State::Running) {
            State::Waiting(work) => Ok(Some(work)),
            State::Running => Err(PyValueError::new_err("coroutine already executing")),
            State::Over => {
                drop(self.state.replace(py, State::Over));
                Ok(None)
            }
        }
    }

    /// Runs it to its next wait, or to its end.
    fn run<'py>(&self, py: Python<'py>, mut work: Work, sent: PyResult<Bound<'py, PyAny>>) -> Step<'py> {
        let step = match &mut work {
            Work::Request(machine) => match machine.resume(py, sent) {
                Ok(Some(waits)) => Ok(Sent::Yielded(waits)),
                Ok(None) => {
                    Ok(machine.take_returned().map_or(Sent::Ended, |value| Sent::Returned(value.into_bound(py))))
                }
                Err(error) => Err(error),
            },
            Work::Layer(flow) => flow.resume(py, sent),
        };
        if let Ok(Sent::Yielded(_)) = &step {
            drop(self.state.replace(py, State::Waiting(work)));
        } else {
            self.end(py, &work)?;
        }
        step
    }

    /// It is over: lets go of all that it held.
    fn end(&self, py: Python<'_>, work: &Work) -> PyResult<()> {
        drop(self.state.replace(py, State::Over));
        match work {
            Work::Layer(flow) => flow.finish(py),
            Work::Request(machine) => match &machine.transport {
                Transport::Asgi(_) | Transport::Given(_) => Ok(()),
                Transport::Http(transport) => {
                    machine.release(py)?;
                    transport.connection().forget(py, &transport.in_flight)
                }
            },
        }
    }

    /// Whether a layer can go on before its task comes to that.
    pub(super) fn is_early(&self, py: Python<'_>) -> bool {
        self.look(py, |state| matches!(state, State::Waiting(Work::Layer(flow)) if flow.is_early()))
    }

    /// Runs a layer to its next wait before its task comes to that.
    pub(super) fn run_early(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state.replace(py, State::Running);
        let done = match &mut state {
            State::Waiting(Work::Layer(flow)) => py::guarded(|| flow.resume_early(py)),
            State::Waiting(Work::Request(_)) | State::Running | State::Over => Ok(()),
        };
        drop(self.state.replace(py, state));
        done
    }

    fn resume<'py>(&self, py: Python<'py>, value: Bound<'py, PyAny>) -> Step<'py> {
        match self.take(py)? {
            Some(work) if work.is_new() && !value.is_none() => {
                drop(self.state.replace(py, State::Waiting(work)));
                Err(PyTypeError::new_err("can't send non-None value to a just-started coroutine"))
            }
            Some(work) => self.run(py, work, Ok(value)),
            None => Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine")),
        }
    }
}

#[pymethods]
impl Serving {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.resume(py, py.None().into_bound(py))? {
            Sent::Yielded(value) => Ok(Some(value)),
            Sent::Returned(value) => Err(stop_with(value)),
            Sent::Ended => Ok(None),
        }
    }

    /// Go on with a value for what is awaited.
    fn send<'py>(&self, py: Python<'py>, value: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        yielded(self.resume(py, value)?)
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
        let error = py::exception(&kind, value, traceback)?;
        match self.take(py)? {
            Some(work) if work.is_new() => {
                self.end(py, &work)?;
                Err(error)
            }
            Some(work) => yielded(self.run(py, work, Err(error))?),
            None => Err(PyRuntimeError::new_err("cannot reuse already awaited coroutine")),
        }
    }

    /// End it: raise `GeneratorExit` in what is awaited.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(mut work) = self.take(py)? else { return Ok(()) };
        if work.is_new() {
            return self.end(py, &work);
        }
        // What is awaited is closed, and then left behind.
        let closed = work.take_awaiting().map_or(Ok(()), |awaiting| py::close(awaiting.bind(py)));
        let sent = closed.err().unwrap_or_else(|| PyGeneratorExit::new_err(()));
        match self.run(py, work, Err(sent)) {
            Ok(Sent::Returned(_) | Sent::Ended) => Ok(()),
            Ok(Sent::Yielded(_)) => Err(PyRuntimeError::new_err("coroutine ignored GeneratorExit")),
            Err(error)
                if error.is_instance_of::<PyGeneratorExit>(py) || error.is_instance_of::<PyStopIteration>(py) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What it waits for.
    #[getter]
    fn cr_await(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.look(py, |state| match state {
            State::Waiting(work) => work.awaiting().map(|awaiting| awaiting.clone_ref(py)),
            State::Running | State::Over => None,
        })
    }

    /// The frame of what it waits for: where a task that runs it stands.
    #[getter]
    fn cr_frame<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.cr_await(py) {
            Some(awaiting) => attribute(awaiting.bind(py), intern!(py, "cr_frame")),
            None => Ok(None),
        }
    }

    /// Whether it has begun, and waits.
    #[getter]
    fn cr_suspended(&self, py: Python<'_>) -> bool {
        self.look(py, |state| matches!(state, State::Waiting(work) if !work.is_new()))
    }

    /// Whether it is running.
    #[getter]
    fn cr_running(&self, py: Python<'_>) -> bool {
        self.look(py, |state| matches!(state, State::Running))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.state.traverse(&visit, |state, visit| match state {
            State::Waiting(work) => work.traverse(visit),
            State::Running | State::Over => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.state.replace(py, State::Over));
    }
}

/// What a step of a coroutine awaits: `awaitable` itself if it is a coroutine, native or not; else one around it, by Python.
pub(crate) fn awaited<'py>(layer: &Bound<'py, PyAny>, awaitable: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let is_one = py::is_coroutine(&awaitable)
        || awaitable.is_exact_instance_of::<Serving>()
        || awaitable.is_exact_instance_of::<Ready>()
        || awaitable.is_exact_instance_of::<MessageCall>();
    if is_one { Ok(awaitable) } else { layer.call_method1(intern!(layer.py(), "wait_for"), (awaitable,)) }
}

/// What `send` and `throw` return for a step, or raise at the end.
fn yielded(step: Sent<'_>) -> PyResult<Bound<'_, PyAny>> {
    match step {
        Sent::Yielded(value) => Ok(value),
        Sent::Returned(value) => Err(stop_with(value)),
        Sent::Ended => Err(PyStopIteration::new_err(())),
    }
}

/// What a coroutine raises that returns a value.
fn stop_with(value: Bound<'_, PyAny>) -> PyErr {
    PyStopIteration::new_err((value.unbind(),)) // in a tuple, or one would be taken apart
}
