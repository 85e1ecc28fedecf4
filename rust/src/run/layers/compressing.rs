//! `Compressing`: the `send` of Starlette's GZip, whose rules are those of its `IdentityResponder` and `GZipResponder`.
//!
//! What is rarer is done by a responder of Starlette's own, which gets all messages from the first on ([`Compression::instead`]):
//! what is compressed in a thread, and messages that are made of other things than dictionaries, lists, tuples and bytes.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView, PyString, PyTuple};
use wire::gzip::{Gzip, GzipError};

use super::{Flow, Ready};
use crate::py::{self, Attached, Sent};
use crate::run::Serving;
use crate::run::serving::awaited;

/// Streams that are kept to be used again; each takes a quarter of a megabyte.
const KEPT: usize = 4;

/// What a GZip middleware does to the responses to some requests.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Compression {
    /// zlib's level; None if the client can't read what is compressed.
    level: Option<u32>,
    /// The size from which a body is compressed, and that from which it is in a thread, in bytes.
    minimum: usize,
    minimum_in_thread: usize,
    /// Media types that aren't compressed, in lower case; those of a kind end with `/*`.
    excluded: Vec<String>,
    /// Makes the `send` of a responder of Starlette's: `instead(send)`.
    instead: Py<PyAny>,
    /// What does the rarer things (`ferrapi.middleware._remembered.RememberingGZip`).
    layer: Py<PyAny>,
    ready: Py<Ready>,
    kept: Attached<Vec<Gzip>>,
}

/// The `send` of one request.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Compressing {
    compression: Py<Compression>,
    target: Py<PyAny>,
    state: Attached<State>,
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

/// What becomes of a whole response.
pub(super) enum Compressed<'py> {
    Unchanged,
    /// These are its headers and its body.
    Changed(Bound<'py, PyList>, Option<Vec<u8>>),
    /// It has to come in messages.
    InMessages,
}

#[pymethods]
impl Compression {
    #[new]
    #[pyo3(signature = (layer, level, minimum, minimum_in_thread, excluded, instead))]
    fn new(
        py: Python<'_>,
        layer: Py<PyAny>,
        level: Option<u32>,
        minimum: usize,
        minimum_in_thread: usize,
        excluded: Vec<String>,
        instead: Py<PyAny>,
    ) -> PyResult<Self> {
        let ready = Py::new(py, Ready)?;
        let kept = Attached::default();
        Ok(Self { level, minimum, minimum_in_thread, excluded, instead, layer, ready, kept })
    }

    /// The `send` for one request, in front of `target`.
    fn send<'py>(slf: &Bound<'py, Self>, target: Py<PyAny>) -> PyResult<Bound<'py, Compressing>> {
        let compressing = Compressing { compression: slf.clone().unbind(), target, state: Attached::default() };
        Bound::new(slf.py(), compressing)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.instead)?;
        visit.call(&self.layer)
    }
}

impl Compression {
    /// A stream to compress a response with; None if none is compressed.
    fn stream(&self, py: Python<'_>) -> Option<Gzip> {
        let level = self.level?;
        self.kept.change(py, Vec::pop).or_else(|| Gzip::new(level))
    }

    /// Takes a stream back.
    fn keep(&self, py: Python<'_>, mut stream: Gzip) {
        stream.begin();
        let surplus = self.kept.change(py, |kept| {
            if kept.len() < KEPT {
                kept.push(stream);
                return None;
            }
            Some(stream)
        });
        drop(surplus);
    }

    /// Whether a response is passed on as it is; None if that is for Starlette to say.
    fn passes(&self, status: i64, headers: &Bound<'_, PyList>) -> Option<bool> {
        let mut is_encoded = false;
        let mut kind: Option<String> = None;
        for pair in headers.iter() {
            let (name, value) = exact_pair(&pair)?;
            match name.as_bytes() {
                b"content-encoding" => is_encoded = true,
                b"content-type" if kind.is_none() => kind = Some(media_type(value.as_bytes())?),
                _ => {}
            }
        }
        let kind = kind.unwrap_or_default();
        Some(is_encoded || status == 206 || self.excludes(&kind))
    }

    fn excludes(&self, kind: &str) -> bool {
        let main = kind.split_once('/').map_or(kind, |(main, _)| main);
        let is_grpc = kind.starts_with("application/grpc+");
        self.excluded
            .iter()
            .any(|own| own == kind || own.strip_suffix("/*") == Some(main) || (is_grpc && own == "application/grpc"))
    }

    /// Adds to headers, which are exact pairs, what goes with compressing; `length` is that of a whole body.
    fn mark(&self, headers: &Bound<'_, PyList>, is_compressed: bool, length: Option<usize>) -> PyResult<()> {
        let mut vary = Vec::new();
        for pair in headers.iter() {
            if let Some((name, value)) = exact_pair(&pair)
                && name.as_bytes() == b"vary"
            {
                vary.extend_from_slice(value.as_bytes());
                vary.extend_from_slice(b", ");
            }
        }
        vary.extend_from_slice(b"Accept-Encoding");
        set_header(headers, b"vary", Some(&vary))?;
        if is_compressed {
            set_header(headers, b"content-encoding", Some(b"gzip"))?;
            let digits = length.map(|length| itoa::Buffer::new().format(length).to_owned());
            set_header(headers, b"content-length", digits.as_ref().map(|digits| digits.as_bytes()))?;
        }
        Ok(())
    }
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

