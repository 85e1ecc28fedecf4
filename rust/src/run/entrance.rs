//! `Entrance`: where HTTP requests come to a router by ASGI, and the applications that are mounted there.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString};

use super::asgi::AsgiTransport;
use super::machine::Machine;
use super::serving::Serving;
use super::transport::Transport;
use super::uvicorn::UvicornCycles;
use crate::py::Attached;
use crate::routing::RouteTable;
use crate::version_counter::VersionCounter;

/// Where HTTP requests come to a router by ASGI.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Entrance {
    pub(super) layer: Py<PyAny>,
    pub(super) router: Py<PyAny>,
    pub(super) handlers: Py<PyAny>,
    routes: Py<VersionCounter>,
    settings: Py<VersionCounter>,
    /// The applications that are mounted in the router's.
    children: Attached<Children>,
    /// The route table, and the version it is of.
    table: Attached<Option<Py<RouteTable>>>,
    as_of: AtomicU64,
    pub(super) cycles: UvicornCycles,
}

/// Mounted applications, as of one moment.
#[derive(Default)]
struct Children {
    /// The version of the settings.
    as_of: u64,
    /// Each application; None for one that has to be called.
    known: Vec<(Py<PyAny>, Option<Child>)>,
}

/// A mounted application that can be entered without being called.
struct Child {
    entrance: Py<Entrance>,
    /// Its own root path, or nothing.
    root_path: Py<PyString>,
}

#[pymethods]
impl Entrance {
    /// Parameters:
    ///     layer: what makes exchanges and guards what is done in Python (`ferrapi._middleware_stack`).
    ///     router: the router.
    ///     handlers: the exception handlers, by class and by status.
    ///     routes, settings: the version counters of routes and of applications.
    #[new]
    fn new(
        layer: Py<PyAny>,
        router: Py<PyAny>,
        handlers: Py<PyAny>,
        routes: Py<VersionCounter>,
        settings: Py<VersionCounter>,
    ) -> Self {
        Self {
            layer,
            router,
            handlers,
            routes,
            settings,
            children: Attached::default(),
            table: Attached::default(),
            as_of: AtomicU64::default(),
            cycles: UvicornCycles::default(),
        }
    }

    /// A coroutine that serves a request.
    ///
    /// A scope is a dictionary (ASGI, "HTTP & WebSocket format"); what is another mapping is copied into one.
    fn serve<'py>(
        slf: &Bound<'py, Self>,
        scope: Bound<'py, PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Bound<'py, Serving>> {
        Bound::new(slf.py(), Serving::new(Self::machine(slf, scope, receive, send)?))
    }

    /// The same, inside of an exit stack that is in the scope (`ferrapi.serve.files`).
    pub(super) fn serve_inside_stack<'py>(
        slf: &Bound<'py, Self>,
        scope: Bound<'py, PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Bound<'py, Serving>> {
        let py = slf.py();
        let stack = slf.get().layer.bind(py).call_method0(intern!(py, "file_stack"))?;
        scope.set_item(intern!(py, "fastapi_middleware_astack"), &stack)?;
        let mut machine = Self::machine(slf, scope, receive, send)?;
        machine.file_stack = Some(stack.unbind());
        Bound::new(py, Serving::new(machine))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.layer)?;
        visit.call(&self.router)?;
        visit.call(&self.handlers)?;
        self.cycles.traverse(&visit)?;
        self.children.traverse(&visit, |children, visit| {
            children.known.iter().try_for_each(|(app, child)| {
                visit.call(app)?;
                child.as_ref().map_or(Ok(()), |child| visit.call(&child.entrance))
            })
        })?;
        self.table.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.children.replace(py, Children::default()));
        drop(self.table.take(py));
    }
}

impl Entrance {
    fn machine(
        slf: &Bound<'_, Self>,
        scope: Bound<'_, PyAny>,
        receive: Py<PyAny>,
        send: Py<PyAny>,
    ) -> PyResult<Machine> {
        let scope = match scope.cast_into::<PyDict>() {
            Ok(scope) => scope.unbind(),
            Err(other) => {
                let copy = PyDict::new(slf.py());
                copy.update(other.into_inner().cast::<PyMapping>()?)?;
                copy.unbind()
            }
        };
        let transport = AsgiTransport::new(slf.clone().unbind(), scope, receive, send);
        Ok(Machine::new(Transport::Asgi(transport), None))
    }

    /// The route table, as of now.
    pub(super) fn current_table<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, RouteTable>> {
        let version = self.routes.get().current();
        if self.as_of.load(Ordering::Relaxed) == version
            && let Some(table) = self.table.get(py)
        {
            return Ok(table.into_bound(py));
        }
        let table = self.router.bind(py).call_method0(intern!(py, "table"))?;
        let native = table.getattr(intern!(py, "native"))?.cast_into::<RouteTable>()?;
        self.as_of.store(table.getattr(intern!(py, "as_of"))?.extract()?, Ordering::Relaxed);
        drop(self.table.replace(py, Some(native.clone().unbind())));
        Ok(native)
    }

    /// The entrance of an application that is mounted here, and its root path; None if it has to be called.
    pub(super) fn child<'py>(
        &self,
        app: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(Bound<'py, Self>, Bound<'py, PyString>)>> {
        let py = app.py();
        let as_of = self.settings.get().current();
        let bound = |child: &Child| (child.entrance.bind(py).clone(), child.root_path.bind(py).clone());
        let known = self.children.see(py, |children| {
            let known = children.known.iter().filter(|_| children.as_of == as_of).find(|(own, _)| own.is(app));
            known.map(|(_, child)| child.as_ref().map(bound))
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let found = self.layer.bind(py).call_method1(intern!(py, "enter_mounted"), (app,))?;
        let found: Option<(Bound<'py, Self>, Bound<'py, PyString>)> = found.extract()?;
        let child = found
            .clone()
            .map(|(entrance, root_path)| Child { entrance: entrance.unbind(), root_path: root_path.unbind() });
        // The look may have made a middleware stack, which is an edit.
        let as_of = self.settings.get().current();
        let mut children = self.children.replace(py, Children::default());
        if children.as_of != as_of {
            children = Children { as_of, known: Vec::new() };
        }
        children.known.push((app.clone().unbind(), child));
        drop(self.children.replace(py, children));
        Ok(found)
    }
}
