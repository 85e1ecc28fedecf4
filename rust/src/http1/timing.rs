//! What a client is given time for, and the one timer of a connection.
//!
//! The timer is not moved with each request: when it fires too early it is started again for what is left.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use wire::http1::Refusal;

use super::connection::{Connection, is};
use super::parting::SILENCE;
use super::reading::Reading;
use crate::py::Attached;

/// Seconds that a client has, where there is a limit.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// Between requests.
    pub(super) keep_alive: f64,
    /// For a request's head.
    pub(super) head: Option<f64>,
    /// Between one piece of a body that is waited for and the next.
    pub(super) body: Option<f64>,
}

impl Patience {
    /// Whether the arrival of requests has to be watched.
    pub(super) fn is_limited(&self) -> bool {
        self.head.is_some() || self.body.is_some()
    }
}

/// What a client is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Awaited {
    Nothing,
    /// Another request.
    Request,
    /// All of a head.
    Head,
    /// More of a body.
    Body,
    /// The client's end of the connection, whose own end is closed.
    End,
}

/// A time in seconds, or none.
struct Moment(AtomicU64);

impl Default for Moment {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Moment {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, seconds: f64) {
        self.0.store(seconds.to_bits(), Ordering::Relaxed);
    }
}

/// What is waited for and until when, by the event loop's clock.
#[derive(Default)]
pub(super) struct Timing {
    awaited: AtomicU8,
    due: Moment,
    /// When a connection that lingers is closed at the latest.
    end: Moment,
    timer: Attached<Option<Py<PyAny>>>,
    /// When that fires.
    fires: Moment,
}

impl Timing {
    /// What is waited for.
    pub(super) fn awaited(&self) -> Awaited {
        const KINDS: [Awaited; 5] = [Awaited::Nothing, Awaited::Request, Awaited::Head, Awaited::Body, Awaited::End];
        let at = usize::from(self.awaited.load(Ordering::Relaxed));
        KINDS.get(at).copied().unwrap_or(Awaited::Nothing)
    }

    /// Nothing is waited for.
    pub(super) fn stop(&self) {
        self.awaited.store(Awaited::Nothing as u8, Ordering::Relaxed);
    }

    /// No other request is waited for: what has come may be one, and is taken up later.
    pub(super) fn stop_if_idle(&self) {
        if self.awaited() == Awaited::Request {
            self.stop();
        }
    }

    /// The client's end is waited for until then, at the latest.
    pub(super) fn end_by(&self, moment: f64) {
        self.end.set(moment);
    }

    /// The timer, while another request is waited for.
    pub(super) fn idle_timer(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        if self.awaited() == Awaited::Request { self.timer.get(py) } else { None }
    }

    /// Nothing is waited for ever again.
    pub(super) fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.stop();
        match self.timer.take(py) {
            Some(timer) => timer.bind(py).call_method0(intern!(py, "cancel")).map(drop),
            None => Ok(()),
        }
    }

    pub(super) fn clear(&self, py: Python<'_>) {
        drop(self.timer.take(py));
    }

    /// Shows the garbage collector what this holds.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.timer.visit(visit)
    }
}

impl Connection {
    /// Waits from now on for `what` to come.
    pub(super) fn wait_for(slf: &Bound<'_, Self>, what: Awaited) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let server = this.server.get();
        let seconds = match what {
            Awaited::Nothing => None,
            Awaited::Request => Some(server.patience.keep_alive),
            Awaited::Head => server.patience.head,
            Awaited::Body => server.patience.body,
            Awaited::End => Some(SILENCE),
        };
        let timing = &this.timing;
        let Some(seconds) = seconds else {
            timing.stop();
            return Ok(());
        };
        let now = server.now(py)?;
        let due = if what == Awaited::End { timing.end.get().min(now + seconds) } else { now + seconds };
        timing.due.set(due);
        timing.awaited.store(what as u8, Ordering::Relaxed);
        if timing.timer.see(py, Option::is_some) {
            if timing.fires.get() <= due {
                return Ok(());
            }
            if let Some(timer) = timing.timer.take(py) {
                timer.bind(py).call_method0(intern!(py, "cancel"))?;
            }
        }
        Self::start_timer(slf, due, due - now)
    }

    /// Waits for what is missing, if there is a limit for that, when something has come.
    pub(super) fn watch(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let (timing, flags) = (&this.timing, &this.flags);
        if timing.awaited() == Awaited::Request {
            let (is_between, is_answered) = this
                .reading
                .see(py, |reading| (reading.conversation.is_between(), reading.conversation.is_answered_early()));
            if is_answered && this.server.get().patience.body.is_none() {
                return Self::wait_for(slf, Awaited::Request); // the rest of a body is a sign of life
            }
            if is_between {
                return Ok(());
            }
            timing.stop();
        }
        if !this.server.get().patience.is_limited() || is(&flags.is_lost) || this.is_lingering() {
            return Ok(());
        }
        let (is_in_body, is_over) =
            this.reading.see(py, |reading| (reading.conversation.is_in_body(), reading.conversation.is_over()));
        if is_over || is(&flags.is_resuming) || is(&flags.is_reading_paused) {
            timing.stop();
            return Ok(());
        }
        if is_in_body {
            let is_asked_for = this.in_flight.see(py, |in_flight| match in_flight {
                Some(in_flight) => !in_flight.get().awaits_continue(),
                None => true,
            });
            return Self::wait_for(slf, if is_asked_for { Awaited::Body } else { Awaited::Nothing });
        }
        if this.has_request(py) {
            timing.stop();
            Ok(())
        } else if timing.awaited() == Awaited::Head {
            Ok(()) // since its first byte
        } else {
            Self::wait_for(slf, Awaited::Head)
        }
    }

    fn start_timer(slf: &Bound<'_, Self>, fires: f64, delay: f64) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let timer = this.server.get().call_later(delay, &slf.getattr(intern!(py, "on_timer"))?)?;
        this.timing.fires.set(fires);
        drop(this.timing.timer.replace(py, Some(timer.unbind())));
        Ok(())
    }

    /// The timer has fired: what is waited for may be due.
    pub(super) fn look_at_the_clock(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let timing = &this.timing;
        drop(timing.timer.take(py));
        let awaited = timing.awaited();
        if awaited == Awaited::Nothing {
            return Ok(());
        }
        let due = timing.due.get();
        let left = due - this.server.get().now(py)?;
        if left > 0.0 {
            return Self::start_timer(slf, due, left);
        }
        timing.stop();
        let is_begun =
            this.reading.see(py, |reading| reading.conversation.is_in_head() || reading.conversation.is_in_body());
        let is_refused = is_begun && awaited != Awaited::Request;
        let refusal = if is_refused { Self::refuse(slf, Refusal::TooSlow) } else { this.close(py) };
        this.reading.change(py, Reading::close);
        refusal
    }
}
