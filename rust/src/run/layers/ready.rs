//! `Ready`: the coroutine of something that is done.

use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;

/// A coroutine that returns None at once.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Ready;

#[pymethods]
impl Ready {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self) -> Option<()> {
        None
    }

    /// Go on, which is to return.
    fn send(&self, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyStopIteration::new_err(()))
    }

    /// Raise an exception.
    #[pyo3(signature = (kind, value=None, traceback=None))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<Bound<'_, PyAny>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        Err(crate::py::exception(kind, value, traceback)?)
    }

    /// Nothing is left to be ended.
    fn close(&self) {}
}
