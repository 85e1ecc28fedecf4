//! What a stream of server-sent events has beside its events: comments while there is none, and FastAPI's way of failing.
//!
//! FastAPI makes the events in a task of its own, from which they come to the one that sends them by two others. Here all is one
//! task, and what can be seen of that is the same: an exception of the generator's is in a group, the event that came right before
//! it is lost, and the response comes to its end first if the generator had waited for something since. If it comes before the
//! generator has waited or yielded, middleware that takes the head in another task never gets that.

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyBaseExceptionGroup, PyException};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::stream::{Phase, Stream};
use crate::py::{self, KeptError, Sent, attribute};
use crate::run::asgi::Ears;
use crate::run::heartbeat::{Heartbeat, is_awaited_future, is_done};
use crate::run::layers::{Passage, noting_taker};
use crate::run::serving::awaited;
use crate::run::sink::Put;

/// So many turns of the event loop after an event it has been sent, in FastAPI.
const SENT_AFTER: u32 = 2;
/// So many after which the end of the response is sent when the generator fails.
const ENDED_AFTER: u32 = 4;

/// What is kept for a stream of events.
pub(super) struct Events {
    heartbeat: Py<Heartbeat>,
    /// The comment that keeps the connection open.
    ping: Py<PyBytes>,
    /// The last event, which has not been sent.
    late: Option<Py<PyAny>>,
    /// How many turns of the event loop the generator has waited since.
    turns: u32,
    is_cancelled: bool,
    /// Why something could not be sent while the generator waited. It comes to its end since.
    broken: Option<KeptError>,
    meanwhile: Meanwhile,
    head: HeadAt,
}

/// Where the head of the response is.
enum HeadAt {
    /// It is being sent.
    Leaving,
    /// A middleware has it and has not come to look at it, because the request hasn't waited since.
    With(Py<Passage>),
    Gone,
}

/// What is done while the generator waits.
enum Meanwhile {
    Nothing,
    /// The task waits for the heartbeat's future.
    Racing(Py<PyAny>),
    /// It is cancelled already, and waits again: for what, and whether that is a future.
    Cancelling(Py<PyAny>, bool),
    /// Something is being sent.
    Sending {
        sending: Py<PyAny>,
        /// What is to be sent behind that, if that only waits until it can be.
        piece: Option<Py<PyAny>>,
        /// What the generator has yielded, and whether that is a future.
        waits: (Py<PyAny>, bool),
        has_waited: bool,
    },
}

type Step<'py> = PyResult<Sent<'py>>;

impl Events {
    pub(super) fn new(heartbeat: Py<Heartbeat>, ping: Py<PyBytes>) -> Self {
        Self {
            heartbeat,
            ping,
            late: None,
            turns: 0,
            is_cancelled: false,
            broken: None,
            meanwhile: Meanwhile::Nothing,
            head: HeadAt::Leaving,
        }
    }

    /// Takes an event, which is sent when it is known what the generator does next; returns the one before, if that wasn't sent.
    pub(super) fn hold_back(&mut self, event: Py<PyAny>) -> Option<Py<PyAny>> {
        self.turns = 0;
        self.head_has_gone();
        self.late.replace(event)
    }

    /// The head of the response can't be taken back any more.
    pub(super) fn head_has_gone(&mut self) {
        self.head = HeadAt::Gone;
    }

    /// The last event, if it was not sent.
    pub(super) fn take_late(&mut self) -> Option<Py<PyAny>> {
        self.late.take()
    }

    /// Why an event could not be sent while the generator waited, when that is over.
    pub(super) fn take_broken(&mut self, py: Python<'_>) -> Option<PyErr> {
        self.broken.take().map(|error| error.into_error_as_it_was(py))
    }

    /// Whether the response is to come to its end, although the generator has raised `error`.
    pub(super) fn ends_with(&mut self, py: Python<'_>, error: &PyErr) -> bool {
        self.late = None;
        if let HeadAt::With(passage) = std::mem::replace(&mut self.head, HeadAt::Gone)
            && error.is_instance_of::<PyException>(py)
        {
            passage.bind(py).get().withdraw_head(py);
        }
        self.turns >= ENDED_AFTER && !self.is_cancelled && !error.is_instance_of::<CancelledError>(py)
    }

    pub(super) fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.heartbeat.get().end(py)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.heartbeat)?;
        visit.call(&self.late)?;
        if let HeadAt::With(passage) = &self.head {
            visit.call(passage)?;
        }
        if let Some(broken) = &self.broken {
            broken.traverse(visit)?;
        }
        match &self.meanwhile {
            Meanwhile::Nothing => Ok(()),
            Meanwhile::Racing(waits) | Meanwhile::Cancelling(waits, _) => visit.call(waits),
            Meanwhile::Sending { sending, piece, waits, .. } => {
                visit.call(sending)?;
                visit.call(piece)?;
                visit.call(&waits.0)
            }
        }
    }
}

