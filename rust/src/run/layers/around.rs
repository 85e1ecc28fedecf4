//! `Around`: what the outermost layer does for a request, with middleware below it.

use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::{Flow, Outlet, enter};
use crate::py::{self, Sent};
use crate::run::serving::awaited;

/// A request inside of the layer.
pub(super) struct Around {
    outlet: Py<Outlet>,
    scope: Py<PyAny>,
    receive: Py<PyAny>,
    send: Py<PyAny>,
    stage: Stage,
    awaiting: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    /// The layers below serve the request.
    Below {
        skips_limit: bool,
    },
    /// Python answers what they have raised.
    Recovering,
}

impl Around {
    pub(super) fn new(outlet: Py<Outlet>, scope: Py<PyAny>, receive: Py<PyAny>, send: Py<PyAny>) -> Self {
        Self { outlet, scope, receive, send, stage: Stage::New, awaiting: None }
    }

    /// Calls the layer below.
    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let surroundings = self.outlet.bind(py).get().surroundings(py);
        let (below, skips_limit) = surroundings.below(py)?;
        self.stage = Stage::Below { skips_limit };
        let send = self.outlet.bind(py).clone().into_any();
        let serving = enter(below, &self.scope, self.receive.bind(py), send)?;
        self.awaiting = Some(awaited(&surroundings.layer(py), serving)?.unbind());
        Ok(())
    }

    /// Lets Python answer what was raised below, or raises it.
    fn recover(&mut self, py: Python<'_>, error: PyErr) -> PyResult<()> {
        let Stage::Below { skips_limit } = self.stage else { return Err(error) };
        self.stage = Stage::Recovering;
        self.awaiting = None;
        if !error.is_instance_of::<PyException>(py) {
            return Err(error);
        }
        let layer = self.outlet.bind(py).get().surroundings(py).layer(py);
        let arguments = (&self.scope, &self.receive, &self.send, &self.outlet, skips_limit, error);
        self.awaiting = Some(layer.call_method1(intern!(py, "recover_around"), arguments)?.unbind());
        Ok(())
    }
}

impl Flow for Around {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        if self.stage == Stage::New {
            sent?;
            sent = Ok(py.None().into_bound(py));
            let outlet = self.outlet.bind(py).clone();
            let begun = Outlet::at_work(&outlet, || {
                self.begin(py)?;
                Ok(Sent::Ended)
            });
            if let Err(error) = begun {
                self.recover(py, error)?;
            }
        }
        loop {
            let Some(awaiting) = self.awaiting.as_ref().map(|awaiting| awaiting.bind(py).clone()) else {
                return Ok(Sent::Ended);
            };
            match Outlet::at_work(self.outlet.bind(py), || py::resume(&awaiting, sent)) {
                Ok(Sent::Returned(_) | Sent::Ended) => {
                    self.awaiting = None;
                    return Ok(Sent::Ended);
                }
                Ok(waits) => return Ok(waits),
                Err(error) => self.recover(py, error)?,
            }
            sent = Ok(py.None().into_bound(py));
        }
    }

    fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.outlet)?;
        visit.call(&self.scope)?;
        visit.call(&self.receive)?;
        visit.call(&self.send)?;
        visit.call(&self.awaiting)
    }
}
