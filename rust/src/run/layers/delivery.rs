//! `deliver`: a whole response on its way from the engine to the server, through the layers that are known.

use pyo3::prelude::*;
use smallvec::SmallVec;

use super::{Adding, Outlet};
use crate::run::door::Headers;
use crate::run::uvicorn::Cycles;

/// Sends a whole response by an ASGI `send` without messages; answers whether it could. If not, nothing has happened.
///
/// `layer` answers the questions of `cycles`, which knows the server's `send`.
pub(in crate::run) fn deliver<'py>(
    layer: &Bound<'py, PyAny>,
    cycles: &Cycles,
    send: &Bound<'py, PyAny>,
    status: u16,
    headers: &Headers<'_, 'py>,
    body: &[u8],
) -> PyResult<bool> {
    let py = send.py();
    let mut passed: SmallVec<[Bound<'py, Outlet>; 1]> = SmallVec::new();
    let mut extended: Option<Headers<'_, 'py>> = None;
    let mut send = send.clone();
    loop {
        let headers = extended.as_ref().unwrap_or(headers);
        if let Ok(outlet) = send.cast_exact::<Outlet>() {
            if outlet.get().has_started() {
                return Ok(false);
            }
            let outlet = outlet.clone();
            send = outlet.get().target(py);
            passed.push(outlet);
        } else if let Ok(adding) = send.cast_exact::<Adding>() {
            let Some(pairs) = adding.get().extended(py, &headers.pairs(py, body.len())?)? else { return Ok(false) };
            let target = adding.get().target(py);
            extended = Some(Headers::Pairs(pairs));
            send = target;
        } else {
            let is_sent = match passed.last() {
                Some(outlet) => outlet.get().send_whole(py, status, headers, body)?,
                None => cycles.send(layer, &send, status, headers, body)?,
            };
            if is_sent {
                passed.iter().for_each(|outlet| outlet.get().note_start());
            }
            return Ok(is_sent);
        }
    }
}
