//! The transport of a request that Python has already: an `Exchange`, inside of whatever stands around the route.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::machine::Machine;
use super::program::Program;
use super::serving::Serving;
use super::transport::Transport;
use crate::request::reader::{Groups, Reader};

/// What a request is to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// A response that is sent.
    Sent,
    /// A response object, which is returned. Contexts are the exchange's to leave.
    Returned,
    /// The endpoint's keyword arguments and the mistakes in the request, which are returned. Contexts as before.
    Solved,
}

/// A request that Python has already.
pub(crate) struct GivenTransport {
    /// What guards that which is done in Python.
    layer: Py<PyAny>,
    exchange: Py<PyAny>,
    goal: Goal,
}

impl GivenTransport {
    pub(super) fn layer<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.layer.bind(py).clone()
    }

    pub(super) fn exchange<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.exchange.bind(py).clone()
    }

    pub(super) fn goal(&self) -> Goal {
        self.goal
    }

    pub(super) fn handlers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.exchange.bind(py).getattr(intern!(py, "handlers"))
    }

    /// The declared parameters; None if any is missing or invalid.
    pub(super) fn read<'py>(&self, py: Python<'py>, reader: &Py<Reader>) -> PyResult<Option<Groups<'py>>> {
        let found = self.exchange.bind(py).call_method1(intern!(py, "read"), (reader,))?;
        if found.is_none() {
            return Ok(None);
        }
        let mut groups = Groups::new();
        for group in found.cast::<PyList>()?.iter() {
            groups.push(if group.is_none() { None } else { Some(group.cast_into::<PyDict>()?) });
        }
        Ok(Some(groups))
    }

    pub(super) fn limits_forms(&self, py: Python<'_>) -> PyResult<bool> {
        let limits = self.exchange.bind(py).call_method1(intern!(py, "peek"), (intern!(py, "ferrapi.form_limits"),))?;
        Ok(!limits.is_none())
    }

    /// The first header called `name`, as `take` has it.
    pub(super) fn header<T>(&self, py: Python<'_>, name: &[u8], take: impl FnOnce(&[u8]) -> T) -> PyResult<Option<T>> {
        let value = self.exchange.bind(py).call_method1(intern!(py, "header"), (PyBytes::new(py, name),))?;
        if value.is_none() {
            return Ok(None);
        }
        Ok(Some(take(value.cast::<PyBytes>()?.as_bytes())))
    }

    /// The body, if it has been read.
    pub(super) fn content<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.exchange.bind(py).getattr(intern!(py, "raw"))?.cast_into::<PyBytes>().ok())
    }

    /// Remembers the body, which has been received.
    pub(super) fn keep(&self, content: &Bound<'_, PyBytes>) -> PyResult<()> {
        self.exchange.bind(content.py()).setattr(intern!(content.py(), "raw"), content)
    }

    /// The next message of the body; None if there is a request object, by which it has to be read.
    pub(super) fn receive<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let exchange = self.exchange.bind(py);
        if !exchange.getattr(intern!(py, "request_object"))?.is_none() {
            return Ok(None);
        }
        exchange.call_method0(intern!(py, "settle_headers"))?;
        exchange.call_method0(intern!(py, "next_message")).map(Some)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.layer)?;
        visit.call(&self.exchange)
    }
}

/// A coroutine that serves a request which Python has.
pub(super) fn serve<'py>(
    program: &Bound<'py, Program>,
    layer: Py<PyAny>,
    exchange: &Bound<'py, PyAny>,
    goal: Goal,
) -> PyResult<Bound<'py, Serving>> {
    let mut machine = machine(program, layer, exchange, goal);
    machine.take_tracer(exchange)?;
    Bound::new(program.py(), Serving::new(machine))
}

/// A coroutine that only runs the dependencies, for a request whose body has been read.
pub(super) fn solve<'py>(
    program: &Bound<'py, Program>,
    layer: Py<PyAny>,
    exchange: &Bound<'py, PyAny>,
    body: Py<PyAny>,
    cache: Option<Py<PyDict>>,
) -> PyResult<Bound<'py, Serving>> {
    let mut machine = machine(program, layer, exchange, Goal::Solved);
    machine.take_known(body, cache);
    Bound::new(program.py(), Serving::new(machine))
}

fn machine(program: &Bound<'_, Program>, layer: Py<PyAny>, exchange: &Bound<'_, PyAny>, goal: Goal) -> Machine {
    let transport = GivenTransport { layer, exchange: exchange.clone().unbind(), goal };
    let mut machine = Machine::new(Transport::Given(transport), Some(program.clone().unbind()));
    machine.take_exchange(exchange);
    machine
}
