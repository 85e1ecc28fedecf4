//! `deliver` and `open`: a response on its way from the engine to the server, through the layers that are known.

use pyo3::prelude::*;
use pyo3::types::PyList;
use smallvec::SmallVec;
use wire::http1::response::is_bodiless;

use super::compressing::Compressed;
use super::{Adding, Compressing, Noting, Outlet, PassageSend};
use crate::run::transport::Headers;
use crate::run::uvicorn::{Begun, UvicornCycles};

/// What became of a response.
pub(in crate::run) enum Delivery<'py> {
    Sent,
    /// It will be when this coroutine is at its end.
    Waits(Bound<'py, PyAny>),
    /// Nothing has happened: it has to go in messages.
    Not,
}

/// The layers that a response's head has gone through, which have to be told when it is sent.
struct Way<'py> {
    passed: SmallVec<[Bound<'py, Outlet>; 1]>,
    noted: SmallVec<[Bound<'py, Noting>; 1]>,
    compressing: SmallVec<[Bound<'py, Compressing>; 1]>,
    /// The body, if it was compressed on the way.
    compressed: Option<Vec<u8>>,
    /// The headers with what was added on the way, if anything was.
    extended: Option<Bound<'py, PyList>>,
    /// The first `send` that isn't one of these layers'.
    end: Bound<'py, PyAny>,
}

impl<'py> Way<'py> {
    /// Follows a response with this head and body, which is None for one in pieces; None if it has to go in messages.
    fn follow(
        send: &Bound<'py, PyAny>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: Option<&[u8]>,
    ) -> PyResult<Option<Self>> {
        let py = send.py();
        let mut way = Self {
            passed: SmallVec::new(),
            noted: SmallVec::new(),
            compressing: SmallVec::new(),
            compressed: None,
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
                let Some(pairs) = adding.get().extended(py, &way.headers(py, headers, body)?)? else { return Ok(None) };
                let target = adding.get().target(py);
                way.extended = Some(pairs);
                way.end = target;
            } else if let Ok(layer) = way.end.cast_exact::<Compressing>() {
                let Some(body) = way.compressed.as_deref().or(body) else { return Ok(None) };
                if is_bodiless(status.into()) || !layer.get().is_new(py) {
                    return Ok(None);
                }
                let layer = layer.clone();
                let pairs = way.headers(py, headers, Some(body))?;
                match layer.get().compress_whole(py, status, &pairs, body)? {
                    Compressed::Unchanged => {}
                    Compressed::InMessages => return Ok(None),
                    Compressed::Changed(pairs, smaller) => {
                        way.extended = Some(pairs);
                        if smaller.is_some() {
                            way.compressed = smaller;
                        }
                    }
                }
                way.end = layer.get().target(py);
                way.compressing.push(layer);
            } else {
                return Ok(Some(way));
            }
        }
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

    /// Tells the layers that the response has begun.
    fn note_start(&self, py: Python<'_>) -> PyResult<()> {
        self.passed.iter().for_each(|outlet| outlet.get().note_start());
        self.compressing.iter().for_each(|layer| layer.get().note_whole(py));
        self.noted.iter().try_for_each(|noting| noting.get().note_start(py))
    }
}

/// Sends a whole response by an ASGI `send` without messages, if it can be.
///
/// `server` is what knows the server's `send`, and the layer that answers its questions.
pub(in crate::run) fn deliver<'py>(
    server: Option<(&Bound<'py, PyAny>, &UvicornCycles)>,
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: &Headers<'_, 'py>,
    body: &[u8],
) -> PyResult<Delivery<'py>> {
    let py = send.py();
    let Some(way) = Way::follow(send, status, headers, Some(body))? else { return Ok(Delivery::Not) };
    let extended = way.extended.clone().map(Headers::Pairs);
    let headers = extended.as_ref().unwrap_or(headers);
    let body = way.compressed.as_deref().unwrap_or(body);
    let delivery = if let Ok(below) = way.end.cast_exact::<PassageSend>() {
        match below.get().take_whole(py, status, headers.pairs(py, body.len())?, body)? {
            Some(sending) => Delivery::Waits(sending.into_any()),
            None => return Ok(Delivery::Not),
        }
    } else {
        let Some((layer, cycles)) = way.server(py, server) else { return Ok(Delivery::Not) };
        if !cycles.send(&layer, &way.end, status, headers, body)? {
            return Ok(Delivery::Not);
        }
        Delivery::Sent
    };
    way.note_start(py)?;
    Ok(delivery)
}

/// Begins a response that comes in pieces, without messages; None if that can't be.
///
/// To a request of ferrapi's own protocol the head has been told then, too.
pub(in crate::run) fn open<'py>(
    server: (&Bound<'py, PyAny>, &UvicornCycles),
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: &Bound<'py, PyList>,
) -> PyResult<Option<Begun<'py>>> {
    let py = send.py();
    let Some(way) = Way::follow(send, status, &Headers::Pairs(headers.clone()), None)? else { return Ok(None) };
    let headers = way.extended.as_ref().unwrap_or(headers);
    let Some((layer, cycles)) = way.server(py, Some(server)) else { return Ok(None) };
    let begun = cycles.begin(&layer, &way.end, status, headers)?;
    if begun.is_some() {
        way.note_start(py)?;
    }
    if let Some(Begun::Own(cycle)) = &begun {
        cycle.get().begin_pieces(py, status, headers.as_any())?;
    }
    Ok(begun)
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