impl Stream {
    /// Goes on with what the stream awaits. While the generator waits, events and comments are sent.
    pub(super) fn resume_events<'py>(
        &mut self,
        layer: &Bound<'py, PyAny>,
        phase: Phase,
        awaiting: &Bound<'py, PyAny>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> Step<'py> {
        let py = awaiting.py();
        let Some(events) = &mut self.events else { return self.within(py, || py::resume(awaiting, sent)) };
        if phase != Phase::Next {
            // Without a task that listens, FastAPI's head is there before the generator begins.
            if !matches!(events.head, HeadAt::Leaving) || matches!(self.ears, Ears::Sending) {
                return self.within(py, || py::resume(awaiting, sent));
            }
            let (step, taker) = noting_taker(|| self.within(py, || py::resume(awaiting, sent)));
            if let (Some(events), Some(passage)) = (&mut self.events, taker) {
                events.head = HeadAt::With(passage);
            }
            return step;
        }
        match std::mem::replace(&mut events.meanwhile, Meanwhile::Nothing) {
            Meanwhile::Nothing => self.resume_generator(layer, awaiting, sent),
            Meanwhile::Racing(waits) => {
                events.heartbeat.get().end_race(py);
                let waits = waits.into_bound(py);
                match sent {
                    Err(error) => self.interrupt(layer, awaiting, &waits, error),
                    Ok(none) if is_done(&waits)? => self.resume_generator(layer, awaiting, Ok(none)),
                    Ok(_) => {
                        let ping = events.ping.bind(py).clone().into_any();
                        self.send_meanwhile(layer, awaiting, ping, (waits, true))
                    }
                }
            }
            Meanwhile::Cancelling(waits, is_future) => {
                let waits = waits.into_bound(py);
                match sent {
                    Ok(none) if is_future && is_done(&waits)? => self.resume_generator(layer, awaiting, Ok(none)),
                    Ok(_) => self.interrupt(layer, awaiting, &waits, CancelledError::new_err(())),
                    Err(error) => self.interrupt(layer, awaiting, &waits, error),
                }
            }
            Meanwhile::Sending { sending, piece, waits: (waits, is_future), has_waited } => {
                let waits = (waits.into_bound(py), is_future);
                let piece = piece.map(|piece| piece.into_bound(py));
                self.go_on_sending(layer, awaiting, (sending.into_bound(py), piece), waits, (sent, has_waited))
            }
        }
    }

    fn resume_generator<'py>(
        &mut self,
        layer: &Bound<'py, PyAny>,
        awaiting: &Bound<'py, PyAny>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> Step<'py> {
        let py = awaiting.py();
        if let (Err(error), Some(events)) = (&sent, &mut self.events) {
            events.is_cancelled |= error.is_instance_of::<CancelledError>(py);
        }
        let value = match self.within(py, || py::resume(awaiting, sent))? {
            Sent::Yielded(value) => value,
            done => return Ok(done),
        };
        let Some(events) = &mut self.events else { return Ok(Sent::Yielded(value)) };
        let is_future = is_awaited_future(&value)?;
        if events.broken.is_some() {
            // As in a cancelled scope of anyio's: whatever it waits for is cancelled in the next turn of the event loop.
            events.meanwhile = Meanwhile::Cancelling(value.unbind(), is_future);
            return Ok(Sent::Yielded(py.None().into_bound(py)));
        }
        events.turns = events.turns.saturating_add(if is_future { ENDED_AFTER } else { 1 });
        let piece = match events.late.take_if(|_| events.turns >= SENT_AFTER) {
            Some(late) => Some(late.into_bound(py)),
            None if events.heartbeat.get().is_due(py) => Some(events.ping.bind(py).clone().into_any()),
            None => None,
        };
        match piece {
            Some(piece) => self.send_meanwhile(layer, awaiting, piece, (value, is_future)),
            None => self.wait_on((value, is_future)),
        }
    }

