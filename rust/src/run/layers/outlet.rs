//! `Surroundings`: the outermost layer of an application that has middleware; `Outlet`: the `send` of a request in it.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::Ready;
use super::around::Around;
use super::named::{self, last_part};
use crate::py::{self, Attached, Sent};
use crate::response::checks::{describes_body, response_head_problem};
use crate::run::Serving;
use crate::run::asgi::whole_body;
use crate::run::transport::Headers;
use crate::run::uvicorn::UvicornCycles;

thread_local! {
    /// The address of the outlet whose request this thread is working on, which will let it write what it holds back.
    static AT_WORK: Cell<usize> = const { Cell::new(0) };
}

/// The outermost layer of an application with middleware.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Surroundings {
    layer: Py<PyAny>,
    /// The layer of a limit for bodies, if there is one.
    limit: Option<Py<PyAny>>,
    /// The layer behind that.
    below: Py<PyAny>,
    cycles: UvicornCycles,
    ready: Py<Ready>,
}

/// The `send` of a request: notes that the response has begun, and puts a response in two messages into one write.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Outlet {
    surroundings: Py<Surroundings>,
    target: Py<PyAny>,
    started: AtomicBool,
    held: Attached<Option<Held>>,
}

/// The head of a response that has not been sent yet.
struct Held {
    status: u16,
    headers: Py<PyList>,
    message: Py<PyAny>,
}

#[pymethods]
impl Surroundings {
    /// Parameters:
    ///     layer: what answers exceptions (`ferrapi._middleware_stack.ServerErrors`).
    ///     below: the layer below.
    ///     limit: the layer of a limit for bodies between the two, which is left out if it has none (`is_limited`); or None.
    #[new]
    #[pyo3(signature = (layer, below, limit))]
    fn new(py: Python<'_>, layer: Py<PyAny>, below: Py<PyAny>, limit: Option<Py<PyAny>>) -> PyResult<Self> {
        Ok(Self { layer, limit, below, cycles: UvicornCycles::default(), ready: Py::new(py, Ready)? })
    }

    /// A coroutine that serves a request.
    fn serve<'py>(
        slf: &Bound<'py, Self>,
        scope: Py<PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Bound<'py, Serving>> {
        let outlet = Outlet {
            surroundings: slf.clone().unbind(),
            target: send.clone_ref(slf.py()),
            started: AtomicBool::new(false),
            held: Attached::default(),
        };
        let outlet = Bound::new(slf.py(), outlet)?.unbind();
        Bound::new(slf.py(), Serving::of(Box::new(Around::new(outlet, scope, receive, send))))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.layer)?;
        visit.call(&self.limit)?;
        self.cycles.traverse(&visit)?;
        visit.call(&self.below)
    }
}

impl Surroundings {
    pub(super) fn layer<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.layer.bind(py).clone()
    }

    /// What is to be called, and whether a layer without a limit is left out.
    pub(super) fn below<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, bool)> {
        let below = self.below.bind(py).clone();
        let Some(limit) = &self.limit else { return Ok((below, false)) };
        let limit = limit.bind(py);
        if limit.getattr(intern!(py, "is_limited"))?.is_truthy()? {
            return Ok((limit.clone(), false));
        }
        Ok((below, true))
    }
}

#[pymethods]
impl Outlet {
    /// Takes a message; returns what is to be awaited.
    fn __call__<'py>(slf: &Bound<'py, Self>, message: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let kind = message.get_item(intern!(py, "type"))?;
        if let Some(held) = this.held.replace(py, None) {
            if this.send_with(py, &held, &message)? {
                return Ok(this.ready(py));
            }
            this.send_held(py, &held)?;
        } else if kind.eq(intern!(py, "http.response.start"))? {
            this.note_start();
            if let Some(held) = this.held_of(slf, &message)? {
                drop(this.held.replace(py, Some(held)));
                return Ok(this.ready(py));
            }
        }
        this.target.bind(py).call1((message,))
    }

    #[getter(__qualname__)]
    fn qualname(&self) -> &'static str {
        named::OUTERMOST
    }

    #[getter(__name__)]
    fn name(&self) -> &'static str {
        last_part(named::OUTERMOST)
    }

    /// Whether the response has begun.
    #[getter]
    fn started(&self) -> bool {
        self.has_started()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.surroundings)?;
        visit.call(&self.target)?;
        self.held.traverse(&visit, |held, visit| match held {
            Some(held) => {
                visit.call(&held.headers)?;
                visit.call(&held.message)
            }
            None => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.held.replace(py, None));
    }
}

