//! `Adding`: a `send` that adds headers to a response, as CORS does.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use smallvec::SmallVec;

use super::{Decisions, Short};
use crate::response::checks::pair_of_bytes;

/// The `send` of a layer that adds the same headers to each response to one origin.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Adding {
    /// Where messages go.
    target: Py<PyAny>,
    layer: Py<Short>,
    /// Pairs of bytes.
    added: Py<PyList>,
    /// What these become of headers of a response that have the same names, by the origin and those headers: a list that begins
    /// with what becomes of them.
    decisions: Py<Decisions>,
    origin: Option<Py<PyBytes>>,
    /// The headers of the request, or its head.
    request: Py<PyAny>,
}

#[pymethods]
impl Adding {
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
                None => {
                    let arguments = (message, &self.target, &self.request);
                    return self.layer.bind(py).call_method1(intern!(py, "send_plainly"), arguments);
                }
            }
        }
        self.target.bind(py).call1((message,))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.target)?;
        visit.call(&self.layer)?;
        visit.call(&self.added)?;
        visit.call(&self.decisions)?;
        visit.call(&self.request)
    }
}

impl Adding {
    /// For one request; `request` is its head, or the list of its headers.
    pub(super) fn new(
        target: Py<PyAny>,
        layer: &Bound<'_, Short>,
        decisions: &Bound<'_, Decisions>,
        origin: Option<Bound<'_, PyBytes>>,
        request: Py<PyAny>,
    ) -> PyResult<Self> {
        let added = decide(decisions, origin.as_ref(), &[])?.unbind();
        let (layer, decisions) = (layer.clone().unbind(), decisions.clone().unbind());
        Ok(Self { target, layer, added, decisions, origin: origin.map(Bound::unbind), request })
    }

    /// Where messages go.
    pub(in crate::run::layers) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    /// A response's headers with those that are added; None if it has something else than pairs, or a name twice.
    pub(in crate::run::layers) fn extended<'py>(
        &self,
        py: Python<'py>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let added = self.added.bind(py);
        let extended = headers.get_slice(0, headers.len());
        let mut common: SmallVec<[Bound<'py, PyAny>; 4]> = SmallVec::new();
        let mut places: SmallVec<[usize; 2]> = SmallVec::new();
        for (place, pair) in headers.iter().enumerate() {
            let Some((name, value)) = pair_of_bytes(&pair) else { return Ok(None) };
            if added.iter().any(|own| is_called(&own, &name)) {
                places.push(place);
                common.push(name.into_any());
                common.push(value.into_any());
            }
        }
        let merged = if places.is_empty() {
            added.clone()
        } else {
            let origin = self.origin.as_ref().map(|origin| origin.bind(py));
            decide(self.decisions.bind(py), origin, &common)?
        };
        for (index, pair) in merged.iter().enumerate() {
            let (Some(&place), Some(before)) = (places.get(index), common.get(index.saturating_mul(2))) else {
                extended.append(pair)?;
                continue;
            };
            if !before.cast::<PyBytes>().is_ok_and(|name| is_called(&pair, name)) {
                return Ok(None);
            }
            extended.set_item(place, pair)?;
        }
        Ok(if merged.len() < places.len() { None } else { Some(extended) })
    }
}

/// What is added to a response that has these names and values, and what becomes of them.
fn decide<'py>(
    decisions: &Bound<'py, Decisions>,
    origin: Option<&Bound<'py, PyBytes>>,
    common: &[Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyList>> {
    let py = decisions.py();
    let origin = origin.map_or_else(|| py.None().into_bound(py), |origin| origin.clone().into_any());
    let key: SmallVec<[Bound<'py, PyAny>; 5]> = std::iter::once(origin).chain(common.iter().cloned()).collect();
    Ok(Decisions::of(decisions, &PyTuple::new(py, key)?)?.cast_into()?)
}

/// Whether a header has this name.
fn is_called(pair: &Bound<'_, PyAny>, name: &Bound<'_, PyBytes>) -> bool {
    let own = pair.cast::<PyTuple>().ok().and_then(|pair| pair.get_item(0).ok());
    own.is_some_and(|own| own.cast::<PyBytes>().is_ok_and(|own| own.as_bytes() == name.as_bytes()))
}
