//! What comes by a connection: bytes become requests and bodies, the client is held back, and what can't be read is refused.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use wire::http1::{BodyLength, Refusal, Upgrade};

use super::answering::{Answerer, Collecting};
use super::connection::{Connection, is, set};
use super::in_flight::InFlightRequest;
use super::reading::{Got, Reading};
use super::request_head::RequestHead;
use super::response::{Response, plain_text};
use super::timing::Awaited;
use crate::run::Content;

/// Bytes of a body, or of what comes behind a request, from which on the client is held back.
pub(super) const HIGH_WATER: usize = 64 * 1024;

/// What tells a client to send the body.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl Connection {
    /// Makes what can be made of the bytes that are held, and of those that are `fresh`.
    pub(super) fn go_on(slf: &Bound<'_, Self>, mut fresh: &[u8]) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let mut has_body = false;
        loop {
            let waits = is(&this.flags.is_resuming)
                || (is(&this.flags.is_paused) && this.reading.see(py, |reading| reading.conversation.is_between()));
            if waits {
                this.reading.change(py, |reading| reading.hold(&mut fresh));
                if this.reading.see(py, Reading::has_held) {
                    this.hold_back(py)?;
                    this.timing.stop_if_idle();
                }
                break;
            }
            match this.reading.change(py, |reading| reading.next(&mut fresh)) {
                Got::More | Got::Over => break,
                Got::Wait => {
                    if this.reading.see(py, Reading::has_held) {
                        this.hold_back(py)?;
                    }
                    break;
                }
                Got::Request(head, bytes) => {
                    this.reading.change(py, |reading| reading.hold(&mut fresh));
                    let head = RequestHead::new(&PyBytes::new(py, &bytes), *head);
                    if Self::arrive(slf, head)? {
                        return Ok(());
                    }
                }
                Got::Body => {
                    has_body = true;
                    if this.collecting.see(py, Option::is_some)
                        && this.reading.see(py, Reading::waiting) > HIGH_WATER
                        && let Some(Collecting { head, .. }) = this.collecting.replace(py, None)
                    {
                        this.reading.change(py, |reading| reading.hold(&mut fresh));
                        Self::start(slf, head, Answerer::Application)?;
                    }
                }
                Got::End => {
                    has_body = true;
                    if let Some(Collecting { head, destination }) = this.collecting.replace(py, None) {
                        this.reading.change(py, |reading| reading.hold(&mut fresh));
                        let (body, _) = this.reading.change(py, Reading::take_body);
                        let content = if body.is_empty() {
                            Content::Empty
                        } else {
                            Content::Whole(PyBytes::new(py, &body).unbind())
                        };
                        Self::start(slf, head, Answerer::Route { destination, content })?;
                    } else if this.in_flight.see(py, Option::is_none) {
                        Self::wait_for(slf, Awaited::Request)?; // it was answered early
                    }
                }
                Got::Refused(refusal) => return Self::refuse(slf, refusal),
            }
        }
        if has_body && let Some(in_flight) = this.in_flight.get(py) {
            let waits = |reading: &Reading| reading.conversation.is_in_body() && reading.waiting() > HIGH_WATER;
            if this.reading.see(py, waits) {
                this.hold_back(py)?;
            }
            in_flight.get().wake(py)?;
        }
        Self::watch(slf)
    }

    /// A request's head has come; its body may still be on its way. Answers whether the connection is somebody else's now.
    fn arrive(slf: &Bound<'_, Self>, head: RequestHead) -> PyResult<bool> {
        let py = slf.py();
        let this = slf.get();
        if let Some(upgrade) = head.wire().upgrade {
            let has_web_sockets = || slf.getattr(intern!(py, "ws_protocol_class")).map(|class| !class.is_none());
            if upgrade == Upgrade::WebSocket && has_web_sockets()? {
                let rest = this.reading.change(py, |reading| {
                    let rest = reading.take_held();
                    reading.close();
                    rest
                });
                this.leave(slf)?;
                slf.call_method1(intern!(py, "upgrade"), (head.written(py)?, PyBytes::new(py, &rest)))?;
                return Ok(true);
            }
            slf.call_method0(intern!(py, "warn_of_upgrade"))?;
        }
        let answerer = Self::answerer(slf, &head)?;
        let Answerer::Route { destination, .. } = answerer else {
            Self::start(slf, head, answerer)?;
            return Ok(false);
        };
        let most = u64::try_from(HIGH_WATER).unwrap_or(u64::MAX);
        let has_come = |length: u64| {
            this.reading.see(py, |reading| u64::try_from(reading.held()).is_ok_and(|held| held >= length))
        };
        let reads_body = || destination.target.bind(py).call_method0(intern!(py, "reads_body"))?.is_truthy();
        let collects = match head.wire().body {
            BodyLength::None => true,
            BodyLength::Known(length) if length > most => false,
            // Who waits to be told to send the body is told by whoever receives it.
            BodyLength::Known(length) => (has_come(length) && !head.wire().expects_continue) || reads_body()?,
            BodyLength::Chunked => reads_body()?,
        };
        if !collects {
            Self::start(slf, head, Answerer::Application)?;
            return Ok(false);
        }
        if head.wire().body == BodyLength::None {
            Self::start(slf, head, Answerer::Route { destination, content: Content::Empty })?;
            return Ok(false);
        }
        if head.wire().expects_continue {
            this.write_bytes(py, &PyBytes::new(py, CONTINUE))?;
        }
        drop(this.collecting.replace(py, Some(Collecting { head, destination })));
        Ok(false)
    }

    /// Refuses what has come, and closes the connection.
    pub(super) fn refuse(slf: &Bound<'_, Self>, refusal: Refusal) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        drop(this.collecting.replace(py, None));
        let server = this.server.get();
        server.warn(py, refusal.message())?;
        let is_free = match this.in_flight.get(py) {
            // An answered request whose body goes wrong has got its answer.
            None => !this.reading.see(py, |reading| reading.conversation.is_answered_early()),
            Some(in_flight) => {
                let is_free = !in_flight.get().has_started(py);
                in_flight.get().lose(py)?;
                this.drains.wake(py)?;
                is_free
            }
        };
        if is_free {
            let (status, message) = (refusal.status(), refusal.message());
            let headers = plain_text(py, message)?;
            let body = message.as_bytes();
            let response = Response { status, headers: &headers, body, keep_alive: false, without_body: false };
            this.write_bytes(py, &server.whole(py, &response)?)?;
        }
        match refusal {
            Refusal::TooSlow => this.close(py), // nothing comes that has not been read
            _ => Self::part(slf, is_free),
        }
    }

    /// Reads nothing until somebody takes what has come.
    fn hold_back(&self, py: Python<'_>) -> PyResult<()> {
        if is(&self.flags.is_reading_paused) || is(&self.flags.is_lost) {
            return Ok(());
        }
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        if transport.bind(py).call_method0(intern!(py, "is_closing"))?.is_truthy()? {
            return Ok(());
        }
        set(&self.flags.is_reading_paused, true);
        transport.bind(py).call_method0(intern!(py, "pause_reading")).map(drop)
    }

    /// Reads on, in the context of the connection: an event loop may remember that of whoever tells it to.
    pub(super) fn resume_reading(&self, py: Python<'_>) -> PyResult<()> {
        if !is(&self.flags.is_reading_paused) || is(&self.flags.is_lost) {
            return Ok(());
        }
        set(&self.flags.is_reading_paused, false);
        let Some(transport) = self.transport.get(py) else { return Ok(()) };
        if transport.bind(py).call_method0(intern!(py, "is_closing"))?.is_truthy()? {
            return Ok(());
        }
        let resume = transport.bind(py).getattr(intern!(py, "resume_reading"))?;
        let context = self.server.get().context(py).call_method0(intern!(py, "copy"))?;
        context.call_method1(intern!(py, "run"), (resume,)).map(drop)
    }

    /// What has come of the body of `in_flight`, and whether it is complete; None if it is not in flight.
    pub(super) fn take_body(slf: &Bound<'_, Self>, in_flight: &InFlightRequest) -> PyResult<Option<(Vec<u8>, bool)>> {
        let py = slf.py();
        let this = slf.get();
        let is_current =
            this.in_flight.see(py, |current| current.as_ref().is_some_and(|own| std::ptr::eq(own.get(), in_flight)));
        if !is_current {
            return Ok(None);
        }
        let taken = this.reading.change(py, Reading::take_body);
        // Behind the body, whether the client leaves has to be seen too.
        if is(&this.flags.is_reading_paused) && !this.reading.see(py, Reading::has_held) {
            this.resume_reading(py)?;
            Self::watch(slf)?;
        }
        Ok(Some(taken))
    }

    /// Whether all of the current request's body has come.
    pub(crate) fn has_whole_body(&self, py: Python<'_>) -> bool {
        !self.reading.see(py, |reading| reading.conversation.is_in_body())
    }

    /// Whether the client sends nothing more.
    pub(super) fn has_ended(&self) -> bool {
        is(&self.flags.has_ended)
    }
}
