//! A response in pieces: an iterator of the user's, whose pieces are sent one by one.
//!
//! What Starlette does with a task group around two tasks is done here in the request's own task. Only when that has to wait is
//! there somebody who hears of it when the client leaves (`ferrapi.routing._listening`). What code of the user's sets in context
//! variables meanwhile is the stream's own, as it is in a task of a group.

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyGeneratorExit, PyStopAsyncIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyMemoryView};

use super::events::{Events, grouped};
use super::{Machine, Next, Outcome, Stage};
use crate::py;
use crate::response::checks::response_head_problem;
use crate::run::asgi::Ears;
use crate::run::heartbeat::Heartbeat;
use crate::run::program::{Program, Reply};
use crate::run::serving::awaited;
use crate::run::sink::{Put, Sink};
use crate::run::transport::Transport;
use crate::run::uvicorn::Watch;

/// What a wait in a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The end of the head, or of a piece, which is being sent.
    Sending,
    /// The end of the last piece.
    Ending,
    /// The client, which has to read on before the piece that is held back can be sent.
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
    response: Py<PyAny>,
    /// What the pieces are from, as the response has it.
    source: Py<PyAny>,
    /// The synchronous generator that is run in threads behind it.
    threaded: Option<Py<PyAny>>,
    iterator: Py<PyAny>,
    /// What makes a piece of an item, unless it is one.
    encode: Option<Py<PyAny>>,
    /// Whether that is an asynchronous generator, whose end is known.
    is_generator: bool,
    sink: Sink,
    /// A piece that is held back, and whether more are to come.
    held: Option<(Py<PyAny>, bool)>,
    /// The context that the pieces are made and sent in; None for the request's own.
    context: Option<Py<PyAny>>,
    /// Makes what waits for the event loop's next turn; None if that isn't asyncio's.
    turn: Option<Py<PyAny>>,
    ears: Ears,
    /// The cancel scope that the task was in when the stream began.
    outer: Option<Py<PyAny>>,
    /// `ferrapi.routing._listening.Listening`, since the stream had to wait.
    listening: Option<Py<PyAny>>,
    watch: Option<Py<Watch>>,
    /// Whether the iterator has come to its end, or has raised.
    is_over: bool,
    /// How many pieces have been sent since the request last had to wait.
    in_turn: u32,
    /// What is kept for server-sent events, if the pieces are that.
    pub(super) events: Option<Box<Events>>,
    /// Why the stream has failed, while the end of the response is sent all the same.
    failure: Option<PyErr>,
}

/// So many pieces are sent in one turn of the event loop. Then others have theirs, and whoever has left is heard.
const PIECES_IN_TURN: u32 = 64;

