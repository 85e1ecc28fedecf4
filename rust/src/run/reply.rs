//! From what an endpoint returned to the body of its response.

use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};
use wire::http1::response::is_bodiless;

use super::program::{Program, Reply};
use super::transport::Headers;
use crate::py::{KeptError, attribute};
use crate::response::checks::{describes_body, is_framing, pair_of_bytes, response_head_problem};
use crate::response::json;

/// The body of a response.
pub(crate) enum Body {
    /// Made here.
    Native(Vec<u8>),
    /// Made by pydantic, or by a response object.
    Python(Py<PyBytes>),
}

impl Body {
    pub(crate) fn as_slice<'b>(&'b self, py: Python<'b>) -> &'b [u8] {
        match self {
            Self::Native(bytes) => bytes,
            Self::Python(bytes) => bytes.as_bytes(py),
        }
    }

    pub(crate) fn into_bytes(self, py: Python<'_>) -> Bound<'_, PyBytes> {
        match self {
            Self::Native(bytes) => PyBytes::new(py, &bytes),
            Self::Python(bytes) => bytes.into_bound(py),
        }
    }
}

/// What became of an endpoint's result.
pub(super) enum Made {
    Body(Body),
    /// The response model refuses it: pydantic's error.
    Invalid(KeptError),
    /// It is a response itself.
    Response(Whole),
    /// It is one whose body comes in pieces.
    Stream,
    /// It makes the pieces of one.
    Pieces,
    /// It is for Python to say.
    Other,
}

impl Made {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Invalid(error) => error.traverse(visit),
            Self::Response(whole) => {
                visit.call(&whole.headers)?;
                visit.call(&whole.background)
            }
            Self::Body(_) | Self::Stream | Self::Pieces | Self::Other => Ok(()),
        }
    }
}

/// What a response object says that describes a whole response.
pub(super) struct Whole {
    pub(super) status: u16,
    pub(super) headers: Py<PyList>,
    pub(super) body: Py<PyBytes>,
    pub(super) background: Option<Py<PyAny>>,
}

/// Makes the body, if the result is what the endpoint's declaration leads one to expect.
pub(super) fn make(program: &Program, result: &Bound<'_, PyAny>) -> PyResult<Made> {
    let py = result.py();
    // Most results are dictionaries, which are no responses.
    if !result.is_exact_instance_of::<PyDict>() && result.is_instance(program.response.bind(py))? {
        if program.stream.as_ref().is_some_and(|stream| result.is_instance(stream.bind(py)).unwrap_or(false)) {
            return Ok(Made::Stream);
        }
        return Ok(whole(program.response_call.bind(py), result)?.map_or(Made::Other, Made::Response));
    }
    match &program.reply {
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
        Reply::Model { validate, to_json, options, shape } => {
            let validated = match options {
                Some(options) => validate.bind(py).call((result,), Some(options.bind(py))),
                None => validate.bind(py).call1((result,)),
            };
            let valid = match validated {
                Ok(valid) => valid,
                Err(error) if is_validation_error(py, &error) => return Ok(Made::Invalid(KeptError::new(py, &error))),
                Err(error) => return Err(error),
            };
            if let Some(shape) = shape
                && let Some(bytes) = shape.encode(&valid)?
            {
                return Ok(Made::Body(Body::Native(bytes)));
            }
            let body = to_json.bind(py).call1((valid,))?.cast_into::<PyBytes>()?;
            Ok(Made::Body(Body::Python(body.unbind())))
        }
        Reply::Stream { .. } => Ok(Made::Pieces),
        Reply::Other => Ok(Made::Other),
    }
}

/// Makes the body of what isn't made of plain values alone, if there is no response model; None if it is for Python to say.
pub(super) fn make_jsonable(program: &Program, result: &Bound<'_, PyAny>) -> PyResult<Option<Body>> {
    let py = result.py();
    if !matches!(program.reply, Reply::Data) || result.is_instance(program.response.bind(py))? {
        return Ok(None);
    }
    let body = program.reference.bind(py).call_method1(intern!(py, "dump_other"), (result,))?.cast_into::<PyBytes>()?;
    Ok(Some(Body::Python(body.unbind())))
}

/// What a response object says, if sending it is what Starlette's own class does (`call`), and its head describes its body; else
/// None.
pub(super) fn whole(call: &Bound<'_, PyAny>, response: &Bound<'_, PyAny>) -> PyResult<Option<Whole>> {
    let py = response.py();
    if !attribute(response.get_type().as_any(), intern!(py, "__call__"))?.is_some_and(|own| own.is(call)) {
        return Ok(None);
    }
    let headers = response.getattr(intern!(py, "raw_headers"))?.cast_into_exact::<PyList>();
    let body = attribute(response, intern!(py, "body"))?.and_then(|body| body.cast_into_exact::<PyBytes>().ok());
    let status = response.getattr(intern!(py, "status_code"))?;
    let (Ok(headers), Some(body), Ok(status)) = (headers, body, status.cast_exact::<PyInt>()) else {
        return Ok(None);
    };
    if response_head_problem(status, &headers)?.is_some()
        || attribute(response, intern!(py, "body_iterator"))?.is_some()
    {
        return Ok(None);
    }
    let status: u16 = status.extract()?;
    if !describes_body(status, &headers, body.as_bytes().len()) {
        return Ok(None);
    }
    let background = response.getattr(intern!(py, "background"))?;
    let background = if background.is_none() { None } else { Some(background.unbind()) };
    Ok(Some(Whole { status, headers: headers.unbind(), body: body.unbind(), background }))
}

/// Status and headers of a response with a body of `length` bytes and what was set on the injected one; None if Python has to see to it.
pub(super) fn with_injected<'py>(
    program: &Program,
    injected: &Bound<'py, PyAny>,
    length: usize,
) -> PyResult<Option<(u16, Bound<'py, PyList>)>> {
    let py = injected.py();
    let status = injected.getattr(intern!(py, "status_code"))?;
    let status = if status.is_none() { Some(program.status) } else { status.extract::<u16>().ok() };
    let Some(status) = status.filter(|status| (200..600).contains(status) && *status != 205) else { return Ok(None) };
    if is_bodiless(status.into()) {
        return Ok(None);
    }
    let Ok(more) = injected.getattr(intern!(py, "raw_headers"))?.cast_into_exact::<PyList>() else { return Ok(None) };
    let headers = Headers::ContentType(&program.content_type).pairs(py, length)?;
    for pair in more.iter() {
        let Some((name, _)) = pair_of_bytes(&pair) else { return Ok(None) };
        // What frames the body, Python looks at.
        if !pair.is_exact_instance_of::<PyTuple>() || is_framing(name.as_bytes()) {
            return Ok(None);
        }
        headers.append(pair)?;
    }
    let problem = response_head_problem(status.into_pyobject(py)?.as_any(), &headers)?;
    Ok(if problem.is_none() { Some((status, headers)) } else { None })
}

/// Whether pydantic raised `error` for a value that doesn't fit. Its class is a `ValueError` with a method of its own.
pub(super) fn is_validation_error(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyValueError>(py)
        && error.get_type(py).name().is_ok_and(|name| name == "ValidationError")
        && error.get_type(py).module().is_ok_and(|module| module == "pydantic_core._pydantic_core")
}
