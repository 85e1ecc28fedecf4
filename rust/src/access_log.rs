//! `AccessLog`: lines of uvicorn's access log, without a record of `logging` for each (`ferrapi/_access_log.py` has the reasons).

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::facts::Facts;
use crate::py::{self, Attached};
use crate::version_counter::VersionCounter;
use crate::watch::TypeWatch;

const FORMAT: &str = "%s - \"%s %s HTTP/%s\" %d";

/// After so many lines it is asked again whether a logger that had to be called has become a usual one.
const ASK_AGAIN: u32 = 256;

/// What a line says.
pub(crate) struct Line<'l> {
    /// The client's host and port, or nothing.
    pub(crate) client: &'l str,
    pub(crate) method: &'l str,
    /// Path and query, as they are shown.
    pub(crate) path: &'l str,
    /// That of HTTP.
    pub(crate) version: &'l str,
    pub(crate) status: u16,
}

/// The access log of a server.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct AccessLog {
    logger: Py<PyAny>,
    find_handler: Py<PyAny>,
    template: Py<PyAny>,
    write: Py<PyAny>,
    settings: Py<VersionCounter>,
    watch: Py<TypeWatch>,
    known: Attached<Option<Arc<Known>>>,
    /// The lines of this turn of the event loop.
    lines: Attached<Vec<String>>,
}

/// What was found out of the logger.
struct Known {
    /// The version of the settings it is of.
    as_of: u64,
    /// How often it may be used without asking again.
    uses: Attached<u32>,
    /// None: it has to be called.
    plain: Option<Plain>,
}

/// A logger whose lines all go to one handler, as they are.
struct Plain {
    handler: Py<PyAny>,
    stream: Py<PyAny>,
    facts: Facts,
    /// By status.
    templates: Attached<Vec<(u16, Arc<[Part]>)>>,
}

/// A part of a line.
enum Part {
    Text(String),
    Client,
    Method,
    Path,
    Version,
}

#[pymethods]
impl AccessLog {
    /// Parameters:
    ///     logger: uvicorn's.
    ///     `find_handler`, template, write: what is done in Python (`ferrapi._access_log`).
    ///     settings: the version counter of applications.
    ///     watch: notices that a class was changed, and announces that as an edit.
    #[new]
    fn new(
        logger: Py<PyAny>,
        find_handler: Py<PyAny>,
        template: Py<PyAny>,
        write: Py<PyAny>,
        settings: Py<VersionCounter>,
        watch: Py<TypeWatch>,
    ) -> Self {
        let (known, lines) = (Attached::new(None), Attached::default());
        Self { logger, find_handler, template, write, settings, watch, known, lines }
    }

    /// Write the lines that there are.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let lines = self.lines.replace(py, Vec::new());
        if lines.is_empty() {
            return Ok(());
        }
        let known = self.known.see(py, Clone::clone);
        let Some(plain) = known.as_ref().and_then(|known| known.plain.as_ref()) else { return Ok(()) };
        self.write.bind(py).call1((&plain.handler, &plain.stream, lines)).map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for object in [&self.logger, &self.find_handler, &self.template, &self.write] {
            visit.call(object)?;
        }
        visit.call(&self.watch)?;
        self.known.traverse(&visit, |known, visit| match known.as_ref().and_then(|known| known.plain.as_ref()) {
            Some(plain) => {
                visit.call(&plain.handler)?;
                visit.call(&plain.stream)?;
                plain.facts.traverse(visit)
            }
            None => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.known.replace(py, None));
    }
}

impl AccessLog {
    /// The logger.
    pub(crate) fn logger(&self) -> &Py<PyAny> {
        &self.logger
    }

    /// Logs a response.
    pub(crate) fn log(slf: &Bound<'_, Self>, line: &Line<'_>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let known = this.known(py)?;
        let Some(plain) = &known.plain else { return this.call_logger(py, line) };
        let template = this.template(py, plain, line.status)?;
        let text = filled(&template, line);
        let is_first = this.lines.change(py, |lines| {
            lines.push(text);
            lines.len() == 1
        });
        if is_first { this.flush_soon(slf) } else { Ok(()) }
    }