    /// Compresses a piece of the body, in a thread.
    fn compress<'py>(&self, py: Python<'py>, body: &Bound<'py, PyBytes>, more: bool) -> PyResult<Bound<'py, PyBytes>> {
        let State::Begun(Some(mut stream)) = self.state.replace(py, State::Begun(None)) else {
            return Err(PyRuntimeError::new_err("This response is not being compressed"));
        };
        let bytes = body.as_bytes();
        let (stream, done) = py.detach(|| {
            let done = compress(&mut stream, bytes, more);
            (stream, done)
        });
        self.put_back(py, stream, more);
        done.map(|bytes| PyBytes::new(py, &bytes)).map_err(failed)
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
    /// Where messages go.
    pub(super) fn target<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.target.bind(py).clone()
    }

    /// Whether nothing of the response has come.
    pub(super) fn is_new(&self, py: Python<'_>) -> bool {
        self.state.see(py, |state| matches!(state, State::New))
    }

    /// Notes that the response has been sent, whole.
    pub(super) fn note_whole(&self, py: Python<'_>) {
        drop(self.state.replace(py, State::Begun(None)));
    }

    /// What becomes of a whole response.
    pub(super) fn compress_whole<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Bound<'py, PyList>,
        body: &[u8],
    ) -> PyResult<Compressed<'py>> {
        let compression = self.compression.bind(py).get();
        match compression.passes(status.into(), headers) {
            Some(true) => return Ok(Compressed::Unchanged),
            Some(false) if body.len() < compression.minimum => return Ok(Compressed::Unchanged),
            Some(false) if body.len() < compression.minimum_in_thread && !body.is_empty() => {}
            Some(false) | None => return Ok(Compressed::InMessages),
        }
        let headers = headers.get_slice(0, headers.len());
        let Some(mut stream) = compression.stream(py) else {
            compression.mark(&headers, false, None)?;
            return Ok(Compressed::Changed(headers, None));
        };
        let compressed = stream.last(body).map_err(failed)?;
        compression.keep(py, stream);
        compression.mark(&headers, true, Some(compressed.len()))?;
        Ok(Compressed::Changed(headers, Some(compressed)))
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
        let sending = Both {
            send: send.clone().unbind(),
            compression: self.compression.clone_ref(py),
            stage: Stage::New,
            head: head.clone().unbind(),
            message: message.clone().unbind(),
            awaiting: None,
        };
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

/// Two messages being sent, one after the other.
struct Both {
    send: Py<PyAny>,
    compression: Py<Compression>,
    stage: Stage,
    head: Py<PyDict>,
    message: Py<PyAny>,
    awaiting: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Head,
    Message,
}

impl Flow for Both {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        loop {
            if let Some(awaiting) = self.awaiting.take() {
                if let Sent::Yielded(waits) = py::resume(awaiting.bind(py), sent)? {
                    self.awaiting = Some(awaiting);
                    return Ok(Sent::Yielded(waits));
                }
            } else {
                sent?;
            }
            sent = Ok(py.None().into_bound(py));
            let message = match self.stage {
                Stage::New => self.head.bind(py).clone().into_any(),
                Stage::Head => self.message.bind(py).clone(),
                Stage::Message => return Ok(Sent::Ended),
            };
            self.stage = if self.stage == Stage::New { Stage::Head } else { Stage::Message };
            let sending = self.send.bind(py).call1((message,))?;
            if sending.is_exact_instance_of::<Ready>() {
                continue;
            }
            let layer = self.compression.bind(py).get().layer.bind(py).clone();
            self.awaiting = Some(awaited(&layer, sending)?.unbind());
        }
    }

    fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.send)?;
        visit.call(&self.compression)?;
        visit.call(&self.head)?;
        visit.call(&self.message)?;
        visit.call(&self.awaiting)
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

/// Name and value of a header that is a tuple of bytes, and nothing else.
fn exact_pair<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let pair = pair.cast_exact::<PyTuple>().ok()?;
    if pair.len() != 2 {
        return None;
    }
    let (name, value) = (pair.get_item(0).ok()?, pair.get_item(1).ok()?);
    Some((name.cast_into_exact().ok()?, value.cast_into_exact().ok()?))
}

/// The media type in a `content-type`, in lower case; None for one that is not printable ASCII, about which Python may think otherwise.
fn media_type(value: &[u8]) -> Option<String> {
    let value =
        std::str::from_utf8(value).ok().filter(|value| value.bytes().all(|byte| matches!(byte, b' '..=b'~')))?;
    let media_type = value.split_once(';').map_or(value, |(media_type, _)| media_type);
    Some(media_type.trim_matches(' ').to_ascii_lowercase())
}

/// Sets a header in the place of the first one with its name, and removes the others with it; removes all of them for None.
fn set_header(headers: &Bound<'_, PyList>, name: &[u8], value: Option<&[u8]>) -> PyResult<()> {
    let py = headers.py();
    let mut value =
        value.map(|value| PyTuple::new(py, [PyBytes::new(py, name), PyBytes::new(py, value)])).transpose()?;
    let mut place = 0_usize;
    while let Ok(pair) = headers.get_item(place) {
        if exact_pair(&pair).is_none_or(|(own, _)| own.as_bytes() != name) {
            place = place.saturating_add(1);
        } else if let Some(value) = value.take() {
            headers.set_item(place, value)?;
            place = place.saturating_add(1);
        } else {
            headers.del_item(place)?;
        }
    }
    value.map_or(Ok(()), |value| headers.append(value))
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
