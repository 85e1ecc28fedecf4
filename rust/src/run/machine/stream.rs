//! A response in pieces: an iterator of the user's, whose pieces are sent one by one.
//!
//! What Starlette does with a task group around two tasks is done here in the request's own task. Only when that has to wait is
//! there somebody who hears of it when the client leaves (`ferrapi.serve.listening`). What code of the user's sets in context
//! variables meanwhile is the stream's own, as it is in a task of a group.

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList, PyMemoryView};

use super::Outcome;
use super::events::Events;
use crate::py::{self, KeptError};
use crate::run::asgi::Ears;
use crate::run::program::Program;
use crate::run::serving::awaited;
use crate::run::sink::{Put, Sink};
use crate::run::uvicorn::Watch;

/// What a wait in a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The end of the head, or of a piece, which is being sent.
    Sending,
    /// The end of the last piece.
    Ending,
    /// What has to be over before the piece that is held back can be sent: the client has to read on, or the head is being sent.
    Full,
    /// The next piece.
    Next,
    /// What comes when the stream is at its end.
    Closing,
    /// The end of the response, whose stream has failed.
    Failing,
}

/// A stream on its way.
pub(super) struct Stream {
    pub(super) response: Py<PyAny>,
    /// What the pieces are from, as the response has it.
    pub(super) source: Py<PyAny>,
    /// The synchronous generator that is run in threads behind it.
    pub(super) threaded: Option<Py<PyAny>>,
    pub(super) iterator: Py<PyAny>,
    /// What makes a piece of an item, unless it is one.
    pub(super) encode: Option<Py<PyAny>>,
    /// Whether that is an asynchronous generator, whose end is known.
    pub(super) is_generator: bool,
    pub(super) pull: Pull,
    pub(super) reference: Py<PyAny>,
    pub(super) sink: Sink,
    /// A piece that is held back, and whether more are to come.
    pub(super) held: Option<(Py<PyAny>, bool)>,
    /// The context that the pieces are made and sent in; None for the request's own.
    pub(super) context: Option<Py<PyAny>>,
    /// Makes what waits for the event loop's next turn; None if that isn't asyncio's.
    pub(super) turn: Option<Py<PyAny>>,
    pub(super) ears: Ears,
    /// The cancel scope that the task was in when the stream began.
    pub(super) outer: Option<Py<PyAny>>,
    /// `ferrapi.serve.listening.Listening`, since the stream had to wait.
    pub(super) listening: Option<Py<PyAny>>,
    pub(super) watch: Option<Py<Watch>>,
    /// Whether the iterator has come to its end, or has raised.
    pub(super) is_over: bool,
    /// How many pieces have been sent since the request last had to wait.
    pub(super) in_turn: u32,
    /// What is kept for server-sent events, if the pieces are that.
    pub(super) events: Option<Box<Events>>,
    /// Why the stream has failed, while the end of the response is sent all the same.
    pub(super) failure: Option<KeptError>,
    pub(super) has_ended: bool,
}

/// So many pieces are sent in one turn of the event loop. Then others have theirs, and whoever has left is heard.
const PIECES_IN_TURN: u32 = 64;

/// What comes next in a stream.
pub(super) enum Step<'py> {
    Wait(Phase, Bound<'py, PyAny>),
    /// The next piece is to be asked for.
    Again,
    /// All is sent.
    Over,
}

/// How pieces come out of an iterator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pull {
    /// By an awaitable of its own.
    Await,
    /// In a worker thread, one by one.
    Thread,
    /// At once: what is iterated is in memory, and calls nothing.
    Here,
}

impl Stream {
    /// Does something in the stream's context.
    pub(super) fn within<T>(&self, py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        match &self.context {
            Some(context) => py::within(context.bind(py), work),
            None => work(),
        }
    }

