//! Forms: `FormParser` reads one while it arrives, `FormReader` validates its declared fields in one call.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyLookupError, PyUnicodeDecodeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use wire::form::multipart::PartHead;
use wire::form::{FormError, Limits, multipart, urlencoded};
use wire::media_type::Options;

use super::sent::{Named, Sent, read_group};
use crate::plan::{Group, Source};
use crate::py::{self, attribute};

create_exception!(
    ferrapi._native,
    FormRefused,
    PyException,
    "A form that can't be read or is beyond its limits; says why."
);

fn refused(error: &FormError) -> PyErr {
    FormRefused::new_err(error.to_string())
}

/// The parser for the content type; none if that is no form's, or when the form has ended.
enum Kind {
    Urlencoded(urlencoded::Parser),
    Multipart(Box<multipart::Parser>),
    Nothing,
}

/// A form, read in pieces of any size.
#[pyclass(module = "ferrapi._native")]
pub(crate) struct FormParser {
    kind: Kind,
    codec: Codec,
}

#[pymethods]
impl FormParser {
    /// Raises `FormRefused` for a multipart form without a boundary.
    #[new]
    fn new(py: Python<'_>, content_type: &[u8], max_files: u64, max_fields: u64, max_part_size: u64) -> PyResult<Self> {
        let limits = Limits { max_files, max_fields, max_part_size };
        let options = Options::parse(content_type);
        match options.essence() {
            b"application/x-www-form-urlencoded" => {
                Ok(Self { kind: Kind::Urlencoded(urlencoded::Parser::new(limits)), codec: Codec::Utf8 })
            }
            b"multipart/form-data" => {
                let codec = Codec::find(py, options.get(b"charset"))?;
                let parser =
                    multipart::Parser::for_content_type(content_type, limits).map_err(|error| refused(&error))?;
                Ok(Self { kind: Kind::Multipart(Box::new(parser)), codec })
            }
            _ => Ok(Self { kind: Kind::Nothing, codec: Codec::Utf8 }),
        }
    }

    /// Whether the content type is that of a form. Otherwise the body is not to be read.
    #[getter]
    fn is_form(&self) -> bool {
        !matches!(self.kind, Kind::Nothing)
    }

    /// Take the next piece of the body.
    ///
    /// Returns what it completes, in order: a field as a pair of name and value; a file's beginning as its name, file name and
    /// headers; its data as bytes; its end as None. Raises `FormRefused`.
    fn feed<'py>(&mut self, py: Python<'py>, chunk: &[u8]) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        let fed = match &mut self.kind {
            Kind::Urlencoded(parser) => parser.feed(chunk),
            Kind::Multipart(parser) => {
                let mut sink = Events { events: &events, codec: &self.codec, failed: None };
                let fed = parser.feed(chunk, &mut sink);
                if let Some(error) = sink.failed {
                    return Err(error);
                }
                fed
            }
            Kind::Nothing => Ok(()),
        };
        fed.map_err(|error| refused(&error))?;
        Ok(events)
    }

    /// End the body. Returns the fields of an urlencoded form; the parser is of no more use.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let events = PyList::empty(py);
        if let Kind::Urlencoded(parser) = std::mem::replace(&mut self.kind, Kind::Nothing) {
            for (name, value) in parser.finish().map_err(|error| refused(&error))? {
                events.append(PyTuple::new(py, [py::text(py, &name), py::text(py, &value)])?)?;
            }
        }
        Ok(events)
    }
}

/// How the texts of a multipart form are decoded: Python's codec of that name, and latin-1 for what it can't decode.
enum Codec {
    Utf8,
    Python(String),
}

impl Codec {
    fn find(py: Python<'_>, charset: Option<&[u8]>) -> PyResult<Self> {
        let Some(charset) = charset else { return Ok(Self::Utf8) };
        let charset = wire::latin1::decode(charset);
        let name = match py.import(intern!(py, "codecs"))?.call_method1(intern!(py, "lookup"), (charset,)) {
            Ok(info) => info.getattr(intern!(py, "name"))?.extract::<String>()?,
            Err(error) if error.is_instance_of::<PyLookupError>(py) => "latin-1".to_owned(),
            Err(error) => return Err(error),
        };
        Ok(if name == "utf-8" { Self::Utf8 } else { Self::Python(name) })
    }

    fn decode<'py>(&self, py: Python<'py>, raw: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let Self::Python(name) = self else {
            return Ok(py::text(py, &wire::latin1::decode_utf8_or(raw)).into_any());
        };
        match PyBytes::new(py, raw).call_method1(intern!(py, "decode"), (name,)) {
            Err(error)
                if error.is_instance_of::<PyUnicodeDecodeError>(py) || error.is_instance_of::<PyLookupError>(py) =>
            {
                Ok(py::latin1(py, raw).into_any())
            }
            decoded => decoded,
        }
    }
}

/// What a piece of a multipart body completes, as Python objects.
struct Events<'a, 'py> {
    events: &'a Bound<'py, PyList>,
    codec: &'a Codec,
    failed: Option<PyErr>,
}

impl<'py> Events<'_, 'py> {
    fn add(&mut self, event: PyResult<Bound<'py, PyAny>>) {
        if self.failed.is_none() {
            self.failed = event.and_then(|event| self.events.append(event)).err();
        }
    }

    fn pair(&self, name: &[u8], value: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let py = self.events.py();
        Ok(PyTuple::new(py, [self.codec.decode(py, name)?, self.codec.decode(py, value)?])?.into_any())
    }

    fn beginning(&self, head: &PartHead) -> PyResult<Bound<'py, PyAny>> {
        let py = self.events.py();
        let headers = PyList::empty(py);
        for (name, value) in &head.headers {
            headers.append((PyBytes::new(py, name), PyBytes::new(py, value)))?;
        }
        let filename = head.filename.as_deref().unwrap_or_default();
        let event = [self.codec.decode(py, &head.name)?, self.codec.decode(py, filename)?, headers.into_any()];
        Ok(PyTuple::new(py, event)?.into_any())
    }
}

