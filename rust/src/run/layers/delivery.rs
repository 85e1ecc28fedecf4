//! `deliver` and `open`: a response on its way from the engine to the server, through the layers that are known.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use smallvec::SmallVec;
use wire::gzip::Gzip;
use wire::http1::response::is_bodiless;

use super::compressing::Compressed;
use super::{Adding, Compressing, Noting, Outlet, PassageSend};
use crate::run::transport::Headers;
use crate::run::uvicorn::{Begun, UvicornCycles, begin_own, own_request, send_own};

/// What became of a response.
pub(in crate::run) enum Delivery<'py> {
    Sent,
    /// It will be when this coroutine is at its end.
    Waits(Bound<'py, PyAny>),
    /// Nothing has happened: it has to go in messages.
    Not,
}

/// What comes behind the first piece of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Rest {
    Nothing,
    /// An empty piece: middleware has passed the body on in this way, though it was whole.
    Empty,
    /// More pieces.
    Pieces,
}

/// The layers that a response's head has gone through, which have to be told when it is sent.
struct Way<'py> {
    passed: SmallVec<[Bound<'py, Outlet>; 1]>,
    noted: SmallVec<[Bound<'py, Noting>; 1]>,
    /// Those that compress, each with what the pieces behind the first one are compressed by.
    compressing: SmallVec<[(Bound<'py, Compressing>, Option<Gzip>); 1]>,
    /// Whether one of them has to see the first piece before the head is known.
    waits: bool,
    /// The body, or its first piece, if it was compressed on the way.
    compressed: Option<Vec<u8>>,
    /// Whether the body was compressed in two pieces, so that its length was not known with the head.
    is_unframed: bool,
    /// The headers with what was added on the way, if anything was.
    extended: Option<Bound<'py, PyList>>,
    /// The first `send` that isn't one of these layers'.
    end: Bound<'py, PyAny>,
}

impl<'py> Way<'py> {
    /// Follows a response with this head and the first piece of its body, if that is there; None if it has to go in messages.
    fn follow(
        send: &Bound<'py, PyAny>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: Option<(&[u8], Rest)>,
    ) -> PyResult<Option<Self>> {
        let py = send.py();
        let mut way = Self {
            passed: SmallVec::new(),
            noted: SmallVec::new(),
            compressing: SmallVec::new(),
            waits: false,
            compressed: None,
            is_unframed: false,
            extended: None,
            end: send.clone(),
        };
        loop {
            if let Ok(outlet) = way.end.cast_exact::<Outlet>() {
                if outlet.get().has_started() {
                    return Ok(None);
                }
                let outlet = outlet.clone();
                way.end = outlet.get().target(py);
                way.passed.push(outlet);
            } else if let Ok(noting) = way.end.cast_exact::<Noting>() {
                if noting.get().has_started(py)? {
                    return Ok(None);
                }
                let noting = noting.clone();
                way.end = noting.get().target(py);
                way.noted.push(noting);
            } else if let Ok(adding) = way.end.cast_exact::<Adding>() {
                let Some(pairs) = adding.get().extended(py, &way.headers(py, headers, body.map(|(body, _)| body))?)?
                else {
                    return Ok(None);
                };
                let target = adding.get().target(py);
                way.extended = Some(pairs);
                way.end = target;
            } else if let Ok(layer) = way.end.cast_exact::<Compressing>() {
                if !way.compress(layer.clone(), status, headers, body)? {
                    return Ok(None);
                }
            } else {
                return Ok(Some(way));
            }
        }
    }

    /// Goes on behind a layer that compresses; answers whether the response can.
    fn compress(
        &mut self,
        layer: Bound<'py, Compressing>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: Option<(&[u8], Rest)>,
    ) -> PyResult<bool> {
        let py = layer.py();
        let this = layer.get();
        let mut stream = None;
        if let Some((first, rest)) = body {
            let body = self.compressed.as_deref().unwrap_or(first);
            if (is_bodiless(status.into()) && !body.is_empty()) || !this.is_new(py) {
                return Ok(false);
            }
            let pairs = self.headers(py, headers, Some(body))?;
            let compressed = match rest {
                Rest::Nothing => this.compress_first(py, status, &pairs, body, false)?,
                Rest::Pieces => this.compress_first(py, status, &pairs, body, true)?,
                Rest::Empty => this.compress_two(py, status, &pairs, body)?,
            };
            match compressed {
                Compressed::Unchanged => {}
                Compressed::InMessages => return Ok(false),
                Compressed::Changed { headers, body, stream: for_others } => {
                    self.extended = Some(headers);
                    self.is_unframed |= rest == Rest::Empty && body.is_some();
                    self.compressed = body.or_else(|| self.compressed.take());
                    stream = for_others;
                }
            }
        } else {
            match this.passes(py, status, &self.headers(py, headers, None)?) {
                None => return Ok(false),
                Some(passes) => self.waits |= !passes,
            }
            if is_bodiless(status.into()) || !this.is_new(py) {
                return Ok(false);
            }
        }
        self.end = this.target(py);
        self.compressing.push((layer, stream));
        Ok(true)
    }

    /// The headers as they are by now.
    fn headers(&self, py: Python<'py>, first: &Headers<'_, 'py>, body: Option<&[u8]>) -> PyResult<Bound<'py, PyList>> {
        match &self.extended {
            Some(pairs) => Ok(pairs.clone()),
            None => first.pairs(py, body.map_or(0, <[u8]>::len)),
        }
    }

    /// What knows the server's `send`, and the layer that answers its questions: the last outlet's, or else that of the router.
    fn server<'w>(
        &'w self,
        py: Python<'py>,
        own: Option<(&'w Bound<'py, PyAny>, &'w UvicornCycles)>,
    ) -> Option<(Bound<'py, PyAny>, &'w UvicornCycles)> {
        match self.passed.last() {
            Some(outlet) => Some(outlet.get().server(py)),
            None => own.map(|(layer, cycles)| (layer.clone(), cycles)),
        }
    }

    /// Tells the layers that the response has begun; returns the one that compresses the pieces behind the first, if one does.
    fn note_start(self, py: Python<'py>) -> PyResult<Option<Bound<'py, Compressing>>> {
        self.passed.iter().for_each(|outlet| outlet.get().note_start());
        let mut compressing = None;
        for (layer, stream) in self.compressing {
            if stream.is_some() {
                compressing = Some(layer.clone());
            }
            layer.get().note_begun(py, stream);
        }
        self.noted.iter().try_for_each(|noting| noting.get().note_start(py))?;
        Ok(compressing)
    }

    /// Has the server begin the response, whose headers are these unless others were added on the way.
    fn begin(
        &self,
        py: Python<'py>,
        own: Option<(&Bound<'py, PyAny>, &UvicornCycles)>,
        status: u16,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Option<Begun<'py>>> {
        let headers = self.extended.as_ref().unwrap_or(headers);
        if let Some(request) = own_request(&self.end)? {
            return begin_own(request, status, headers);
        }
        let Some((layer, cycles)) = self.server(py, own) else { return Ok(None) };
        cycles.begin(&layer, &self.end, status, headers)
    }

    /// Sends a body that was compressed in two pieces, all at once.
    fn deliver_unframed(
        mut self,
        py: Python<'py>,
        own: Option<(&Bound<'py, PyAny>, &UvicornCycles)>,
        status: u16,
    ) -> PyResult<Delivery<'py>> {
        let (Some(headers), Some(body)) = (self.extended.take(), self.compressed.take()) else {
            return Ok(Delivery::Not);
        };
        if own_request(&self.end)?.is_some_and(|request| request.get().connection().is_paused()) {
            return Ok(Delivery::Not);
        }
        let Some(begun) = self.begin(py, own, status, &headers)? else { return Ok(Delivery::Not) };
        self.note_start(py)?;
        begun.write(py, &PyBytes::new(py, &body))?;
        Ok(Delivery::Sent)
    }
}

/// Sends a whole response by an ASGI `send` without messages, if it can be.
///
/// `server` is what knows the server's `send`, and the layer that answers its questions; `rest` what middleware has put behind
/// the body.
pub(in crate::run) fn deliver<'py>(
    server: Option<(&Bound<'py, PyAny>, &UvicornCycles)>,
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: &Headers<'_, 'py>,
    body: &[u8],
    rest: Rest,
) -> PyResult<Delivery<'py>> {
    let py = send.py();
    let Some(mut way) = Way::follow(send, status, headers, Some((body, rest)))? else { return Ok(Delivery::Not) };
    if way.is_unframed {
        return way.deliver_unframed(py, server, status);
    }
    let extended = way.extended.take().map(Headers::Pairs);
    let headers = extended.as_ref().unwrap_or(headers);
    let compressed = way.compressed.take();
    let body = compressed.as_deref().unwrap_or(body);
    let delivery = if let Ok(below) = way.end.cast_exact::<PassageSend>() {
        match below.get().take_whole(py, status, headers.pairs(py, body.len())?, body)? {
            Some(sending) => Delivery::Waits(sending.into_any()),
            None => return Ok(Delivery::Not),
        }
    } else {
        let is_sent = match own_request(&way.end)? {
            Some(request) => send_own(&request, status, headers, body)?,
            None => match way.server(py, server) {
                Some((layer, cycles)) => cycles.send(&layer, &way.end, status, headers, body)?,
                None => false,
            },
        };
        if !is_sent {
            return Ok(Delivery::Not);
        }
        Delivery::Sent
    };
    way.note_start(py)?;
    Ok(delivery)
}

/// What became of a response in pieces.
pub(in crate::run) enum Opened<'py> {
    /// It has begun.
    Begun(Begun<'py>),
    /// It begins with its first piece, which a layer on the way has to see (`open_with`).
    Later,
    /// Nothing has happened: it has to go in messages.
    Not,
}

/// Begins a response that comes in pieces, without messages, if that can be.
pub(in crate::run) fn open<'py>(
    server: Option<(&Bound<'py, PyAny>, &UvicornCycles)>,
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: &Bound<'py, PyList>,
) -> PyResult<Opened<'py>> {
    let py = send.py();
    let Some(way) = Way::follow(send, status, &Headers::Pairs(headers.clone()), None)? else { return Ok(Opened::Not) };
    if way.waits {
        let is_known = own_request(&way.end)?.is_some()
            || match way.passed.last() {
                Some(outlet) => {
                    let (layer, cycles) = outlet.get().server(py);
                    cycles.knows(&layer, &way.end)?
                }
                None => false,
            };
        return Ok(if is_known { Opened::Later } else { Opened::Not });
    }
    let begun = way.begin(py, server, status, headers)?;
    if begun.is_some() {
        way.note_start(py)?;
    }
    Ok(begun.map_or(Opened::Not, Opened::Begun))
}

/// A response that has begun with its first piece, as far as others are concerned.
pub(in crate::run) struct OpenedWith<'py> {
    pub(in crate::run) begun: Begun<'py>,
    /// The first piece, if it has become another.
    pub(in crate::run) piece: Option<Vec<u8>>,
    /// What compresses those behind it.
    pub(in crate::run) compressing: Option<Bound<'py, Compressing>>,
}

/// Begins a response that comes in pieces, the first of which is there; None if nothing has happened, and it has to go in messages.
pub(in crate::run) fn open_with<'py>(
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: &Bound<'py, PyList>,
    piece: &[u8],
    more: bool,
) -> PyResult<Option<OpenedWith<'py>>> {
    let py = send.py();
    let rest = if more { Rest::Pieces } else { Rest::Nothing };
    let Some(mut way) = Way::follow(send, status, &Headers::Pairs(headers.clone()), Some((piece, rest)))? else {
        return Ok(None);
    };
    let Some(begun) = way.begin(py, None, status, headers)? else { return Ok(None) };
    let piece = way.compressed.take();
    let compressing = way.note_start(py)?;
    Ok(Some(OpenedWith { begun, piece, compressing }))
}

/// Sends a whole response by the `send` of an ASGI application, without messages; answers whether that could be done.
///
/// Parameters:
///     send: where it goes, a request's of ferrapi's own protocol or one of the known layers in front of that.
///     status: the status code.
///     headers: pairs of bytes that were checked.
///     body: the body.
#[pyfunction]
pub(crate) fn send_whole<'py>(
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: Bound<'py, PyList>,
    body: &[u8],
) -> PyResult<bool> {
    Ok(matches!(deliver(None, send, status, &Headers::Pairs(headers), body, Rest::Nothing)?, Delivery::Sent))
}

/// Whether messages that are sent by `send` come to the server without any code of the user's that could see when they do.
pub(in crate::run) fn goes_unseen(send: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = send.py();
    let mut send = send.clone();
    let mut last = None;
    loop {
        send = if let Ok(outlet) = send.cast_exact::<Outlet>() {
            last = Some(outlet.clone());
            outlet.get().target(py)
        } else if let Ok(noting) = send.cast_exact::<Noting>() {
            noting.get().target(py)
        } else if let Ok(adding) = send.cast_exact::<Adding>() {
            adding.get().target(py)
        } else if let Ok(layer) = send.cast_exact::<Compressing>() {
            layer.get().target(py)
        } else if let Ok(below) = send.cast_exact::<PassageSend>() {
            return Ok(below.get().passes_on());
        } else {
            let Some(outlet) = last else { return Ok(false) };
            let (layer, cycles) = outlet.get().server(py);
            return cycles.knows(&layer, &send);
        };
    }
}