    /// What is known of the logger, as of now.
    fn known(&self, py: Python<'_>) -> PyResult<Arc<Known>> {
        self.watch.get().look(py)?;
        let as_of = self.settings.get().current();
        if let Some(known) = self.known.see(py, Clone::clone)
            && known.as_of == as_of
            && match &known.plain {
                Some(plain) => plain.facts.hold(py)?,
                None => known.uses.change(py, |uses| {
                    *uses = uses.saturating_add(1);
                    *uses < ASK_AGAIN
                }),
            }
        {
            return Ok(known);
        }
        self.flush(py)?; // with what was true when the lines were logged
        let found = self.find_handler.bind(py).call1((&self.logger,))?;
        let plain = if found.is_none() {
            None
        } else {
            let (handler, stream, facts): (Py<PyAny>, Py<PyAny>, Bound<'_, PyAny>) = found.extract()?;
            Some(Plain { handler, stream, facts: Facts::of(&facts)?, templates: Attached::default() })
        };
        let as_of = self.settings.get().current(); // a class that is watched from now on may be another than it was
        let known = Arc::new(Known { as_of, uses: Attached::default(), plain });
        drop(self.known.replace(py, Some(Arc::clone(&known))));
        Ok(known)
    }

    /// The parts of the line for a status.
    fn template(&self, py: Python<'_>, plain: &Plain, status: u16) -> PyResult<Arc<[Part]>> {
        let find = |templates: &Vec<(u16, Arc<[Part]>)>| {
            templates.iter().find(|(own, _)| *own == status).map(|(_, parts)| Arc::clone(parts))
        };
        if let Some(parts) = plain.templates.see(py, find) {
            return Ok(parts);
        }
        let found = self.template.bind(py).call1((&self.logger, &plain.handler, status))?;
        let parts: Arc<[Part]> = found.try_iter()?.map(|part| part_of(&part?)).collect::<PyResult<Vec<_>>>()?.into();
        plain.templates.change(py, |templates| templates.push((status, Arc::clone(&parts))));
        Ok(parts)
    }

    /// Has the lines written before the event loop waits again.
    fn flush_soon(&self, slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let running = py.import(intern!(py, "asyncio"))?.call_method0(intern!(py, "_get_running_loop"))?;
        if running.is_none() {
            return self.flush(py);
        }
        running.call_method1(intern!(py, "call_soon"), (slf.getattr(intern!(py, "flush"))?,)).map(drop)
    }

    /// Logs a response as uvicorn does it.
    fn call_logger(&self, py: Python<'_>, line: &Line<'_>) -> PyResult<()> {
        let version = PyString::intern(py, line.version);
        let arguments = (
            intern!(py, FORMAT),
            py::text(py, line.client),
            PyString::intern(py, line.method),
            py::text(py, line.path),
            version,
            line.status,
        );
        self.logger.bind(py).call_method1(intern!(py, "info"), arguments).map(drop)
    }
}

/// Text, or the number of a value.
fn part_of(part: &Bound<'_, PyAny>) -> PyResult<Part> {
    if let Ok(text) = part.cast::<PyString>() {
        return Ok(Part::Text(text.to_str()?.to_owned()));
    }
    Ok(match part.extract::<u8>()? {
        0 => Part::Client,
        1 => Part::Method,
        2 => Part::Path,
        _ => Part::Version,
    })
}

fn filled(parts: &[Part], line: &Line<'_>) -> String {
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) => text.as_str(),
        Part::Client => line.client,
        Part::Method => line.method,
        Part::Path => line.path,
        Part::Version => line.version,
    });
    let size = texts.clone().fold(0_usize, |size, text| size.saturating_add(text.len()));
    let mut whole = String::with_capacity(size);
    texts.for_each(|text| whole.push_str(text));
    whole
}

/// Logs the response to a request of which there is a scope, which says how it is to be shown.
pub(crate) fn log_scope<'py>(log: &Bound<'py, AccessLog>, scope: &Bound<'py, PyDict>, status: u16) -> PyResult<()> {
    let py = log.py();
    let of = |key: &Bound<'py, PyString>| -> PyResult<Bound<'py, PyAny>> {
        Ok(scope.get_item(key)?.unwrap_or_else(|| py.None().into_bound(py)))
    };
    let path = of(intern!(py, "path"))?;
    let query = of(intern!(py, "query_string"))?;
    let query = query.cast::<PyBytes>()?;
    let path = shown_path(path.cast::<PyString>()?.to_str()?, query.as_bytes());
    let client = shown_client(&of(intern!(py, "client"))?)?;
    let (method, version) = (of(intern!(py, "method"))?, of(intern!(py, "http_version"))?);
    let (method, version) = (method.str()?, version.str()?);
    let (method, version) = (method.to_str()?, version.to_str()?);
    AccessLog::log(log, &Line { client: &client, method, path: &path, version, status })
}

/// A client's host and port, or nothing.
pub(crate) fn shown_client(client: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = client.py();
    if !client.is_truthy()? {
        return Ok(String::new());
    }
    if let Ok(pair) = client.cast::<PyTuple>()
        && let Ok((host, port)) = pair.extract::<(Bound<'_, PyString>, i64)>()
    {
        let host = host.to_str()?;
        let mut port_buffer = itoa::Buffer::new();
        let port = port_buffer.format(port);
        return Ok([host, ":", port].concat());
    }
    PyString::new(py, "%s:%d").call_method1(intern!(py, "__mod__"), (client,))?.extract()
}

/// The path, percent-encoded as `urllib.parse.quote` does it, and the query.
pub(crate) fn shown_path(path: &str, query: &[u8]) -> String {
    let mut shown = String::with_capacity(path.len().saturating_add(query.len()).saturating_add(1));
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/_.-~".contains(&byte) {
            shown.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase();
            shown.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
    if !query.is_empty() {
        shown.push('?');
        shown.push_str(&String::from_utf8_lossy(query));
    }
    shown
}
