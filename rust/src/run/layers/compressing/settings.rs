//! `Compression`: what a GZip middleware does to the responses to some requests.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use wire::gzip::Gzip;

use super::Compressing;
use crate::py::Attached;
use crate::run::layers::Ready;

/// Streams that are kept to be used again; each takes a quarter of a megabyte.
const KEPT: usize = 4;

/// What a GZip middleware does to the responses to some requests.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Compression {
    /// zlib's level; None if the client can't read what is compressed.
    pub(super) level: Option<u32>,
    /// The size from which a body is compressed, and that from which it is in a thread, in bytes.
    pub(super) minimum: usize,
    pub(super) minimum_in_thread: usize,
    /// Media types that aren't compressed, in lower case; those of a kind end with `/*`.
    excluded: Vec<String>,
    /// Makes the `send` of a responder of Starlette's: `instead(send)`.
    pub(super) instead: Py<PyAny>,
    /// What does the rarer things (`ferrapi.middleware._remembered.RememberingGZip`).
    pub(super) layer: Py<PyAny>,
    pub(super) ready: Py<Ready>,
    kept: Attached<Vec<Gzip>>,
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
        Bound::new(slf.py(), Compressing::new(slf.clone().unbind(), target))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.instead)?;
        visit.call(&self.layer)
    }
}

impl Compression {
    /// A stream to compress a response with; None if none is compressed.
    pub(super) fn stream(&self, py: Python<'_>) -> Option<Gzip> {
        let level = self.level?;
        self.kept.change(py, Vec::pop).or_else(|| Gzip::new(level))
    }

    /// Takes a stream back.
    pub(super) fn keep(&self, py: Python<'_>, mut stream: Gzip) {
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
    pub(super) fn passes(&self, status: i64, headers: &Bound<'_, PyList>) -> Option<bool> {
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
    pub(super) fn mark(&self, headers: &Bound<'_, PyList>, is_compressed: bool, length: Option<usize>) -> PyResult<()> {
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

/// Name and value of a header that is a tuple of bytes, and nothing else.
pub(super) fn exact_pair<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
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
