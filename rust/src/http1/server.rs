//! `Server`: what the connections of one server share.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyKeyError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PySet, PyString, PyTuple};
use wire::http1::Limits;

use super::request_head::RequestHead;
use super::response::{Opening, Response};
use super::site::Site;
use super::tasks::Tasks;
use super::timing::Patience;
use crate::access_log::AccessLog;
use crate::py::{self, Attached};

/// A server, as its connections know it.
#[pyclass(frozen, module = "ferrapi._native", name = "NativeServer")]
pub(crate) struct Server {
    /// How large requests may be.
    pub(super) limits: Limits,
    /// How long clients are waited for.
    pub(super) patience: Patience,
    pub(super) tasks: Tasks,
    /// The largest number of connections or tasks.
    limit: Option<usize>,
    /// The event loop's methods.
    time: Py<PyAny>,
    call_soon: Py<PyAny>,
    call_later: Py<PyAny>,
    create_future: Py<PyAny>,
    /// The context in which connections are read.
    context: Py<PyAny>,
    /// `uvicorn.server.ServerState`, and its sets.
    state: Py<PyAny>,
    /// Its attributes, most of which are found here without looking at its class.
    attributes: Option<Py<PyDict>>,
    connections: Py<PyAny>,
    running: Py<PySet>,
    status_lines: Py<PyDict>,
    logger: Py<PyAny>,
    access_log: Option<Py<AccessLog>>,
    asgi_version: Py<PyAny>,
    root_path: String,
    opening: Mutex<Opening>,
    /// The application as Python knows it, if its routes are known.
    site: Attached<Option<Py<PyAny>>>,
    native_site: Attached<Option<Py<Site>>>,
}

#[pymethods]
impl Server {
    /// Parameters:
    ///     `event_loop`: its event loop.
    ///     `new_task`: makes tasks, as `asyncio.Task`; None if the loop is to make them.
    ///     `resets_context`: whether tasks begin without context variables.
    ///     state: `uvicorn.server.ServerState`.
    ///     `status_lines`: by status.
    ///     loggers: for errors, and the access log if there is one.
    ///     limits: bytes of a head, and of a body if that has a limit.
    ///     patience: seconds between requests, and for a head and for more of a body if those have limits.
    ///     settings: the limit of concurrency, the version of ASGI, the root path.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "each is another thing, and there is one call")]
    fn new(
        event_loop: &Bound<'_, PyAny>,
        new_task: Option<Py<PyAny>>,
        resets_context: bool,
        state: &Bound<'_, PyAny>,
        status_lines: Py<PyDict>,
        loggers: (Py<PyAny>, Option<Py<AccessLog>>),
        limits: (usize, Option<u64>),
        patience: (f64, Option<f64>, Option<f64>),
        settings: (Option<usize>, Py<PyAny>, String),
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let running = state.getattr(intern!(py, "tasks"))?.cast_into::<PySet>()?.unbind();
        let tasks = Tasks::new(event_loop, new_task, resets_context, running.clone_ref(py))?;
        let method = |name: &str| Ok::<_, PyErr>(event_loop.getattr(name)?.unbind());
        let (limit, asgi_version, root_path) = settings;
        Ok(Self {
            limits: Limits { head: limits.0, body: limits.1 },
            patience: Patience { keep_alive: patience.0, head: patience.1, body: patience.2 },
            tasks,
            limit,
            time: method("time")?,
            call_soon: method("call_soon")?,
            call_later: method("call_later")?,
            create_future: method("create_future")?,
            context: py.import("contextvars")?.call_method0("copy_context")?.unbind(),
            connections: state.getattr(intern!(py, "connections"))?.unbind(),
            state: state.clone().unbind(),
            attributes: state
                .getattr_opt("__dict__")?
                .and_then(|own| own.cast_into::<PyDict>().ok())
                .map(Bound::unbind),
            running,
            status_lines,
            logger: loggers.0,
            access_log: loggers.1,
            asgi_version,
            root_path,
            opening: Mutex::default(),
            site: Attached::default(),
            native_site: Attached::default(),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for object in [&self.time, &self.call_soon, &self.call_later, &self.create_future, &self.context] {
            visit.call(object)?;
        }
        self.tasks.traverse(&visit)?;
        visit.call(&self.state)?;
        visit.call(&self.attributes)?;
        visit.call(&self.access_log)?;
        visit.call(&self.connections)?;
        visit.call(&self.running)?;
        visit.call(&self.status_lines)?;
        visit.call(&self.logger)?;
        visit.call(&self.asgi_version)?;
        self.site.visit(&visit)?;
        self.native_site.visit(&visit)?;
        match self.opening.try_lock() {
            Ok(opening) => opening.traverse(&visit),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.site.take(py));
        drop(self.native_site.take(py));
    }
}

impl Server {
    /// The application, if its routes are known.
    pub(super) fn site<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Site>> {
        self.native_site.get(py).map(|site| site.into_bound(py))
    }

    /// Serves this application from here on: a `Site`, or None if it has to be called.
    pub(super) fn use_site<'py>(&self, found: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Site>>> {
        let py = found.py();
        if found.is_none() {
            drop(self.native_site.take(py));
            drop(self.site.take(py));
            return Ok(None);
        }
        let native = found.getattr(intern!(py, "native"))?.cast_into::<Site>()?;
        drop(self.native_site.replace(py, Some(native.clone().unbind())));
        drop(self.site.replace(py, Some(found.clone().unbind())));
        Ok(Some(native))
    }

    /// The client of a request as the application sees it: `peer`, or the one that a trusted proxy names.
    pub(super) fn seen_client<'py>(
        &self,
        py: Python<'py>,
        head: &RequestHead,
        peer: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match self.site.get(py) {
            Some(site) if head.value_of(py, b"x-forwarded-for").is_some() => {
                site.bind(py).call_method1(intern!(py, "client"), (head.clone(), peer))
            }
            _ => Ok(peer),
        }
    }

