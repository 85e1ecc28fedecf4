//! `deliver`: a whole response on its way from the engine to the server, through the layers that are known.

use pyo3::prelude::*;
use smallvec::SmallVec;
use wire::http1::response::is_bodiless;

use super::compressing::Compressed;
use super::{Adding, Compressing, Noting, Outlet, PassageSend};
use crate::run::transport::Headers;
use crate::run::uvicorn::UvicornCycles;

/// What became of a response.
pub(in crate::run) enum Delivery<'py> {
    Sent,
    /// It will be when this coroutine is at its end.
    Waits(Bound<'py, PyAny>),
    /// Nothing has happened: it has to go in messages.
    Not,
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
    let mut passed: SmallVec<[Bound<'py, Outlet>; 1]> = SmallVec::new();
    let mut noted: SmallVec<[Bound<'py, Noting>; 1]> = SmallVec::new();
    let mut compressing: SmallVec<[Bound<'py, Compressing>; 1]> = SmallVec::new();
    let mut extended: Option<Headers<'_, 'py>> = None;
    let mut compressed: Option<Vec<u8>> = None;
    let mut send = send.clone();
    let delivery = loop {
        let headers = extended.as_ref().unwrap_or(headers);
        let body = compressed.as_deref().unwrap_or(body);
        if let Ok(outlet) = send.cast_exact::<Outlet>() {
            if outlet.get().has_started() {
                return Ok(Delivery::Not);
            }
            let outlet = outlet.clone();
            send = outlet.get().target(py);
            passed.push(outlet);
        } else if let Ok(noting) = send.cast_exact::<Noting>() {
            if noting.get().has_started(py)? {
                return Ok(Delivery::Not);
            }
            let noting = noting.clone();
            send = noting.get().target(py);
            noted.push(noting);
        } else if let Ok(adding) = send.cast_exact::<Adding>() {
            let Some(pairs) = adding.get().extended(py, &headers.pairs(py, body.len())?)? else {
                return Ok(Delivery::Not);
            };
            let target = adding.get().target(py);
            extended = Some(Headers::Pairs(pairs));
            send = target;
        } else if let Ok(layer) = send.cast_exact::<Compressing>() {
            if is_bodiless(status.into()) || !layer.get().is_new(py) {
                return Ok(Delivery::Not);
            }
            let layer = layer.clone();
            match layer.get().compress_whole(py, status, &headers.pairs(py, body.len())?, body)? {
                Compressed::Unchanged => {}
                Compressed::InMessages => return Ok(Delivery::Not),
                Compressed::Changed(pairs, smaller) => {
                    extended = Some(Headers::Pairs(pairs));
                    if smaller.is_some() {
                        compressed = smaller;
                    }
                }
            }
            send = layer.get().target(py);
            compressing.push(layer);
        } else if let Ok(below) = send.cast_exact::<PassageSend>() {
            match below.get().take_whole(py, status, headers.pairs(py, body.len())?, body)? {
                Some(sending) => break Delivery::Waits(sending.into_any()),
                None => return Ok(Delivery::Not),
            }
        } else {
            let is_sent = match (passed.last(), server) {
                (Some(outlet), _) => outlet.get().send_whole(py, status, headers, body)?,
                (None, Some((layer, cycles))) => cycles.send(layer, &send, status, headers, body)?,
                (None, None) => false,
            };
            if !is_sent {
                return Ok(Delivery::Not);
            }
            break Delivery::Sent;
        }
    };
    passed.iter().for_each(|outlet| outlet.get().note_start());
    compressing.iter().for_each(|layer| layer.get().note_whole(py));
    noted.iter().try_for_each(|noting| noting.get().note_start(py))?;
    Ok(delivery)
}
