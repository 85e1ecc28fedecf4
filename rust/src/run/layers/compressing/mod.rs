//! `Compressing`: the `send` of Starlette's GZip, whose rules are those of its `IdentityResponder` and `GZipResponder`.
//!
//! What is rarer is done by a responder of Starlette's own, which gets all messages from the first on ([`Compression::instead`]):
//! what is compressed in a thread, and messages that are made of other things than dictionaries, lists, tuples and bytes. A response
//! that the engine has made comes without messages (`engine`).

mod both;
mod engine;
mod settings;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView, PyString};
use wire::gzip::{Gzip, GzipError};

use self::both::Both;
pub(super) use self::engine::Compressed;
pub(in crate::run) use self::engine::Piece;
pub(crate) use self::settings::Compression;
use self::settings::exact_pair;
use super::named::{self, last_part};
use crate::py::Attached;
use crate::run::Serving;

/// The `send` of one request.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Compressing {
    compression: Py<Compression>,
    target: Py<PyAny>,
    state: Attached<State>,
    /// A piece that a thread has compressed.
    aside: Attached<Option<Vec<u8>>>,
}

#[derive(Default)]
enum State {
    #[default]
    New,
    /// A head, until its body is known.
    Held(Py<PyDict>),
    /// The response is passed on as it is.
    Passing,
    /// The head has been sent; the body's next piece goes into this stream, if it is compressed.
    Begun(Option<Gzip>),
    /// A responder of Starlette's takes the messages.
    Instead(Py<PyAny>),
}

#[pymethods]
impl Compressing {
    /// Takes a message; returns what is to be awaited.
    fn __call__<'py>(slf: &Bound<'py, Self>, message: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        if let Some(instead) = this.instead(py) {
            return instead.bind(py).call1((message,));
        }
        let Ok(message) = message.cast_exact::<PyDict>() else { return this.hand_over(py, &message) };
        let Some(kind) = message.get_item(intern!(py, "type"))? else { return this.hand_over(py, message) };
        let Ok(kind) = kind.cast_exact::<PyString>() else { return this.hand_over(py, message) };
        match kind.to_str()? {
            "http.response.start" => this.take_head(message),
            "http.response.body" | "http.response.pathsend" if this.is_passing(py) => this.pass(message),
            "http.response.body" => Self::take_body(slf, message),
            "http.response.early_hint" | "http.response.trailers" => this.pass(message),
            "http.response.pathsend" => match this.take_held(py) {
                Some(head) => this.send_both(head.bind(py), message),
                None => this.hand_over(py, message),
            },
            _ => Ok(this.ready(py)), // Starlette's passes no others on
        }
    }

    #[getter(__qualname__)]
    fn qualname(&self) -> &'static str {
        named::COMPRESSING
    }

    #[getter(__name__)]
    fn name(&self) -> &'static str {
        last_part(named::COMPRESSING)
    }

    /// Compresses a piece of the body, in a thread.
    fn compress<'py>(&self, py: Python<'py>, body: &Bound<'py, PyBytes>, more: bool) -> PyResult<Bound<'py, PyBytes>> {
        self.compressed(py, body, more).map(|bytes| PyBytes::new(py, &bytes))
    }

    /// The same, and keeps what comes out for the engine; returns nothing of it.
    fn compress_aside<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyBytes>,
        more: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let compressed = self.compressed(py, body, more)?;
        drop(self.aside.replace(py, Some(compressed)));
        Ok(PyBytes::new(py, b""))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.compression)?;
        visit.call(&self.target)?;
        self.state.traverse(&visit, |state, visit| match state {
            State::Held(head) => visit.call(head),
            State::Instead(instead) => visit.call(instead),
            State::New | State::Passing | State::Begun(_) => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.state.replace(py, State::New));
    }
}

impl Compressing {
    fn new(compression: Py<Compression>, target: Py<PyAny>) -> Self {
        Self { compression, target, state: Attached::default(), aside: Attached::default() }
    }