    /// The connections that are open.
    pub(super) fn connections<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.connections.bind(py).clone()
    }

    /// The context in which connections are read.
    pub(super) fn context<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.context.bind(py).clone()
    }

    /// Whether there are as many connections or tasks as there may be.
    pub(super) fn is_full(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(limit) = self.limit else { return Ok(false) };
        Ok(self.connections.bind(py).len()? >= limit || self.running.bind(py).len() >= limit)
    }

    /// The log of requests, if there is one.
    pub(super) fn access_log<'py>(&self, py: Python<'py>) -> Option<Bound<'py, AccessLog>> {
        self.access_log.as_ref().map(|log| log.bind(py).clone())
    }

    /// The path that a proxy in front leaves out.
    pub(super) fn root_path(&self) -> &str {
        &self.root_path
    }

    /// The log of what goes wrong.
    pub(super) fn logger<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.logger.bind(py)
    }

    /// Logs a warning.
    pub(super) fn warn(&self, py: Python<'_>, message: &str) -> PyResult<()> {
        self.logger(py).call_method1(intern!(py, "warning"), (message,)).map(drop)
    }

    /// The time by the event loop's clock, in seconds.
    pub(super) fn now(&self, py: Python<'_>) -> PyResult<f64> {
        self.time.bind(py).call0()?.extract()
    }

    /// The ASGI scope of a request, as uvicorn makes it.
    pub(super) fn scope<'py>(
        &self,
        py: Python<'py>,
        head: &RequestHead,
        ends: &Bound<'py, PyTuple>,
        state: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let asgi = PyDict::new(py);
        asgi.set_item(intern!(py, "version"), &self.asgi_version)?;
        asgi.set_item(intern!(py, "spec_version"), intern!(py, "2.3"))?;
        let scope = PyDict::new(py);
        scope.set_item(intern!(py, "type"), intern!(py, "http"))?;
        scope.set_item(intern!(py, "asgi"), asgi)?;
        scope.set_item(intern!(py, "http_version"), head.version())?;
        scope.set_item(intern!(py, "server"), ends.get_item(0)?)?;
        scope.set_item(intern!(py, "client"), ends.get_item(1)?)?;
        scope.set_item(intern!(py, "scheme"), ends.get_item(2)?)?;
        scope.set_item(intern!(py, "root_path"), py::text(py, &self.root_path))?;
        scope.set_item(intern!(py, "headers"), head.header_list(py)?)?;
        scope.set_item(intern!(py, "state"), state)?;
        scope.set_item(intern!(py, "method"), head.method_name())?;
        let raw = head.path_bytes(py);
        let path = wire::path::percent_decode(raw);
        if self.root_path.is_empty() {
            scope.set_item(intern!(py, "path"), py::text(py, &path))?;
            scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, raw))?;
        } else {
            scope.set_item(intern!(py, "path"), py::text(py, &format!("{}{path}", self.root_path)))?;
            scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, &[self.root_path.as_bytes(), raw].concat()))?;
        }
        scope.set_item(intern!(py, "query_string"), PyBytes::new(py, head.query_bytes(py)))?;
        Ok(scope)
    }

    /// The status line and the server's default headers.
    pub(super) fn opening(&self, py: Python<'_>, status: u16) -> PyResult<Vec<u8>> {
        let defaults = self.state_of(py, intern!(py, "default_headers"))?.cast_into::<PyList>()?;
        let mut known = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = known.of(status, self.status_lines.bind(py), &defaults)?;
        opening.map(<[u8]>::to_vec).ok_or_else(|| PyKeyError::new_err(status))
    }

    /// Has `callback` called on the event loop's next turn, in the context in which connections are read.
    pub(super) fn call_soon(&self, callback: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = callback.py();
        let options = PyDict::new(py);
        options.set_item(intern!(py, "context"), &self.context)?;
        self.call_soon.bind(py).call((callback,), Some(&options)).map(drop)
    }

    /// Has `callback` called in so many seconds; returns what cancels that.
    pub(super) fn call_later<'py>(&self, delay: f64, callback: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.call_later.bind(callback.py()).call1((delay, callback))
    }

    /// A future of the event loop's.
    pub(super) fn new_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.create_future.bind(py).call0()
    }

    /// The bytes of a response.
    pub(super) fn whole<'py>(&self, py: Python<'py>, response: &Response<'_, 'py>) -> PyResult<Bound<'py, PyBytes>> {
        let defaults = self.state_of(py, intern!(py, "default_headers"))?.cast_into::<PyList>()?;
        let mut known = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let opening = known.of(response.status, self.status_lines.bind(py), &defaults)?;
        // Where there is none, uvicorn raises this as well.
        response.write(py, opening.ok_or_else(|| PyKeyError::new_err(response.status))?)
    }

    /// Counts a request that is over.
    pub(super) fn count(&self, py: Python<'_>) -> PyResult<()> {
        let key = intern!(py, "total_requests");
        let counted = self.state_of(py, key)?.add(1)?;
        match &self.attributes {
            Some(own) if own.bind(py).contains(key)? => own.bind(py).set_item(key, counted),
            _ => self.state.bind(py).setattr(key, counted),
        }
    }

    /// An attribute of the server's state.
    fn state_of<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let own = self.attributes.as_ref().map(|own| own.bind(py).get_item(name)).transpose()?;
        own.flatten().map_or_else(|| self.state.bind(py).getattr(name), Ok)
    }
}