impl Outlet {
    pub(super) fn surroundings<'s, 'py>(&'s self, py: Python<'py>) -> &'s Surroundings
    where
        'py: 's,
    {
        self.surroundings.bind(py).get()
    }

    pub(super) fn has_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }

    pub(super) fn note_start(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Where messages go.
    pub(super) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    /// What knows the server's `send`, and the layer that answers its questions.
    pub(super) fn server<'s, 'py>(&'s self, py: Python<'py>) -> (Bound<'py, PyAny>, &'s UvicornCycles)
    where
        'py: 's,
    {
        let surroundings = self.surroundings(py);
        (surroundings.layer(py), &surroundings.cycles)
    }

    /// Sends a whole response, if the server is one that takes it.
    fn send_whole<'py>(&self, py: Python<'py>, status: u16, headers: &Headers<'_, 'py>, body: &[u8]) -> PyResult<bool> {
        let (layer, cycles) = self.server(py);
        cycles.send(&layer, self.target.bind(py), status, headers, body)
    }

    /// Works on the request, and writes what is held back when that has to wait, or is over.
    pub(super) fn at_work<'py>(
        slf: &Bound<'py, Self>,
        work: impl FnOnce() -> PyResult<Sent<'py>>,
    ) -> PyResult<Sent<'py>> {
        let before = AT_WORK.replace(slf.as_ptr().addr());
        let done = py::guarded(work);
        AT_WORK.set(before);
        let this = slf.get();
        if let Some(held) = this.held.replace(slf.py(), None) {
            this.send_held(slf.py(), &held)?;
        }
        done
    }

    fn ready<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.surroundings(py).ready.bind(py).clone().into_any()
    }

    /// The head of a response, if it may be held back for the body.
    ///
    /// It may while somebody works on the request who will see to it, if the server is one that takes whole responses.
    fn held_of<'py>(&self, slf: &Bound<'py, Self>, message: &Bound<'py, PyAny>) -> PyResult<Option<Held>> {
        let py = slf.py();
        if AT_WORK.get() != slf.as_ptr().addr() {
            return Ok(None);
        }
        let surroundings = self.surroundings(py);
        let Ok(message) = message.cast_exact::<PyDict>() else { return Ok(None) };
        let (status, headers) = (message.get_item(intern!(py, "status"))?, message.get_item(intern!(py, "headers"))?);
        let (Some(status), Some(Ok(headers))) = (status, headers.map(Bound::cast_into_exact::<PyList>)) else {
            return Ok(None);
        };
        if !surroundings.cycles.takes_whole(&surroundings.layer(py), self.target.bind(py))?
            || response_head_problem(&status, &headers)?.is_some()
        {
            return Ok(None);
        }
        let Ok(status) = status.extract::<u16>() else { return Ok(None) };
        // Who has sent the list may go on to use it.
        let headers = headers.get_slice(0, headers.len());
        let copy = message.copy()?;
        copy.set_item(intern!(py, "headers"), &headers)?;
        Ok(Some(Held { status, headers: headers.unbind(), message: copy.into_any().unbind() }))
    }

    /// Sends a head with the message of the body, if that is the whole body.
    fn send_with(&self, py: Python<'_>, held: &Held, message: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Some(body) = whole_body(message, intern!(py, "http.response.body"))? else { return Ok(false) };
        let headers = held.headers.bind(py);
        if !describes_body(held.status, headers, body.as_bytes().len()) {
            return Ok(false);
        }
        self.send_whole(py, held.status, &Headers::Pairs(headers.clone()), body.as_bytes())
    }

    /// Sends a head that was held back. The server takes it without waiting: it was asked before.
    fn send_held(&self, py: Python<'_>, held: &Held) -> PyResult<()> {
        let sending = self.target.bind(py).call1((&held.message,))?;
        match py::send(&sending, &py.None().into_bound(py))? {
            Sent::Returned(_) | Sent::Ended => Ok(()),
            Sent::Yielded(_) => py::close(&sending),
        }
    }
}
