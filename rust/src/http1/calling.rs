//! `Calling`: a request whose application is called by way of ASGI.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::in_flight::InFlightRequest;
use crate::py::{self, Sent};
use crate::run::{Flow, Front, awaited};

/// A request that the application is called for.
///
/// What it raises, and what it leaves unanswered, is answered or logged as uvicorn does it.
pub(super) struct Calling {
    in_flight: Py<InFlightRequest>,
    is_new: bool,
    awaiting: Option<Py<PyAny>>,
}

impl Calling {
    pub(super) fn new(in_flight: Py<InFlightRequest>) -> Self {
        Self { in_flight, is_new: true, awaiting: None }
    }

    /// Calls the application, but not uvicorn's middleware for proxies where that has nothing to do, nor a `__call__` of which
    /// it is known what it does.
    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let in_flight = self.in_flight.bind(py);
        let protocol = in_flight.get().protocol(py);
        let loaded = protocol.getattr(intern!(py, "config"))?.getattr(intern!(py, "loaded_app"))?;
        let is_idle = loaded.get_type().is(&protocol.getattr(intern!(py, "layer_for_proxies"))?)
            && !in_flight.get().head().is_of_proxy(py);
        let application = if is_idle { loaded.getattr(intern!(py, "app"))? } else { loaded };
        let (receive, send) = (in_flight.getattr(intern!(py, "receive"))?, in_flight.getattr(intern!(py, "send"))?);
        let scope = in_flight.get().scope_of(py)?.into_any();
        let front = protocol.getattr(intern!(py, "front"))?;
        let (own_call, front) = (front.get_item(0)?, front.get_item(1)?.cast_into::<Front>()?);
        let is_own = application.get_type().getattr(intern!(py, "__call__"))?.is(&own_call);
        let entered = if is_own { front.get().enter(&application, &scope, &receive, &send)? } else { None };
        let called = match entered {
            Some(serving) => serving,
            None => application.call1((scope, receive, send))?,
        };
        self.awaiting = Some(awaited(&protocol, called)?.unbind());
        Ok(())
    }

    /// Sees to it that the request is answered.
    fn conclude<'py>(&mut self, py: Python<'py>, done: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        self.awaiting = None;
        let in_flight = self.in_flight.get();
        match done {
            Ok(result) if result.is_none() => in_flight.settle(py)?,
            Ok(result) => in_flight.refuse_result(&result)?,
            Err(error) => in_flight.refuse_error(py, error)?,
        }
        Ok(Sent::Ended)
    }
}

impl Flow for Calling {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        if self.is_new {
            self.is_new = false;
            sent?;
            if let Err(error) = py::guarded(|| self.begin(py)) {
                return self.conclude(py, Err(error));
            }
            sent = Ok(py.None().into_bound(py));
        }
        let Some(awaiting) = self.awaiting.as_ref().map(|awaiting| awaiting.bind(py).clone()) else {
            return Ok(Sent::Ended);
        };
        match py::guarded(|| py::resume(&awaiting, sent)) {
            Ok(Sent::Yielded(waits)) => Ok(Sent::Yielded(waits)),
            Ok(Sent::Returned(result)) => self.conclude(py, Ok(result)),
            Ok(Sent::Ended) => self.conclude(py, Ok(py.None().into_bound(py))),
            Err(error) => self.conclude(py, Err(error)),
        }
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.in_flight.get().connection().forget(py, &self.in_flight)
    }

    fn is_new(&self) -> bool {
        self.is_new
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.in_flight)?;
        visit.call(&self.awaiting)
    }
}
