//! `PathParams`: the path parameters of a request, which become a dictionary only for whoever asks for one.

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use smallvec::SmallVec;

use crate::py;

/// Names and converted values, in template order.
#[derive(Default)]
pub(crate) struct PathParams(SmallVec<[(Py<PyString>, Py<PyAny>); 2]>);

impl PathParams {
    /// The parameters in a dictionary; whatever isn't named by text is left out.
    pub(crate) fn of_dict(params: &Bound<'_, PyDict>) -> Self {
        let named =
            py::items(params).into_iter().filter_map(|(name, value)| Some((name.cast_into::<PyString>().ok()?, value)));
        Self(named.map(|(name, value)| (name.unbind(), value.unbind())).collect())
    }

    /// Adds a parameter.
    pub(crate) fn push(&mut self, name: Py<PyString>, value: Bound<'_, PyAny>) {
        self.0.push((name, value.unbind()));
    }

    /// Adds those of a route below: of two with one name the last counts.
    pub(crate) fn extend(&mut self, below: Self) {
        self.0.extend(below.0);
    }

    /// The value of the parameter called `name`; the last one, if a template has two.
    pub(crate) fn get<'py>(&self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyAny>> {
        let named = self.0.iter().rfind(|(own, _)| own.bind(py).to_str().is_ok_and(|own| own == name));
        named.map(|(_, value)| value.bind(py).clone())
    }

    /// A dictionary of them.
    pub(crate) fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let params = PyDict::new(py);
        for (name, value) in &self.0 {
            params.set_item(name, value)?;
        }
        Ok(params)
    }

    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|(_, value)| visit.call(value))
    }
}