/// What comes next in a stream.
enum Step<'py> {
    Wait(Phase, Bound<'py, PyAny>),
    /// All is sent.
    Over,
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
    fn go_on<'py>(
        &mut self,
        py: Python<'py>,
        layer: &Bound<'py, PyAny>,
        phase: Phase,
        outcome: Outcome<'py>,
    ) -> PyResult<Step<'py>> {
        match phase {
            Phase::Sending => {
                outcome.result()?;
                self.next_in_turn(py, layer)
            }
            Phase::Full => {
                outcome.result()?;
                match self.held.take() {
                    Some((piece, more)) => self.put(py, layer, piece.bind(py), more),
                    None => self.next(py, layer),
                }
            }
            Phase::Next => match outcome {
                Outcome::Value(piece) => {
                    if let Some(error) = self.events.as_mut().and_then(|events| events.take_broken()) {
                        return Err(error);
                    }
                    let piece = match self.encoded(py, piece) {
                        Ok(piece) => piece,
                        Err(error) => return self.end_with(py, layer, error),
                    };
                    match self.events.as_mut().map(|events| events.hold_back(piece.clone().unbind())) {
                        None => self.put(py, layer, &piece, true),
                        Some(Some(before)) => self.put(py, layer, before.bind(py), true),
                        Some(None) => self.next_in_turn(py, layer),
                    }
                }
                Outcome::Raised(error) if !error.is_instance_of::<PyStopAsyncIteration>(py) => {
                    self.is_over = true;
                    self.end_with(py, layer, error)
                }
                Outcome::Ended | Outcome::Raised(_) => {
                    self.is_over = true;
                    if let Some(error) = self.events.as_mut().and_then(|events| events.take_broken()) {
                        return Err(error);
                    }
                    match self.events.as_mut().and_then(|events| events.take_late()) {
                        Some(late) => self.put(py, layer, late.bind(py), true),
                        None => self.next(py, layer),
                    }
                }
            },
            Phase::Failing => {
                outcome.result()?;
                self.failure.take().map_or(Ok(Step::Over), Err)
            }
            Phase::Ending | Phase::Closing => outcome.result().map(|_| Step::Over),
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
        if let Some(broken) = events.take_broken() {
            return Err(if error.is_instance_of::<CancelledError>(py) { broken } else { error });
        }
        if !events.ends_with(py, &error) {
            return Err(error);
        }
        self.failure = Some(error);
        Ok(match self.put(py, layer, PyBytes::new(py, b"").as_any(), false)? {
            Step::Wait(Phase::Ending, sending) => Step::Wait(Phase::Failing, sending),
            Step::Over => return self.failure.take().map_or(Ok(Step::Over), Err),
            waits @ Step::Wait(..) => waits,
        })
    }

    /// Asks for the next piece; ends the response if there is none.
    fn next<'py>(&mut self, py: Python<'py>, layer: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
        if self.is_over {
            return self.put(py, layer, PyBytes::new(py, b"").as_any(), false);
        }
        let iterator = self.iterator.bind(py);
        let asked = self.within(py, || iterator.call_method0(intern!(py, "__anext__")))?;
        let asked = if self.is_generator { asked } else { awaited(layer, asked)? };
        Ok(Step::Wait(Phase::Next, asked))
    }

    /// The same, behind a turn of the event loop if many have been sent in this one.
    fn next_in_turn<'py>(&mut self, py: Python<'py>, layer: &Bound<'py, PyAny>) -> PyResult<Step<'py>> {
        match &self.turn {
            Some(turn) if self.in_turn >= PIECES_IN_TURN => Ok(Step::Wait(Phase::Sending, turn.bind(py).call1((0,))?)),
            _ => self.next(py, layer),
        }
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
                self.next_in_turn(py, layer)
            }
            Put::Done => Ok(Step::Over),
            Put::Sending(sending) => {
                self.in_turn = self.in_turn.saturating_add(1);
                let phase = if more { Phase::Sending } else { Phase::Ending };
                Ok(Step::Wait(phase, awaited(layer, sending)?))
            }
            Put::Full(drained) => {
                self.held = Some((piece.clone().unbind(), more));
                Ok(Step::Wait(Phase::Full, drained))
            }
        }
    }

    /// Puts a piece into the sink, in the stream's context if that calls code of the user's.
    pub(super) fn put_in_context<'py>(&mut self, piece: &Bound<'py, PyAny>, more: bool) -> PyResult<Put<'py>> {
        let py = piece.py();
        match &self.context {
            Some(context) if matches!(self.sink, Sink::Messages(_)) => {
                let context = context.clone_ref(py);
                py::within(context.bind(py), || self.sink.put(py, piece, more))
            }
            _ => self.sink.put(py, piece, more),
        }
    }

    /// The request is about to wait: what there is is written, and from the first time on somebody hears of the client's leaving.
    fn before_wait(&mut self, py: Python<'_>, program: &Program) -> PyResult<()> {
        self.in_turn = 0;
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
    fn stop_watching(&mut self, py: Python<'_>) -> PyResult<()> {
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
        self.ears.traverse(visit)?;
        self.sink.traverse(visit)
    }
}

