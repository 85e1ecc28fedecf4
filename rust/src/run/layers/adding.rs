//! `Adding`: a `send` that adds headers to a response.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use smallvec::SmallVec;

use crate::response::checks::pair_of_bytes;

/// The `send` of a layer that adds the same headers to each response, if it has none of them.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Adding {
    /// Where messages go.
    target: Py<PyAny>,
    /// Pairs of bytes.
    added: Py<PyList>,
    /// What these become of headers of a response that have the same names: `merge(headers)`, a list that begins with those.
    merge: Py<PyAny>,
    /// What sends the head of a response for which that can't be said: `instead(message)`.
    instead: Py<PyAny>,
}

#[pymethods]
impl Adding {
    #[new]
    fn new(target: Py<PyAny>, added: Py<PyList>, merge: Py<PyAny>, instead: Py<PyAny>) -> Self {
        Self { target, added, merge, instead }
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
        visit.call(&self.merge)?;
        visit.call(&self.instead)
    }
}

impl Adding {
    /// Where messages go.
    pub(super) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    /// A response's headers with those that are added; None if it has something else than pairs, or a name twice.
    pub(super) fn extended<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let added = self.added.bind(py);
        let extended = headers.get_slice(0, headers.len());
        let common = PyList::empty(py);
        let mut places: SmallVec<[usize; 2]> = SmallVec::new();
        for (place, pair) in headers.iter().enumerate() {
            let Some((name, _)) = pair_of_bytes(&pair) else { return Ok(None) };
            if added.iter().any(|own| is_called(&own, &name)) {
                places.push(place);
                common.append((name, pair.get_item(1)?))?;
            }
        }
        let merged = if places.is_empty() { added.clone() } else { self.merged(&common)? };
        for (index, pair) in merged.iter().enumerate() {
            let Some(&place) = places.get(index) else {
                extended.append(pair)?;
                continue;
            };
            let before = common.get_item(index)?.get_item(0)?;
            if !before.cast::<PyBytes>().is_ok_and(|name| is_called(&pair, name)) {
                return Ok(None);
            }
            extended.set_item(place, pair)?;
        }
        Ok(if merged.len() < places.len() { None } else { Some(extended) })
    }

    /// What is added to a response with these headers, and what becomes of them.
    fn merged<'py>(&self, common: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyList>> {
        Ok(self.merge.bind(common.py()).call1((common,))?.cast_into()?)
    }
}

/// Whether a header has this name.
fn is_called(pair: &Bound<'_, PyAny>, name: &Bound<'_, PyBytes>) -> bool {
    let own = pair.cast::<PyTuple>().ok().and_then(|pair| pair.get_item(0).ok());
    own.is_some_and(|own| own.cast::<PyBytes>().is_ok_and(|own| own.as_bytes() == name.as_bytes()))
}