impl multipart::Sink for Events<'_, '_> {
    fn field(&mut self, name: Vec<u8>, value: Vec<u8>) {
        let event = self.pair(&name, &value);
        self.add(event);
    }

    fn begin_file(&mut self, head: PartHead) {
        let event = self.beginning(&head);
        self.add(event);
    }

    fn file_data(&mut self, data: &[u8]) {
        self.add(Ok(PyBytes::new(self.events.py(), data).into_any()));
    }

    fn end_file(&mut self) {
        self.add(Ok(self.events.py().None().into_bound(self.events.py())));
    }
}

/// The declared fields of a form, validated in one call. For fields whose validation runs no code of the user's.
///
/// It never changes, so it has no `__clear__`. See `RouteTable`.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct FormReader {
    group: Group,
}

#[pymethods]
impl FormReader {
    #[new]
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self { group: Group::new(plan)? })
    }

    /// Read the fields from the pairs of a form.
    ///
    /// Returns the keyword arguments, or None if any field is missing or invalid.
    pub(crate) fn read<'py>(&self, items: &Bound<'py, PyList>) -> PyResult<Option<Bound<'py, PyAny>>> {
        read_group(items.py(), &self.group, &mut Items(items))
    }

    /// Read the fields from the whole body of an urlencoded form.
    ///
    /// Returns the keyword arguments, or None if the body is of another type, beyond the limits (a number of fields, and bytes
    /// of each), or any field is missing or invalid.
    pub(crate) fn read_body<'py>(
        &self,
        py: Python<'py>,
        content_type: &[u8],
        body: &[u8],
        max_fields: u64,
        max_part_size: u64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if Options::parse(content_type).essence() != b"application/x-www-form-urlencoded" {
            return Ok(None);
        }
        let mut parser = urlencoded::Parser::new(Limits { max_files: 0, max_fields, max_part_size });
        let Ok(pairs) = parser.feed(body).and_then(|()| parser.finish()) else { return Ok(None) };
        read_group(py, &self.group, &mut Texts { py, pairs: &pairs })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.group.traverse(&visit)
    }
}

/// The pairs of a form that has been read, some of which are files.
struct Items<'a, 'py>(&'a Bound<'py, PyList>);

impl<'py> Named<'py> for Items<'_, 'py> {
    fn named(&mut self, _source: Source, wanted: &str, many: bool) -> PyResult<Sent<'py>> {
        let all = PyList::empty(self.0.py());
        let mut is_sent = false;
        for item in self.0.iter() {
            let item = item.cast_into::<PyTuple>()?;
            if is_named(&item, wanted)? {
                let value = item.get_item(1)?;
                if !many || !is_unselected(&value)? {
                    all.append(value)?;
                }
                is_sent = true;
            }
        }
        let Some(last) = all.iter().next_back() else {
            return Ok(if is_sent { Sent::Blank } else { Sent::Nothing });
        };
        if many {
            return Ok(Sent::Value(all.into_any()));
        }
        let is_blank = match last.cast::<PyString>() {
            Ok(text) => text.is_empty()?,
            Err(_) => is_unselected(&last)?,
        };
        Ok(if is_blank { Sent::Blank } else { Sent::Value(last) })
    }

    fn has_only(&mut self, _source: Source, names: &[&str]) -> PyResult<bool> {
        for item in self.0.iter() {
            let item = item.cast_into::<PyTuple>()?;
            let mut known = false;
            for name in names {
                known = known || is_named(&item, name)?;
            }
            if !known {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a part is a file input in which no file was chosen.
fn is_unselected(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_instance_of::<PyString>() {
        return Ok(false);
    }
    for name in [intern!(value.py(), "filename"), intern!(value.py(), "size")] {
        match attribute(value, name)? {
            Some(said) if !said.is_truthy()? => {}
            _ => return Ok(false), // it says something, or is no file
        }
    }
    Ok(true)
}

fn is_named(item: &Bound<'_, PyTuple>, wanted: &str) -> PyResult<bool> {
    Ok(item.get_borrowed_item(0)?.cast::<PyString>()?.to_str()? == wanted)
}

/// The pairs of a form that consists of texts.
struct Texts<'a, 'py> {
    py: Python<'py>,
    pairs: &'a [(String, String)],
}

impl<'py> Named<'py> for Texts<'_, 'py> {
    fn named(&mut self, _source: Source, wanted: &str, many: bool) -> PyResult<Sent<'py>> {
        let py = self.py;
        let mut named = self.pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value);
        let Some(last) = named.clone().next_back() else { return Ok(Sent::Nothing) };
        if many {
            let all = PyList::empty(py);
            named.try_for_each(|value| all.append(py::text(py, value)))?;
            return Ok(Sent::Value(all.into_any()));
        }
        Ok(if last.is_empty() { Sent::Blank } else { Sent::Value(py::text(py, last).into_any()) })
    }

    fn has_only(&mut self, _source: Source, names: &[&str]) -> PyResult<bool> {
        Ok(self.pairs.iter().all(|(name, _)| names.contains(&name.as_str())))
    }
}