impl Machine {
    /// Begins to send a response object, if it is a stream that is sent as Starlette's own class sends it; None if nothing has happened.
    pub(super) fn begin_stream<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        response: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Next<'py>>> {
        if !program.is_stream(response)? {
            return Ok(None);
        }
        let status = response.getattr(intern!(py, "status_code"))?;
        let Ok(headers) = response.getattr(intern!(py, "raw_headers"))?.cast_into_exact::<PyList>() else {
            return Ok(None);
        };
        let (Ok(_), Ok(code)) = (status.cast_exact::<PyInt>(), status.extract::<u16>()) else { return Ok(None) };
        if response_head_problem(&status, &headers)?.is_some() {
            return Ok(None);
        }
        let reference = program.reference.bind(py);
        let Some(ears) = self.ears(py, reference)? else { return Ok(None) };
        let events = match program.is_of_events(response) {
            true => match self.events(response)? {
                Some(events) => Some(Box::new(events)),
                None => return Ok(None),
            },
            false => None,
        };
        self.has_group = events.is_some();
        let background = response.getattr(intern!(py, "background"))?;
        if !background.is_none() {
            self.background = Some(background.unbind());
        }
        let source = response.getattr(intern!(py, "body_iterator"))?;
        let threaded = match source.getattr_opt(intern!(py, "ag_code"))? {
            Some(code) if code.is(&program.thread_code) => {
                let threaded = reference.call_method1(intern!(py, "source_of"), (&source,))?;
                if threaded.is_none() { None } else { Some(threaded.unbind()) }
            }
            _ => None,
        };
        let (context, outer) = match &ears {
            Ears::Sending => (None, None),
            Ears::Own(_) | Ears::Uvicorn(_) | Ears::Receive(_) => {
                let outer = reference.call_method0(intern!(py, "scope_here"))?;
                (Some(py::copy_context(py)?.unbind()), if outer.is_none() { None } else { Some(outer.unbind()) })
            }
        };
        self.started = true;
        let sink = match &self.transport {
            Transport::Http(transport) => {
                transport.in_flight.bind(py).get().begin_pieces(py, code, headers.as_any())?;
                Sink::Own(transport.in_flight.clone_ref(py))
            }
            Transport::Asgi(transport) => transport.open(py, code, &headers)?,
            Transport::Given(_) => return Ok(None), // as `ears` has said
        };
        let (iterator, encode) = program.parts_of(&source)?;
        let mut stream = Stream {
            response: response.clone().unbind(),
            is_generator: py::is_async_generator(&iterator),
            iterator: iterator.unbind(),
            encode: encode.map(Bound::unbind),
            source: source.unbind(),
            threaded,
            sink,
            held: None,
            turn: if matches!(ears, Ears::Sending) {
                None
            } else {
                Some(reference.getattr(intern!(py, "turn"))?.unbind())
            },
            context,
            ears,
            outer,
            listening: None,
            watch: None,
            is_over: false,
            in_turn: 0,
            events,
            failure: None,
        };
        let layer = self.transport.layer(py)?;
        let begun = stream.begin(py, &layer, &status, &headers);
        self.stream = Some(Box::new(stream));
        self.take_stream_step(py, begun).map(Some)
    }

    /// How it is heard that the client leaves; None if Starlette has to see to it.
    fn ears<'py>(&self, py: Python<'py>, reference: &Bound<'py, PyAny>) -> PyResult<Option<Ears>> {
        match &self.transport {
            Transport::Given(_) => Ok(None),
            Transport::Http(transport) => {
                let cycle = transport.in_flight.bind(py).get();
                let is_free = !transport.connection().has_middleware(py) && !cycle.has_started(py);
                Ok(is_free.then(|| Ears::Own(transport.in_flight.clone_ref(py))))
            }
            Transport::Asgi(transport) => {
                let Some(ears) = transport.ears(py)? else { return Ok(None) };
                if matches!(ears, Ears::Receive(_))
                    && !reference.call_method0(intern!(py, "on_asyncio"))?.is_truthy()?
                {
                    return Ok(None);
                }
                Ok(Some(ears))
            }
        }
    }

    /// Goes on with a stream.
    pub(super) fn after_streaming<'py>(
        &mut self,
        py: Python<'py>,
        phase: Phase,
        outcome: Outcome<'py>,
    ) -> PyResult<Next<'py>> {
        if phase == Phase::Closing {
            outcome.result().map_err(|error| self.in_group(py, error))?;
            return self.after_sending(py);
        }
        let Some(mut stream) = self.stream.take() else { return self.after_sending(py) };
        let layer = self.transport.layer(py)?;
        let step = py::guarded(|| stream.go_on(py, &layer, phase, outcome));
        self.stream = Some(stream);
        self.take_stream_step(py, step)
    }

    fn take_stream_step<'py>(&mut self, py: Python<'py>, step: PyResult<Step<'py>>) -> PyResult<Next<'py>> {
        match step {
            Ok(Step::Wait(phase, awaitable)) => {
                self.stage = Stage::Stream(phase);
                Ok(Next::Await(awaitable))
            }
            Ok(Step::Over) => self.end_stream(py),
            Err(error) => self.fail_stream(py, error),
        }
    }

    /// Waits for what a step of a stream waits for, in the stream's context.
    pub(super) fn resume_stream<'py>(
        &mut self,
        awaiting: &Bound<'py, PyAny>,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<py::Sent<'py>> {
        let py = awaiting.py();
        let Some(stream) = &mut self.stream else { return py::resume(awaiting, sent) };
        match self.stage {
            Stage::Stream(phase) if stream.events.is_some() => {
                let layer = self.transport.layer(py)?;
                stream.resume_events(&layer, phase, awaiting, sent)
            }
            _ => stream.within(py, || py::resume(awaiting, sent)),
        }
    }

    /// What is kept for a stream of events; None if Python has to send it.
    fn events(&self, response: &Bound<'_, PyAny>) -> PyResult<Option<Events>> {
        let py = response.py();
        let beat = response.call_method0(intern!(py, "beat"))?;
        if beat.is_none() {
            return Ok(None);
        }
        let (event_loop, interval, ping): (Py<PyAny>, f64, Py<PyBytes>) = beat.extract()?;
        Ok(Some(Events::new(Py::new(py, Heartbeat::new(event_loop, interval))?, ping)))
    }

    /// The request is about to wait.
    pub(super) fn before_wait(&mut self, py: Python<'_>) -> PyResult<()> {
        if !matches!(self.stage, Stage::Stream(_)) || self.stream.is_none() {
            return Ok(());
        }
        let program = self.program(py)?;
        match &mut self.stream {
            Some(stream) => stream.before_wait(py, program.bind(py).get()),
            None => Ok(()),
        }
    }

    /// What comes out of a request for an exception in its stream.
    pub(super) fn in_group(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if self.has_group { grouped(py, error) } else { error }
    }

    /// Everything is sent.
    fn end_stream<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let Some(stream) = self.stream.take() else { return self.after_sending(py) };
        if let Some(listening) = &stream.listening {
            let listening = listening.bind(py);
            if matches!(stream.ears, Ears::Receive(_)) {
                let ending = listening.call_method0(intern!(py, "end"))?;
                return self.wait(py, Stage::Stream(Phase::Closing), ending);
            }
            listening.call_method0(intern!(py, "leave"))?;
        }
        drop(stream);
        self.after_sending(py)
    }

    /// The stream has come to an early end.
    fn fail_stream<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        let Some(mut stream) = self.stream.take() else { return Err(error) };
        stream.stop_watching(py)?;
        if error.is_instance_of::<PyGeneratorExit>(py) {
            return Err(error); // nobody waits for anything any more
        }
        stream.sink.flush(py)?;
        let program = self.program(py)?;
        let reference = program.bind(py).get().reference.bind(py);
        let tells_by_sending = matches!(stream.ears, Ears::Sending);
        let mut listening = stream.listening.as_ref().map(|listening| listening.bind(py).clone());
        if listening.is_none() && !tells_by_sending && error.is_instance_of::<CancelledError>(py) {
            listening = Some(reference.call_method1(intern!(py, "listening"), (&stream.outer,))?);
        }
        let failing = match listening {
            Some(listening) => {
                listening.call_method1(intern!(py, "fail"), (error, &stream.source, &stream.threaded))?
            }
            None if stream.is_over && stream.is_generator && stream.threaded.is_none() && !tells_by_sending => {
                return Err(self.in_group(py, error));
            }
            None => {
                let arguments = (error, &stream.source, &stream.threaded, tells_by_sending);
                reference.call_method1(intern!(py, "fail_stream"), arguments)?
            }
        };
        self.wait(py, Stage::Stream(Phase::Closing), failing)
    }
}

