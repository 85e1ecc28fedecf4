//! `Short`: a layer around one of Starlette's middleware, which lets requests past that without calling it.
//!
//! What the middleware would do with such a request is known from what it has decided before ([`Decisions`]): it lets it
//! through, and sees its response by a `send` of its own ([`Adding`], [`Compression`](super::Compression)). Requests that it
//! answers itself come to it, as do all if one of its methods was replaced.

mod adding;
mod decisions;

pub(crate) use adding::Adding;
pub(crate) use decisions::Decisions;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType};

use super::End;
use crate::http1::RequestHead;
use crate::py::Attached;
use crate::response::checks::first_header;
use crate::version_counter::VersionCounter;

/// A layer around a middleware. A subclass says in `kind` which one, and in `settings_version` what counts edits.
#[pyclass(subclass, frozen, module = "ferrapi._native")]
pub(crate) struct Short {
    kind: Kind,
    settings: Py<VersionCounter>,
    known: Attached<Known>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cors,
    Gzip,
    Hosts,
    Https,
}

/// What is known of the middleware, as of one edit.
#[derive(Default)]
struct Known {
    as_of: Option<u64>,
    middleware: Option<Py<PyAny>>,
    /// Whether no method of it was replaced.
    is_open: bool,
    /// What it has decided, as long as it was open.
    decisions: Option<Py<Decisions>>,
}

/// What a request that a middleware lets through goes on with: the application behind it, and a `send`.
type Passed<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

#[pymethods]
impl Short {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*_arguments))]
    fn new(cls: &Bound<'_, PyType>, _arguments: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let py = cls.py();
        let kind = match cls.getattr(intern!(py, "kind"))?.cast::<PyString>()?.to_str()? {
            "cors" => Kind::Cors,
            "gzip" => Kind::Gzip,
            "hosts" => Kind::Hosts,
            "https" => Kind::Https,
            other => return Err(PyValueError::new_err(other.to_owned())),
        };
        let settings = cls.getattr(intern!(py, "settings_version"))?.cast_into()?.unbind();
        Ok(Self { kind, settings, known: Attached::new(Known::default()) })
    }

    /// Whether no method of the middleware was replaced.
    fn is_open(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(Self::look(slf)?.is_some())
    }

    /// What a request goes on with behind the middleware: the application and the `send` there. None if the middleware has
    /// to be called, or what it answers by itself is to be sent.
    fn pass_through<'py>(
        slf: &Bound<'py, Self>,
        scope: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Passed<'py>>> {
        let py = slf.py();
        let Ok(scope) = scope.cast::<PyDict>() else { return Ok(None) };
        if !is_text(scope, intern!(py, "type"), "http")? {
            return Ok(None);
        }
        let Some((middleware, decisions)) = Self::look(slf)? else { return Ok(None) };
        let kind = slf.get().kind;
        let headers = scope.get_item(intern!(py, "headers"))?;
        let Some(Ok(headers)) = headers.map(Bound::cast_into::<PyList>) else { return Ok(None) };
        let value = match kind.header().map(|name| first_header(&headers, name)) {
            Some(None) => return Ok(None),
            Some(Some(value)) => value,
            None => None,
        };
        let passes = match kind {
            Kind::Cors => {
                let may_be_preflight = value.is_some() && is_text(scope, intern!(py, "method"), "OPTIONS")?;
                !(may_be_preflight && first_header(&headers, b"access-control-request-method").flatten().is_some())
            }
            Kind::Gzip => true,
            Kind::Hosts => passes_host(&decisions, value.as_ref())?,
            Kind::Https => is_text(scope, intern!(py, "scheme"), "https")?,
        };
        if !passes {
            return Ok(None);
        }
        // Whatever is below may go on reading trailers into the list.
        let headers = headers.get_slice(0, headers.len());
        scope.set_item(intern!(py, "headers"), &headers)?;
        let send = Self::sending(slf, &decisions, value, headers.into_any(), send.clone())?;
        Ok(Some((middleware.getattr(intern!(py, "app"))?, send)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.settings)?;
        self.known.traverse(&visit, |known, visit| {
            visit.call(&known.middleware)?;
            visit.call(&known.decisions)
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.known.replace(py, Known::default()));
    }
}

impl Kind {
    /// The header of a request that decides, in lower case.
    fn header(self) -> Option<&'static [u8]> {
        match self {
            Self::Cors => Some(b"origin"),
            Self::Gzip => Some(b"accept-encoding"),
            Self::Hosts => Some(b"host"),
            Self::Https => None,
        }
    }
}