    /// Goes on from what the last wait came to.
    pub(super) fn go_on<'py>(
        &mut self,
        py: Python<'py>,
        layer: &Bound<'py, PyAny>,
        phase: Phase,
        outcome: Outcome<'py>,
    ) -> PyResult<Step<'py>> {
        match phase {
            Phase::Sending => {
                outcome.result()?;
                Ok(Step::Again)
            }
            Phase::Full => {
                outcome.result()?;
                match self.held.take() {
                    Some((piece, more)) => self.put(py, layer, piece.bind(py), more),
                    None => Ok(Step::Again),
                }
            }
            Phase::Next => self.take(py, layer, outcome),
            Phase::Failing => {
                outcome.result()?;
                KeptError::raise_or(py, self.failure.take(), Step::Over)
            }
            Phase::Ending | Phase::Closing => outcome.result().map(|_| Step::Over),
        }
    }

    /// Takes the next piece, or the end.
    fn take<'py>(&mut self, py: Python<'py>, layer: &Bound<'py, PyAny>, outcome: Outcome<'py>) -> PyResult<Step<'py>> {
        match outcome {
            Outcome::Value(piece) => {
                if let Some(error) = self.events.as_mut().and_then(|events| events.take_broken(py)) {
                    return Err(error);
                }
                let piece = match self.encoded(py, piece) {
                    Ok(piece) => piece,
                    Err(error) => return self.end_with(py, layer, error),
                };
                match self.events.as_mut().map(|events| events.hold_back(piece.clone().unbind())) {
                    None => self.put(py, layer, &piece, true),
                    Some(Some(before)) => self.put(py, layer, before.bind(py), true),
                    Some(None) => Ok(Step::Again),
                }
            }
            Outcome::Raised(error) if !error.is_instance_of::<PyStopAsyncIteration>(py) => {
                self.is_over = true;
                self.end_with(py, layer, error)
            }
            Outcome::Ended | Outcome::Raised(_) => {
                self.is_over = true;
                if let Some(error) = self.events.as_mut().and_then(|events| events.take_broken(py)) {
                    return Err(error);
                }
                match self.events.as_mut().and_then(|events| events.take_late()) {
                    Some(late) => self.put(py, layer, late.bind(py), true),
                    None => Ok(Step::Again),
                }
            }
        }
    }

    /// A piece as bytes, or as the view of memory that it is.
    fn encoded<'py>(&self, py: Python<'py>, piece: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let piece = match &self.encode {
            Some(encode) => self.within(py, || encode.bind(py).call1((piece,)))?,
            None => piece,
        };
        if piece.is_instance_of::<PyBytes>() || piece.is_instance_of::<PyMemoryView>() {
            return Ok(piece);
        }
        let charset = self.response.bind(py).getattr(intern!(py, "charset"))?;
        self.within(py, || piece.call_method1(intern!(py, "encode"), (charset,)))
    }

    /// The iterator has raised, or what it has made can't be encoded.
    fn end_with<'py>(&mut self, py: Python<'py>, layer: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Step<'py>> {
        let Some(events) = &mut self.events else { return Err(error) };
        if let Some(broken) = events.take_broken(py) {
            return Err(if error.is_instance_of::<CancelledError>(py) { broken } else { error });
        }
        if !events.ends_with(py, &error) {
            return Err(error);
        }
        self.failure = Some(KeptError::new(py, &error));
        self.has_ended = true;
        Ok(match self.put(py, layer, PyBytes::new(py, b"").as_any(), false)? {
            Step::Wait(Phase::Ending, sending) => Step::Wait(Phase::Failing, sending),
            Step::Over => return KeptError::raise_or(py, self.failure.take(), Step::Over),
            other => other,
        })
    }

    /// Goes on until there is something to wait for.
    pub(super) fn settle<'py>(
        &mut self,
        py: Python<'py>,
        layer: &Bound<'py, PyAny>,
        step: Step<'py>,
    ) -> PyResult<Step<'py>> {
        let mut step = step;
        while let Step::Again = step {
            step = self.next(py, layer)?;
        }
        Ok(step)
    }

    /// Asks for the next piece, behind a turn of the event loop if many have been sent in this one; ends the response if there is
    /// none.
    fn next<'py>(&mut self, py: Python<'py>, layer: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
        if self.is_over {
            return self.put(py, layer, PyBytes::new(py, b"").as_any(), false);
        }
        if let Some(turn) = self.turn.as_ref().filter(|_| self.in_turn >= PIECES_IN_TURN) {
            return Ok(Step::Wait(Phase::Sending, turn.bind(py).call1((0,))?));
        }
        let iterator = self.iterator.bind(py);
        let asked = match self.pull {
            Pull::Await => self.within(py, || iterator.call_method0(intern!(py, "__anext__")))?,
            Pull::Thread => self.reference.bind(py).call_method1(intern!(py, "next_in_thread"), (iterator,))?,
            Pull::Here => {
                let outcome = iterator.cast::<PyIterator>()?.clone().next();
                return self.take(py, layer, outcome.map_or(Outcome::Ended, Outcome::from));
            }
        };
        let is_coroutine = self.is_generator || self.pull == Pull::Thread;
        Ok(Step::Wait(Phase::Next, if is_coroutine { asked } else { awaited(layer, asked)? }))
    }

    /// Sends a piece, the last one if there is no `more`.
    fn put<'py>(
        &mut self,
        py: Python<'py>,
        layer: &Bound<'py, PyAny>,
        piece: &Bound<'py, PyAny>,
        more: bool,
    ) -> PyResult<Step<'py>> {
        if !more {
            self.stop_watching(py)?; // or the end of the response would be taken for the client's
        }
        match self.put_in_context(piece, more)? {
            Put::Done if more => {
                self.in_turn = self.in_turn.saturating_add(1);
                Ok(Step::Again)
            }
            Put::Done => Ok(Step::Over),
            Put::Sending(sending) => {
                self.in_turn = self.in_turn.saturating_add(1);
                let phase = if more { Phase::Sending } else { Phase::Ending };
                Ok(Step::Wait(phase, awaited(layer, sending)?))
            }
            Put::Full(waits) => {
                self.held = Some((piece.clone().unbind(), more));
                Ok(Step::Wait(Phase::Full, waits))
            }
            Put::Head(sending) => {
                self.held = Some((piece.clone().unbind(), more));
                Ok(Step::Wait(Phase::Full, awaited(layer, sending)?))
            }
        }
    }

    /// Puts a piece into the sink, in the stream's context if that calls code of the user's.
    pub(super) fn put_in_context<'py>(&mut self, piece: &Bound<'py, PyAny>, more: bool) -> PyResult<Put<'py>> {
        let py = piece.py();
        match &self.context {
            Some(context) if self.sink.may_call_users() => {
                let context = context.clone_ref(py);
                py::within(context.bind(py), || self.sink.put(py, piece, more))
            }
            _ => self.sink.put(py, piece, more),
        }
    }

    /// The request is about to wait: what there is is written, and from the first time on somebody hears of the client's leaving.
    pub(super) fn before_wait(&mut self, py: Python<'_>, program: &Program) -> PyResult<()> {
        self.in_turn = 0;
        if let Some(events) = &mut self.events {
            events.head_has_gone();
        }
        self.sink.flush(py)?;
        if self.listening.is_none() && !matches!(self.ears, Ears::Sending) {
            let listening = program.reference.bind(py).call_method1(intern!(py, "listening"), (&self.outer,))?;
            self.listening = Some(listening.clone().unbind());
            let scope = listening.getattr(intern!(py, "scope"))?;
            match &self.ears {
                Ears::Own(cycle) => cycle.bind(py).get().watch(&scope)?,
                Ears::Uvicorn(receive) => self.watch = Some(Watch::begin(receive.bind(py), &scope)?.unbind()),
                Ears::Receive(receive) => {
                    listening.call_method1(intern!(py, "listen"), (receive,))?;
                }
                Ears::Sending => {}
            }
        }
        Ok(())
    }

    /// Nobody hears of the client's leaving any more, unless that takes a task.
    pub(super) fn stop_watching(&mut self, py: Python<'_>) -> PyResult<()> {
        if let Some(events) = &self.events {
            events.end(py)?;
        }
        if let Ears::Own(cycle) = &self.ears {
            cycle.bind(py).get().forget_watcher(py);
        }
        self.watch.take().map_or(Ok(()), |watch| watch.bind(py).get().end(py))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.response)?;
        visit.call(&self.source)?;
        visit.call(&self.threaded)?;
        visit.call(&self.reference)?;
        visit.call(&self.iterator)?;
        if let Some((piece, _)) = &self.held {
            visit.call(piece)?;
        }
        visit.call(&self.encode)?;
        visit.call(&self.context)?;
        visit.call(&self.turn)?;
        visit.call(&self.outer)?;
        visit.call(&self.listening)?;
        visit.call(&self.watch)?;
        if let Some(events) = &self.events {
            events.traverse(visit)?;
        }
        if let Some(failure) = &self.failure {
            failure.traverse(visit)?;
        }
        self.ears.traverse(visit)?;
        self.sink.traverse(visit)
    }
}

impl Stream {
    /// Sends the head, and asks for the first piece.
    pub(super) fn begin<'py>(
        &mut self,
        py: Python<'py>,
        layer: &Bound<'py, PyAny>,
        status: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyList>,
    ) -> PyResult<Step<'py>> {
        if let Some(sending) = self.within(py, || self.sink.head(py, status, headers))? {
            self.begin_iterating(py)?;
            return Ok(Step::Wait(Phase::Sending, awaited(layer, sending)?));
        }
        self.begin_iterating(py)?;
        Ok(Step::Again)
    }

    fn begin_iterating(&mut self, py: Python<'_>) -> PyResult<()> {
        let iterator = self.iterator.bind(py);
        if self.pull == Pull::Thread {
            let iterator = self.within(py, || iterator.try_iter())?.into_any();
            let is_in_memory = self.reference.bind(py).call_method1(intern!(py, "is_in_memory"), (&iterator,))?;
            if is_in_memory.is_truthy()? {
                self.pull = Pull::Here;
            }
            self.iterator = iterator.unbind();
        } else if !self.is_generator {
            self.iterator = self.within(py, || iterator.call_method0(intern!(py, "__aiter__")))?.unbind();
        }
        Ok(())
    }
}