impl Stream {
    /// Sends the head, and asks for the first piece.
    fn begin<'py>(
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
        self.next(py, layer)
    }

    fn begin_iterating(&mut self, py: Python<'_>) -> PyResult<()> {
        if !self.is_generator {
            let iterator = self.iterator.bind(py);
            self.iterator = self.within(py, || iterator.call_method0(intern!(py, "__aiter__")))?.unbind();
        }
        Ok(())
    }
}

impl Program {
    /// What a stream is from, and how its items are encoded.
    fn parts_of<'py>(&self, source: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
        let py = source.py();
        match &self.reply {
            Reply::Stream { items, .. } if source.get_type().is(items) => {
                Ok((source.getattr(intern!(py, "items"))?, Some(source.getattr(intern!(py, "encode"))?)))
            }
            _ => Ok((source.clone(), None)),
        }
    }

    /// Whether a response is sent as a `StreamingResponse` of Starlette's is.
    fn is_stream(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = response.py();
        let Some(class) = &self.stream else { return Ok(false) };
        let class = class.bind(py);
        if !response.is_instance(class)? {
            return Ok(false);
        }
        let (kind, own) = (response.get_type(), response.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?);
        let methods = [
            intern!(py, "__call__"),
            intern!(py, "stream_response"),
            intern!(py, "listen_for_disconnect"),
            intern!(py, "__getattribute__"),
        ];
        let is_of_events = self.is_of_events(response);
        for (index, name) in methods.into_iter().enumerate() {
            let is_known = kind.getattr(name)?.is(class.getattr(name)?) || (index == 0 && is_of_events);
            if !is_known || own.contains(name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a response is that of an endpoint that yields server-sent events.
    fn is_of_events(&self, response: &Bound<'_, PyAny>) -> bool {
        matches!(&self.reply, Reply::Stream { events: Some(events), .. } if response.get_type().is(events))
    }
}