impl Short {
    /// The middleware, and what it has decided; None if it has to be called.
    fn look<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, Decisions>)>> {
        let py = slf.py();
        let this = slf.get();
        let middleware = slf.getattr(intern!(py, "app"))?;
        let now = this.settings.get().current();
        let stands = this.known.see(py, |known| {
            known.as_of == Some(now) && known.middleware.as_ref().is_some_and(|known| known.is(&middleware))
        });
        if !stands {
            let found: Option<Py<Decisions>> =
                slf.call_method1(intern!(py, "look_again"), (&middleware,))?.extract()?;
            let is_open = found.is_some();
            let decisions = found.or_else(|| this.decisions(py));
            let known = Known { as_of: Some(now), middleware: Some(middleware.clone().unbind()), is_open, decisions };
            drop(this.known.replace(py, known));
        }
        let decisions = if this.known.see(py, |known| known.is_open) { this.decisions(py) } else { None };
        Ok(decisions.map(|decisions| (middleware, decisions.into_bound(py))))
    }

    /// What the middleware has decided, as long as it was open.
    fn decisions(&self, py: Python<'_>) -> Option<Py<Decisions>> {
        self.known.see(py, |known| known.decisions.as_ref().map(|known| known.clone_ref(py)))
    }

    /// Whether the middleware lets a request through as it is, of which only the head is known.
    pub(crate) fn passes_head(slf: &Bound<'_, Self>, head: &RequestHead, scheme: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = slf.py();
        let Some((_, decisions)) = Self::look(slf)? else { return Ok(false) };
        match slf.get().kind {
            Kind::Cors => Ok(head.method_name() != "OPTIONS"),
            Kind::Gzip => Ok(true),
            Kind::Hosts => {
                let host = head.value_of(py, b"host").map(|host| PyBytes::new(py, host));
                passes_host(&decisions, host.as_ref())
            }
            // A proxy's word on the scheme is for uvicorn's middleware to believe or not.
            Kind::Https => Ok(scheme.eq(intern!(py, "https"))? && head.value_of(py, b"x-forwarded-proto").is_none()),
        }
    }

    /// What takes the messages of the response to a request that passes, in front of `send`.
    pub(crate) fn sending_to_head<'py>(
        slf: &Bound<'py, Self>,
        head: &RequestHead,
        send: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        // It was open when the request passed. A method that was replaced meanwhile is for those that come now.
        let Some(decisions) = slf.get().decisions(py) else { return Ok(send) };
        let decisions = decisions.into_bound(py);
        let value = slf.get().kind.header().and_then(|name| head.value_of(py, name));
        let value = value.map(|value| PyBytes::new(py, value));
        Self::sending(slf, &decisions, value, head.clone().into_bound_py_any(py)?, send)
    }

    /// The same, of a request that has this value of the header that decides; `request` is its head, or its headers.
    fn sending<'py>(
        slf: &Bound<'py, Self>,
        decisions: &Bound<'py, Decisions>,
        value: Option<Bound<'py, PyBytes>>,
        request: Bound<'py, PyAny>,
        send: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        match slf.get().kind {
            Kind::Cors => Adding::new(send.unbind(), slf, decisions, value, request.unbind())?.into_bound_py_any(py),
            Kind::Gzip => {
                let accepts = value.is_some_and(|value| value.as_bytes().windows(4).any(|part| part == b"gzip"));
                let key = if accepts { PyBytes::new(py, b"gzip").into_any() } else { py.None().into_bound(py) };
                Decisions::of(decisions, &PyTuple::new(py, [key])?)?.call1((send,))
            }
            Kind::Hosts | Kind::Https => Ok(send),
        }
    }
}

/// Calls an ASGI application, past layers that let the request through.
pub(in crate::run::layers) fn enter<'py>(
    app: Bound<'py, PyAny>,
    scope: &Py<PyAny>,
    receive: &Bound<'py, PyAny>,
    send: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (mut app, mut send) = (app, send);
    while let Ok(layer) = app.cast::<Short>() {
        let Some((below, own)) = Short::pass_through(layer, scope.bind(layer.py()), &send)? else { break };
        (app, send) = (below, own);
    }
    if let Ok(end) = app.cast::<End>()
        && let Some(serving) = End::enter(end, scope.bind(end.py()), receive, &send)?
    {
        return Ok(serving);
    }
    app.call1((scope, receive, send))
}

fn passes_host<'py>(decisions: &Bound<'py, Decisions>, host: Option<&Bound<'py, PyBytes>>) -> PyResult<bool> {
    let py = decisions.py();
    Decisions::of(decisions, &PyTuple::new(py, [host])?)?.is_truthy()
}

fn is_text(scope: &Bound<'_, PyDict>, key: &Bound<'_, PyString>, text: &str) -> PyResult<bool> {
    let value = scope.get_item(key)?;
    Ok(value.is_some_and(|value| value.cast::<PyString>().is_ok_and(|value| value == text)))
}
