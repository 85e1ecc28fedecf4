//! `Adding`: a `send` that adds headers to a response.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::response::head::pair_of_bytes;

/// The `send` of a layer that adds the same headers to each response, if it has none of them.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Adding {
    /// Where messages go.
    target: Py<PyAny>,
    /// Pairs of bytes.
    added: Py<PyList>,
    /// What sends the head of a response that has one of them: `instead(message)`.
    instead: Py<PyAny>,
}

#[pymethods]
impl Adding {
    #[new]
    fn new(target: Py<PyAny>, added: Py<PyList>, instead: Py<PyAny>) -> Self {
        Self { target, added, instead }
    }

    /// Passes a message on.
    fn __call__<'py>(&self, py: Python<'py>, message: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if message.get_item(intern!(py, "type"))?.eq(intern!(py, "http.response.start"))? {
            let headers = match message.cast::<PyDict>() {
                Ok(message) => message.get_item(intern!(py, "headers"))?,
                Err(_) => None,
            };
            let headers = match headers {
                Some(headers) => headers.cast_into::<PyList>().ok(),
                None => Some(PyList::empty(py)),
            };
            match headers.map(|headers| self.extended(py, &headers)).transpose()?.flatten() {
                Some(extended) => message.set_item(intern!(py, "headers"), extended)?,
                None => return self.instead.bind(py).call1((message,)),
            }
        }
        self.target.bind(py).call1((message,))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.target)?;
        visit.call(&self.added)?;
        visit.call(&self.instead)
    }
}

impl Adding {
    /// Where messages go.
    pub(super) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    /// A response's headers with those that are added; None if it has one of them, or something else than pairs.
    pub(super) fn extended<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let added = self.added.bind(py);
        if added.is_empty() {
            return Ok(Some(headers.clone()));
        }
        let extended = PyList::empty(py);
        for pair in headers.iter() {
            let Some((name, _)) = pair_of_bytes(&pair) else { return Ok(None) };
            if added.iter().any(|own| is_called(&own, &name)) {
                return Ok(None);
            }
            extended.append(pair)?;
        }
        for pair in added.iter() {
            extended.append(pair)?;
        }
        Ok(Some(extended))
    }
}

/// Whether a header has this name.
fn is_called(pair: &Bound<'_, PyAny>, name: &Bound<'_, PyBytes>) -> bool {
    let own = pair.cast::<PyTuple>().ok().and_then(|pair| pair.get_item(0).ok());
    own.is_some_and(|own| own.cast::<PyBytes>().is_ok_and(|own| own.as_bytes() == name.as_bytes()))
}