    /// A piece compressed while the thread is detached from the interpreter.
    fn compressed<'py>(&self, py: Python<'py>, body: &Bound<'py, PyBytes>, more: bool) -> PyResult<Vec<u8>> {
        let mut stream = self.take_stream(py)?;
        let bytes = body.as_bytes();
        let (stream, done) = py.detach(|| {
            let done = compress(&mut stream, bytes, more);
            (stream, done)
        });
        self.put_back(py, stream, more);
        done.map_err(failed)
    }

    /// Takes the stream of a response that has begun.
    fn take_stream(&self, py: Python<'_>) -> PyResult<Gzip> {
        match self.state.replace(py, State::Begun(None)) {
            State::Begun(Some(stream)) => Ok(stream),
            _ => Err(PyRuntimeError::new_err("This response is not being compressed")),
        }
    }

    /// Where messages go.
    pub(super) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    fn ready<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.compression.bind(py).get().ready.bind(py).clone().into_any()
    }

    fn pass<'py>(&self, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        self.target.bind(message.py()).call1((message,))
    }

    fn is_passing(&self, py: Python<'_>) -> bool {
        self.state.see(py, |state| matches!(state, State::Passing))
    }

    fn instead(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.see(py, |state| match state {
            State::Instead(instead) => Some(instead.clone_ref(py)),
            _ => None,
        })
    }

    /// Takes the head that is held back.
    fn take_held(&self, py: Python<'_>) -> Option<Py<PyDict>> {
        self.state.change(py, |state| {
            if !matches!(state, State::Held(_)) {
                return None;
            }
            match std::mem::replace(state, State::Begun(None)) {
                State::Held(head) => Some(head),
                _ => None,
            }
        })
    }

    /// Gives a stream back to the response, or, at its end, to the middleware.
    fn put_back(&self, py: Python<'_>, stream: Gzip, more: bool) {
        if more {
            drop(self.state.replace(py, State::Begun(Some(stream))));
        } else {
            self.compression.bind(py).get().keep(py, stream);
        }
    }

    /// Takes the head of a response.
    fn take_head<'py>(&self, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = message.py();
        let has_begun = self.state.see(py, |state| matches!(state, State::Begun(_)));
        let status = message.get_item(intern!(py, "status"))?.map(|status| status.extract::<i64>());
        let headers = match message.get_item(intern!(py, "headers"))? {
            Some(headers) => headers.cast_into_exact::<PyList>().ok(),
            None => {
                let headers = PyList::empty(py);
                message.set_item(intern!(py, "headers"), &headers)?;
                Some(headers)
            }
        };
        let passes = match (status, &headers) {
            (Some(Ok(status)), Some(headers)) => self.compression.bind(py).get().passes(status, headers),
            _ => None,
        };
        match passes {
            None => self.hand_over(py, message),
            Some(true) => {
                drop(self.state.replace(py, State::Passing));
                self.pass(message)
            }
            Some(false) if has_begun => Ok(self.ready(py)),
            Some(false) => {
                drop(self.state.replace(py, State::Held(message.clone().unbind())));
                Ok(self.ready(py))
            }
        }
    }

    /// Takes a piece of the body.
    fn take_body<'py>(slf: &Bound<'py, Self>, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let compression = this.compression.bind(py).get();
        let more = match message.get_item(intern!(py, "more_body"))? {
            Some(more) => more.is_truthy()?,
            None => false,
        };
        let body = message.get_item(intern!(py, "body"))?;
        let Some(head) = this.take_held(py) else {
            return Self::take_more(slf, message, body, more);
        };
        let Some(Ok(body)) = body.map(Bound::cast_into_exact::<PyBytes>) else {
            return this.hand_over_from(py, Some(head), message);
        };
        let length = body.as_bytes().len();
        let head = head.into_bound(py);
        if length < compression.minimum && !more {
            return this.send_both(&head, message);
        }
        let headers = head.get_item(intern!(py, "headers"))?;
        let headers = headers.and_then(|headers| headers.cast_into_exact::<PyList>().ok());
        // Whoever has sent the head may have changed it since.
        let headers = headers.filter(|headers| headers.iter().all(|pair| exact_pair(&pair).is_some()));
        let Some(headers) = headers.filter(|_| length < compression.minimum_in_thread) else {
            return this.hand_over_from(py, Some(head.unbind()), message);
        };
        let Some(mut stream) = compression.stream(py) else {
            compression.mark(&headers, false, None)?;
            return this.send_both(&head, message);
        };
        let compressed = compress(&mut stream, body.as_bytes(), more);
        this.put_back(py, stream, more);
        let compressed = compressed.map_err(failed)?;
        let has_trailers = match head.get_item(intern!(py, "trailers"))? {
            Some(trailers) => trailers.is_truthy()?,
            None => false,
        };
        compression.mark(&headers, true, if more || has_trailers { None } else { Some(compressed.len()) })?;
        message.set_item(intern!(py, "body"), PyBytes::new(py, &compressed))?;
        this.send_both(&head, message)
    }

    /// Takes a piece of the body behind the first one.
    fn take_more<'py>(
        slf: &Bound<'py, Self>,
        message: &Bound<'py, PyDict>,
        body: Option<Bound<'py, PyAny>>,
        more: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        let compression = this.compression.bind(py).get();
        let mut stream = match this.state.replace(py, State::Begun(None)) {
            State::Begun(Some(stream)) => stream,
            State::Begun(None) => {
                if body.is_none() {
                    message.set_item(intern!(py, "body"), PyBytes::new(py, b""))?;
                }
                return this.pass(message);
            }
            other => {
                drop(this.state.replace(py, other));
                return this.hand_over(py, message);
            }
        };
        let body = body.map_or_else(|| Ok(PyBytes::new(py, b"")), bytes_of);
        let body = match body {
            Ok(body) if body.as_bytes().len() < compression.minimum_in_thread => body,
            other => {
                drop(this.state.replace(py, State::Begun(Some(stream))));
                let compress = slf.getattr(intern!(py, "compress"))?;
                let parts = (compress, &this.target, message, other?, more);
                return compression.layer.bind(py).call_method1(intern!(py, "compress_in_thread"), parts);
            }
        };
        let compressed = compress(&mut stream, body.as_bytes(), more);
        this.put_back(py, stream, more);
        message.set_item(intern!(py, "body"), PyBytes::new(py, &compressed.map_err(failed)?))?;
        this.pass(message)
    }

    /// Sends a head, and then what comes with it.
    fn send_both<'py>(&self, head: &Bound<'py, PyDict>, message: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        self.both(self.target.bind(head.py()), head, message)
    }

    fn both<'py>(
        &self,
        send: &Bound<'py, PyAny>,
        head: &Bound<'py, PyDict>,
        message: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = head.py();
        let sending = Both::new(send.clone().unbind(), &self.compression, head, message);
        Ok(Bound::new(py, Serving::of(Box::new(sending)))?.into_any())
    }

    /// Lets a responder of Starlette's take this message, and all that follow.
    fn hand_over<'py>(&self, py: Python<'py>, message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let instead = self.compression.bind(py).get().instead.bind(py).call1((&self.target,))?;
        match self.state.replace(py, State::Instead(instead.clone().unbind())) {
            State::Held(head) => self.both(&instead, head.bind(py), message),
            _ => instead.call1((message,)),
        }
    }

    /// The same, for a head that was held back and what comes with it.
    fn hand_over_from<'py>(
        &self,
        py: Python<'py>,
        head: Option<Py<PyDict>>,
        message: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(head) = head {
            drop(self.state.replace(py, State::Held(head)));
        }
        self.hand_over(py, message)
    }
}

/// Compresses a piece of a body; the last one if there is no `more`.
fn compress(stream: &mut Gzip, body: &[u8], more: bool) -> Result<Vec<u8>, GzipError> {
    if more { stream.piece(body) } else { stream.last(body) }
}

/// What a message holds as its body, which need not be `bytes`.
fn bytes_of(body: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyBytes>> {
    match body.cast_into_exact::<PyBytes>() {
        Ok(body) => Ok(body),
        Err(error) => {
            let view = PyMemoryView::from(&error.into_inner())?;
            Ok(view.call_method0(intern!(view.py(), "tobytes"))?.cast_into()?)
        }
    }
}

fn failed(error: GzipError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// What a response with this body is compressed to, all at once.
///
/// Raises:
///     ValueError: the level is not from 1 to 9.
#[pyfunction]
pub(crate) fn gzip_bytes<'py>(py: Python<'py>, body: &[u8], level: u32) -> PyResult<Bound<'py, PyBytes>> {
    let Some(mut stream) = Gzip::new(level) else {
        return Err(PyValueError::new_err(format!("There is no level {level}")));
    };
    stream.last(body).map(|compressed| PyBytes::new(py, &compressed)).map_err(failed)
}
