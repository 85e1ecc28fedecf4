//! What the engine asks `Compressing` for responses that don't go in messages: whole ones, and those in pieces.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use wire::gzip::Gzip;

use super::{Compressing, State, compress, failed};

/// What becomes of a response whose body, or the first piece of it, is known.
pub(in crate::run::layers) enum Compressed<'py> {
    Unchanged,
    /// These are its headers and its body, if that is another, and the stream for the pieces behind it.
    Changed {
        headers: Bound<'py, PyList>,
        body: Option<Vec<u8>>,
        stream: Option<Gzip>,
    },
    /// It has to come in messages.
    InMessages,
}

/// What becomes of a piece of a body.
pub(in crate::run) enum Piece<'py> {
    Done(Vec<u8>),
    /// It has to be compressed in a thread, which is done when this coroutine is at its end. Then the piece is to be given again.
    InThread(Bound<'py, PyAny>),
}

impl Compressing {
    /// Whether nothing of the response has come.
    pub(in crate::run::layers) fn is_new(&self, py: Python<'_>) -> bool {
        self.state.see(py, |state| matches!(state, State::New))
    }

    /// Notes that the response has begun, and what its pieces are compressed by.
    pub(in crate::run::layers) fn note_begun(&self, py: Python<'_>, stream: Option<Gzip>) {
        drop(self.state.replace(py, State::Begun(stream)));
    }

    /// Whether a response in pieces with this head is passed on as it is; None if it has to come in messages.
    pub(in crate::run::layers) fn passes(
        &self,
        py: Python<'_>,
        status: u16,
        headers: &Bound<'_, PyList>,
    ) -> Option<bool> {
        self.compression.bind(py).get().passes(status.into(), headers)
    }

    /// What becomes of a response that begins with this piece, and is over with it if there is no `more`.
    pub(in crate::run::layers) fn compress_first<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Bound<'py, PyList>,
        piece: &[u8],
        more: bool,
    ) -> PyResult<Compressed<'py>> {
        let compression = self.compression.bind(py).get();
        match compression.passes(status.into(), headers) {
            Some(true) => return Ok(Compressed::Unchanged),
            Some(false) if piece.len() < compression.minimum && !more => return Ok(Compressed::Unchanged),
            Some(false) if piece.len() < compression.minimum_in_thread && (more || !piece.is_empty()) => {}
            Some(false) | None => return Ok(Compressed::InMessages),
        }
        let headers = headers.get_slice(0, headers.len());
        let Some(mut stream) = compression.stream(py) else {
            compression.mark(&headers, false, None)?;
            return Ok(Compressed::Changed { headers, body: None, stream: None });
        };
        let body = compress(&mut stream, piece, more).map_err(failed)?;
        compression.mark(&headers, true, (!more).then_some(body.len()))?;
        let stream = if more {
            Some(stream)
        } else {
            compression.keep(py, stream);
            None
        };
        Ok(Compressed::Changed { headers, body: Some(body), stream })
    }

    /// What becomes of a response that comes in two pieces: its whole body, and an empty one.
    pub(in crate::run::layers) fn compress_two<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: &Bound<'py, PyList>,
        body: &[u8],
    ) -> PyResult<Compressed<'py>> {
        let first = self.compress_first(py, status, headers, body, true)?;
        let Compressed::Changed { headers, body: Some(mut body), stream: Some(mut stream) } = first else {
            return Ok(first);
        };
        body.extend(compress(&mut stream, b"", false).map_err(failed)?);
        self.compression.bind(py).get().keep(py, stream);
        Ok(Compressed::Changed { headers, body: Some(body), stream: None })
    }

    /// What becomes of a piece behind the first one, the last one if there is no `more`.
    pub(in crate::run) fn compress_next<'py>(
        slf: &Bound<'py, Self>,
        piece: &Bound<'py, PyBytes>,
        more: bool,
    ) -> PyResult<Piece<'py>> {
        let py = slf.py();
        let this = slf.get();
        if let Some(done) = this.aside.replace(py, None) {
            return Ok(Piece::Done(done));
        }
        let compression = this.compression.bind(py).get();
        let bytes = piece.as_bytes();
        if bytes.len() >= compression.minimum_in_thread {
            let arguments = (slf.getattr(intern!(py, "compress_aside"))?, piece, more);
            return compression.layer.bind(py).call_method1(intern!(py, "in_thread"), arguments).map(Piece::InThread);
        }
        let mut stream = this.take_stream(py)?;
        let done = compress(&mut stream, bytes, more);
        this.put_back(py, stream, more);
        done.map(Piece::Done).map_err(failed)
    }
}
