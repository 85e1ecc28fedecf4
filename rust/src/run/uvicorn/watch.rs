//! `Watch`: cancels a scope when uvicorn says that the client has left, without a task that waits for it.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::{Owner, UvicornCycles};
use crate::http1;
use crate::py::{self, Attached, Sent};

/// Calls the `receive` of uvicorn's cycle until that tells of the end of the connection, and cancels a scope then.
///
/// It waits as a callback of the futures that `receive` waits for. Nothing of the user's is called by that, so nobody asks for the
/// task in which it runs.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Watch {
    receive: Py<PyAny>,
    scope: Py<PyAny>,
    waiting: Attached<Option<Py<PyAny>>>,
    is_over: AtomicBool,
}

/// Who says that a client has left.
pub(in crate::run) enum Heard<'py> {
    /// The `receive` of uvicorn's cycle.
    Uvicorn,
    /// A request of ferrapi's own protocol, whose body has come.
    Own(Bound<'py, http1::InFlightRequest>),
}

impl UvicornCycles {
    /// Who says by `receive` that the client has left, if that is known.
    pub(in crate::run) fn heard_by<'py>(
        &self,
        layer: &Bound<'py, PyAny>,
        receive: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Heard<'py>>> {
        Ok(match self.owner(layer, receive, |parts| &parts.receive)? {
            Some(Owner::Uvicorn(_)) => Some(Heard::Uvicorn),
            // Otherwise the body has to be taken, or the client is held back and can't be seen to leave.
            Some(Owner::Own(cycle)) if cycle.get().connection().has_whole_body(cycle.py()) => Some(Heard::Own(cycle)),
            Some(Owner::Own(_)) | None => None,
        })
    }
}

#[pymethods]
impl Watch {
    /// Go on when a future is done.
    fn __call__(slf: &Bound<'_, Self>, _future: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::go_on(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.receive)?;
        visit.call(&self.scope)?;
        self.waiting.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.waiting.take(py));
    }
}

impl Watch {
    /// Begins to wait.
    pub(in crate::run) fn begin<'py>(
        receive: &Bound<'py, PyAny>,
        scope: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let watch = Self {
            receive: receive.clone().unbind(),
            scope: scope.clone().unbind(),
            waiting: Attached::default(),
            is_over: AtomicBool::new(false),
        };
        let watch = Bound::new(receive.py(), watch)?;
        Self::go_on(&watch)?;
        Ok(watch)
    }

    /// Stops waiting.
    pub(in crate::run) fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.is_over.store(true, Ordering::Relaxed);
        self.waiting.take(py).map_or(Ok(()), |waiting| py::close(waiting.bind(py)))
    }

    fn go_on(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        if this.is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        loop {
            let receiving = match this.waiting.take(py) {
                Some(waiting) => waiting.into_bound(py),
                None => this.receive.bind(py).call0()?,
            };
            match py::send(&receiving, py.None().bind(py))? {
                Sent::Yielded(future) => {
                    future.setattr(intern!(py, "_asyncio_future_blocking"), false)?; // as a task does that has seen it
                    drop(this.waiting.replace(py, Some(receiving.unbind())));
                    return future.call_method1(intern!(py, "add_done_callback"), (slf,)).map(drop);
                }
                Sent::Returned(message) => {
                    if message.get_item(intern!(py, "type"))?.eq(intern!(py, "http.disconnect"))? {
                        this.is_over.store(true, Ordering::Relaxed);
                        return this.scope.bind(py).call_method0(intern!(py, "cancel")).map(drop);
                    }
                }
                Sent::Ended => return Ok(()),
            }
        }
    }
}
