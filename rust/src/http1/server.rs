//! `Server`: what the connections of one server share.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyAttributeError, PyKeyError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySet, PyString};

use super::response::{Opening, Response};
use super::tasks::Tasks;

/// A server, as its connections know it.
#[pyclass(frozen, module = "ferrapi._native", name = "NativeServer")]
pub(crate) struct Server {
    /// Bytes of the heads and bodies that are taken here.
    pub(super) max_head: usize,
    pub(super) max_body: u64,
    pub(super) tasks: Tasks,
    /// The event loop's clock, and its way to call something on its next turn.
    time: Py<PyAny>,
    call_soon: Py<PyAny>,
    /// The attributes of the server's state.
    state: Py<PyDict>,
    status_lines: Py<PyDict>,
    /// Whether protocols are told of responses, to log them.
    pub(super) logs: bool,
    /// Whether protocols have to be asked before each request.
    pub(super) is_limited: bool,
    opening: Mutex<Opening>,
}

#[pymethods]
impl Server {
    /// Parameters:
    ///     `max_head`, `max_body`: bytes of what is taken here.
    ///     `event_loop`: its event loop.
    ///     `new_task`: makes tasks, as `asyncio.Task`; None if the loop is to make them.
    ///     `resets_context`: whether tasks begin without context variables.
    ///     tasks: the set of tasks that run.
    ///     state: the attributes of the server's state.
    ///     `status_lines`: by status.
    ///     logs: whether protocols are told of responses, to log them.
    ///     `is_limited`: whether all bytes go to the protocols first.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "each is one thing to know of a server")]
    fn new(
        max_head: usize,
        max_body: u64,
        event_loop: &Bound<'_, PyAny>,
        new_task: Option<Py<PyAny>>,
        resets_context: bool,
        tasks: Py<PySet>,
        state: Py<PyDict>,
        status_lines: Py<PyDict>,
        logs: bool,
        is_limited: bool,
    ) -> PyResult<Self> {
        let tasks = Tasks::new(event_loop, new_task, resets_context, tasks)?;
        let time = event_loop.getattr(intern!(event_loop.py(), "time"))?.unbind();
        let call_soon = event_loop.getattr(intern!(event_loop.py(), "call_soon"))?.unbind();
        let opening = Mutex::default();
        Ok(Self { max_head, max_body, tasks, time, call_soon, state, status_lines, logs, is_limited, opening })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.time)?;
        visit.call(&self.call_soon)?;
        self.tasks.traverse(&visit)?;
        visit.call(&self.state)?;
        match self.opening.try_lock() {
            Ok(opening) => visit.call(&opening.defaults),
            Err(_) => Ok(()),
        }
    }
}

impl Server {
    /// The time by the event loop's clock, in seconds.
    pub(super) fn now(&self, py: Python<'_>) -> PyResult<f64> {
        self.time.bind(py).call0()?.extract()
    }

    /// The status line and the server's default headers.
    pub(super) fn opening(&self, py: Python<'_>, status: u16) -> PyResult<Vec<u8>> {
        let defaults = self.state(py, intern!(py, "default_headers"))?.cast_into::<PyList>()?;
        let mut known = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = known.of(status, self.status_lines.bind(py), &defaults)?;
        opening.map(<[u8]>::to_vec).ok_or_else(|| PyKeyError::new_err(status))
    }

    /// Has `callback` called on the event loop's next turn.
    pub(super) fn call_soon(&self, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        self.call_soon.bind(callback.py()).call1((callback,)).map(drop)
    }

    /// The bytes of a response.
    pub(super) fn whole<'py>(&self, py: Python<'py>, response: &Response<'_, 'py>) -> PyResult<Bound<'py, PyBytes>> {
        let defaults = self.state(py, intern!(py, "default_headers"))?.cast_into::<PyList>()?;
        let mut known = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = known.of(response.status, self.status_lines.bind(py), &defaults)?;
        // Where there is none, uvicorn raises this as well.
        response.write(py, opening.ok_or_else(|| PyKeyError::new_err(response.status))?)
    }

    /// Counts a request that is over.
    pub(super) fn count(&self, py: Python<'_>) -> PyResult<()> {
        let key = intern!(py, "total_requests");
        self.state.bind(py).set_item(key, self.state(py, key)?.add(1)?)
    }

    /// An attribute of the server's state.
    fn state<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let value = self.state.bind(py).get_item(name)?;
        value.ok_or_else(|| PyAttributeError::new_err(name.clone().unbind()))
    }
}
