//! `Decisions`: what a middleware has decided before, each by what it depends on.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// What a middleware has decided, as long as its settings are what they were.
#[pyclass(subclass, frozen, module = "ferrapi._native")]
pub(crate) struct Decisions {
    middleware: Py<PyAny>,
    /// Has the middleware decide: `ask(middleware, key)`.
    #[pyo3(get)]
    ask: Py<PyAny>,
    /// The middleware's attributes as they were, its lists copied.
    #[pyo3(get)]
    settings: Py<PyDict>,
    #[pyo3(get)]
    answers: Py<PyDict>,
}

#[pymethods]
impl Decisions {
    #[new]
    fn new(py: Python<'_>, middleware: Py<PyAny>, ask: Py<PyAny>) -> Self {
        Self { middleware, ask, settings: PyDict::new(py).unbind(), answers: PyDict::new(py).unbind() }
    }

    /// The middleware.
    #[getter]
    fn middleware<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.middleware.bind(py).clone()
    }

    /// The answer to what it depends on.
    #[pyo3(signature = (*key))]
    pub(super) fn of<'py>(slf: &Bound<'py, Self>, key: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        if this.middleware.bind(py).getattr(intern!(py, "__dict__"))?.eq(&this.settings)?
            && let Some(answer) = this.answers.bind(py).get_item(key)?
        {
            return Ok(answer);
        }
        slf.call_method1(intern!(py, "decide"), (key,))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.middleware)?;
        visit.call(&self.ask)?;
        visit.call(&self.settings)?;
        visit.call(&self.answers)
    }
}