    /// Waits for what the generator waits for.
    fn wait_on<'py>(&mut self, (waits, is_future): (Bound<'py, PyAny>, bool)) -> Step<'py> {
        let py = waits.py();
        let Some(events) = &mut self.events else { return Ok(Sent::Yielded(waits)) };
        if !is_future {
            return Ok(Sent::Yielded(waits));
        }
        let either = Heartbeat::race(events.heartbeat.bind(py), &waits)?;
        events.meanwhile = Meanwhile::Racing(waits.unbind());
        Ok(Sent::Yielded(either))
    }

    /// Sends something while the generator waits.
    fn send_meanwhile<'py>(
        &mut self,
        layer: &Bound<'py, PyAny>,
        awaiting: &Bound<'py, PyAny>,
        piece: Bound<'py, PyAny>,
        waits: (Bound<'py, PyAny>, bool),
    ) -> Step<'py> {
        let py = awaiting.py();
        if let Some(events) = &self.events {
            events.heartbeat.get().begin_anew(py);
        }
        let put = self.put_in_context(&piece, true);
        let (sending, piece) = match put {
            Ok(Put::Done) => return self.wait_on(waits),
            Ok(Put::Sending(sending)) => (awaited(layer, sending), None),
            Ok(Put::Full(first)) => (Ok(first), Some(piece)),
            Ok(Put::Head(head)) => (awaited(layer, head), Some(piece)),
            Err(error) => return self.break_off(layer, awaiting, &waits.0, error),
        };
        let nothing = Ok(py.None().into_bound(py));
        match sending {
            Ok(sending) => self.go_on_sending(layer, awaiting, (sending, piece), waits, (nothing, false)),
            Err(error) => self.break_off(layer, awaiting, &waits.0, error),
        }
    }

    fn go_on_sending<'py>(
        &mut self,
        layer: &Bound<'py, PyAny>,
        awaiting: &Bound<'py, PyAny>,
        (sending, piece): (Bound<'py, PyAny>, Option<Bound<'py, PyAny>>),
        waits: (Bound<'py, PyAny>, bool),
        (sent, has_waited): (PyResult<Bound<'py, PyAny>>, bool),
    ) -> Step<'py> {
        let py = awaiting.py();
        match self.within(py, || py::resume(&sending, sent)) {
            Ok(Sent::Yielded(value)) => {
                if let Some(events) = &mut self.events {
                    events.meanwhile = Meanwhile::Sending {
                        sending: sending.unbind(),
                        piece: piece.map(Bound::unbind),
                        waits: (waits.0.unbind(), waits.1),
                        has_waited: true,
                    };
                }
                Ok(Sent::Yielded(value))
            }
            Ok(Sent::Returned(_) | Sent::Ended) => match piece {
                Some(piece) => self.send_meanwhile(layer, awaiting, piece, waits),
                None if (if waits.1 { is_done(&waits.0)? } else { has_waited }) => {
                    self.resume_generator(layer, awaiting, Ok(py.None().into_bound(py)))
                }
                None => self.wait_on(waits),
            },
            Err(error) => self.break_off(layer, awaiting, &waits.0, error),
        }
    }

    /// Nothing can be sent any more, or the request is cancelled while it sends: the generator comes to its end.
    fn break_off<'py>(
        &mut self,
        layer: &Bound<'py, PyAny>,
        awaiting: &Bound<'py, PyAny>,
        waits: &Bound<'py, PyAny>,
        error: PyErr,
    ) -> Step<'py> {
        let py = awaiting.py();
        if let Some(events) = &mut self.events {
            events.broken = Some(KeptError::new(py, &error));
            events.late = None;
            events.heartbeat.get().end(py)?;
        }
        self.interrupt(layer, awaiting, waits, CancelledError::new_err(()))
    }

    /// Raises `error` in the generator, as a task does that waits for what the generator waits for.
    fn interrupt<'py>(
        &mut self,
        layer: &Bound<'py, PyAny>,
        awaiting: &Bound<'py, PyAny>,
        waits: &Bound<'py, PyAny>,
        error: PyErr,
    ) -> Step<'py> {
        let py = awaiting.py();
        if error.is_instance_of::<CancelledError>(py)
            && attribute(waits, intern!(py, "cancel"))?.is_some()
            && !is_done(waits)?
        {
            let arguments = error.value(py).getattr(intern!(py, "args"))?.cast_into()?;
            waits.call_method1(intern!(py, "cancel"), &arguments)?;
            if !is_done(waits)? {
                waits.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
                return Ok(Sent::Yielded(waits.clone())); // a task, which has to come to its end
            }
        }
        self.resume_generator(layer, awaiting, Err(error))
    }
}

/// An exception as a task group of anyio's raises it.
pub(super) fn grouped(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<CancelledError>(py) {
        return error;
    }
    let group = py.get_type::<PyBaseExceptionGroup>().call1(("unhandled errors in a TaskGroup", [error.value(py)]));
    match group {
        Ok(group) => PyErr::from_value(group),
        Err(problem) => problem,
    }
}
