//! From what an endpoint returned to the body of its response.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::program::Reply;
use crate::response::json;

/// The body of a response.
pub(crate) enum Body<'py> {
    /// Made here.
    Native(Vec<u8>),
    /// Made by pydantic.
    Python(Bound<'py, PyBytes>),
}

impl<'py> Body<'py> {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Native(bytes) => bytes,
            Self::Python(bytes) => bytes.as_bytes(),
        }
    }

    pub(crate) fn into_bytes(self, py: Python<'py>) -> Bound<'py, PyBytes> {
        match self {
            Self::Native(bytes) => PyBytes::new(py, &bytes),
            Self::Python(bytes) => bytes,
        }
    }
}

/// What became of an endpoint's result.
pub(super) enum Made<'py> {
    Body(Body<'py>),
    /// The response model refuses it: pydantic's error.
    Invalid(PyErr),
    /// It is for Python to say.
    Other,
}

/// Makes the body, if the result is what the endpoint's declaration leads one to expect.
pub(super) fn make<'py>(reply: &Reply, result: &Bound<'py, PyAny>) -> PyResult<Made<'py>> {
    let py = result.py();
    match reply {
        Reply::Data => Ok(json::encode_plain(result)?.map_or(Made::Other, |bytes| Made::Body(Body::Native(bytes)))),
        Reply::Text { validate } => {
            let Ok(text) = result.cast_exact::<PyString>() else { return Ok(Made::Other) };
            let valid = match validate {
                Some(validate) => validate.bind(py).call1((text,)).ok(),
                None => Some(text.clone().into_any()),
            };
            let text = valid.as_ref().and_then(|valid| valid.cast_exact::<PyString>().ok());
            Ok(match text.and_then(|text| text.to_str().ok()) {
                Some(text) => Made::Body(Body::Native(text.as_bytes().to_vec())),
                None => Made::Other,
            })
        }
        Reply::Model { validate, to_json, options, shape, response } => {
            // Most results are dictionaries, which are no responses.
            if !result.is_exact_instance_of::<PyDict>() && result.is_instance(response.bind(py))? {
                return Ok(Made::Other);
            }
            let validated = match options {
                Some(options) => validate.bind(py).call((result,), Some(options.bind(py))),
                None => validate.bind(py).call1((result,)),
            };
            let valid = match validated {
                Ok(valid) => valid,
                Err(error) if is_validation_error(py, &error) => return Ok(Made::Invalid(error)),
                Err(error) => return Err(error),
            };
            if let Some(shape) = shape
                && let Some(bytes) = shape.encode(&valid)?
            {
                return Ok(Made::Body(Body::Native(bytes)));
            }
            let body = to_json.bind(py).call1((valid,))?.cast_into::<PyBytes>()?;
            Ok(Made::Body(Body::Python(body)))
        }
        Reply::Other => Ok(Made::Other),
    }
}

/// Whether pydantic raised `error` for a value that doesn't fit. Its class is a `ValueError` with a method of its own.
pub(super) fn is_validation_error(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyValueError>(py)
        && error.get_type(py).name().is_ok_and(|name| name == "ValidationError")
        && error.get_type(py).module().is_ok_and(|module| module == "pydantic_core._pydantic_core")
}
