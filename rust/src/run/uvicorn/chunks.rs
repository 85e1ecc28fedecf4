//! A response in chunks, written to the transport of uvicorn's cycle: what is ready at a time leaves in one write.

use std::io::Write;
use std::sync::PoisonError;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::{Owner, UvicornCycle, UvicornCycles, is_unframed};
use crate::http1::{self, MUCH, append, unless_closed};

/// A response in chunks that has begun.
pub(in crate::run) struct Chunks {
    object: Py<PyAny>,
    attributes: Py<PyDict>,
    flow: Py<PyAny>,
    keep_alive: bool,
    pending: Vec<u8>,
}

/// How a response that comes in pieces is written without messages.
pub(in crate::run) enum Begun<'py> {
    /// By uvicorn's cycle.
    Chunks(Chunks),
    /// By a request of ferrapi's own protocol, which has been told the head.
    Own(Bound<'py, http1::InFlightRequest>),
}

impl UvicornCycles {
    /// Begins a response whose body comes in pieces, if it is one that can be written here: in chunks, on a connection that is free.
    pub(in crate::run) fn begin<'py>(
        &self,
        layer: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
        status: u16,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Begun<'py>>> {
        let py = send.py();
        let cycle = match self.owner(layer, send, |parts| &parts.send)? {
            None => return Ok(None),
            Some(Owner::Own(request)) => return begin_own(request, status, headers),
            Some(Owner::Uvicorn(cycle)) => cycle,
        };
        if status < 200 || wire::http1::response::is_bodiless(status.into()) || !cycle.is_fresh()? {
            return Ok(None);
        }
        let scope = cycle.get(intern!(py, "scope"))?;
        let is_usual = scope.get_item(intern!(py, "http_version"))?.eq(intern!(py, "1.1"))?
            && !scope.get_item(intern!(py, "method"))?.eq(intern!(py, "HEAD"))?
            && headers.iter().all(|pair| is_unframed(&pair));
        if !is_usual {
            return Ok(None);
        }
        let keep_alive = cycle.get(intern!(py, "keep_alive"))?.is_truthy()?;
        let defaults = cycle.get(intern!(py, "default_headers"))?.cast_into::<PyList>()?;
        let mut pending = {
            let mut known = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(opening) = known.of(status, &cycle.status_lines, &defaults)? else { return Ok(None) };
            opening.to_vec()
        };
        append(&mut pending, headers)?;
        if !keep_alive {
            pending.extend_from_slice(b"connection: close\r\n");
        }
        pending.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        if cycle.get(intern!(py, "access_log"))?.is_truthy()? {
            self.log(layer, &cycle, &scope, status)?;
        }
        cycle.attributes.set_item(intern!(py, "response_started"), true)?;
        cycle.attributes.set_item(intern!(py, "chunked_encoding"), true)?;
        Ok(Some(Begun::Chunks(Chunks {
            flow: cycle.get(intern!(py, "flow"))?.unbind(),
            object: cycle.object.unbind(),
            attributes: cycle.attributes.unbind(),
            keep_alive,
            pending,
        })))
    }
}

/// Begins a response to a request of ferrapi's own protocol, unless one has begun or nobody waits for it.
pub(in crate::run) fn begin_own<'py>(
    request: Bound<'py, http1::InFlightRequest>,
    status: u16,
    headers: &Bound<'py, PyList>,
) -> PyResult<Option<Begun<'py>>> {
    let py = request.py();
    if request.get().has_started(py) || !request.get().is_unanswered() {
        return Ok(None);
    }
    request.get().begin_pieces(py, status, headers.as_any())?;
    Ok(Some(Begun::Own(request)))
}

impl<'py> Begun<'py> {
    /// Writes a body that is there at once.
    pub(in crate::run) fn write(self, py: Python<'py>, body: &Bound<'py, PyBytes>) -> PyResult<()> {
        match self {
            Self::Chunks(mut chunks) => chunks.add(py, body.as_bytes(), false),
            Self::Own(request) => request.get().add_piece(py, body, false),
        }
    }
}

impl Chunks {
    fn cycle<'py>(&self, py: Python<'py>) -> UvicornCycle<'py> {
        let status_lines = PyDict::new(py); // which nobody asks for any more
        UvicornCycle {
            object: self.object.bind(py).clone(),
            attributes: self.attributes.bind(py).clone(),
            status_lines,
        }
    }

    /// Whether the client reads too slowly for anything more to be written.
    pub(in crate::run) fn is_paused(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.flow.bind(py).getattr(intern!(py, "write_paused"))?.is_truthy()? && !self.is_lost(py)?)
    }

    fn is_lost(&self, py: Python<'_>) -> PyResult<bool> {
        self.cycle(py).is_set(intern!(py, "disconnected"))
    }

    /// What is awaited until the client has read more.
    pub(in crate::run) fn drain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.flow.bind(py).call_method0(intern!(py, "drain"))
    }

    /// Adds a chunk, the last one if there is no `more`. Nothing happens if the client is gone.
    pub(in crate::run) fn add(&mut self, py: Python<'_>, piece: &[u8], more: bool) -> PyResult<()> {
        if self.is_lost(py)? {
            return Ok(());
        }
        if !piece.is_empty() {
            // Writing into memory does not fail.
            let _ = write!(self.pending, "{:x}\r\n", piece.len());
            self.pending.extend_from_slice(piece);
            self.pending.extend_from_slice(b"\r\n");
        }
        if more {
            return if self.pending.len() >= MUCH { self.flush(py) } else { Ok(()) };
        }
        self.pending.extend_from_slice(b"0\r\n\r\n");
        self.flush(py)?;
        self.cycle(py).finish(self.keep_alive)
    }

    /// Writes what is pending.
    pub(in crate::run) fn flush(&mut self, py: Python<'_>) -> PyResult<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let pending = PyBytes::new(py, &std::mem::take(&mut self.pending));
        if self.is_lost(py)? {
            return Ok(());
        }
        let transport = self.cycle(py).get(intern!(py, "transport"))?;
        unless_closed(&transport, transport.call_method1(intern!(py, "write"), (pending,)))
    }

    pub(in crate::run) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)?;
        visit.call(&self.attributes)?;
        visit.call(&self.flow)
    }
}
