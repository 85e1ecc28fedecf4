//! `Site`: what connections need to know of the application that they serve.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::routing::RouteTable;
use crate::version_counter::VersionCounter;
use crate::watch::TypeWatch;

/// An application, as of one moment.
///
/// It never changes, so it has no `__clear__`. See `RouteTable`.
#[pyclass(frozen, module = "ferrapi._native", name = "NativeSite")]
pub(crate) struct Site {
    pub(super) table: Py<RouteTable>,
    pub(super) handlers: Py<PyAny>,
    pub(super) router: Py<PyAny>,
    pub(super) has_middleware: bool,
    counters: [Py<VersionCounter>; 2],
    as_of: [u64; 2],
    watch: Py<TypeWatch>,
}

#[pymethods]
impl Site {
    /// Parameters:
    ///     table: the routes.
    ///     handlers: the exception handlers, by class and by status.
    ///     router: the router.
    ///     `has_middleware`: whether the protocol has to be asked whether a request passes, and has to send the responses.
    ///     routes, settings: the version counters of routes and of applications.
    ///     watch: notices that a class was changed, and announces that as an edit.
    #[new]
    fn new(
        table: Py<RouteTable>,
        handlers: Py<PyAny>,
        router: Py<PyAny>,
        has_middleware: bool,
        routes: Py<VersionCounter>,
        settings: Py<VersionCounter>,
        watch: Py<TypeWatch>,
    ) -> Self {
        let counters = [routes, settings];
        let as_of = counters.each_ref().map(|counter| counter.get().current());
        Self { table, handlers, router, has_middleware, counters, as_of, watch }
    }

    /// Whether nothing was edited since.
    pub(crate) fn stands(&self, py: Python<'_>) -> PyResult<bool> {
        self.watch.get().look(py)?;
        Ok(self.counters.each_ref().map(|counter| counter.get().current()) == self.as_of)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.table)?;
        visit.call(&self.handlers)?;
        visit.call(&self.router)?;
        visit.call(&self.watch)
    }
}
