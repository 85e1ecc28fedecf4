//! A response in pieces: when it begins, how the machine goes on with it, and how it ends.

use pyo3::exceptions::PyGeneratorExit;
use pyo3::exceptions::asyncio::CancelledError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList};

use super::events::{Events, grouped};
use super::stream::{Phase, Pull, Step, Stream};
use super::{Machine, Next, Outcome, Stage};
use crate::py;
use crate::response::checks::response_head_problem;
use crate::run::asgi::Ears;
use crate::run::heartbeat::Heartbeat;
use crate::run::program::{Program, Reply};
use crate::run::transport::Transport;

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
        let (iterator, encode) = program.parts_of(&source)?;
        let is_generator = py::is_async_generator(&iterator);
        let in_threads = if is_generator {
            reference.call_method1(intern!(py, "iterated_in_threads"), (&iterator,))?
        } else {
            py.None().into_bound(py)
        };
        let pull = if in_threads.is_none() { Pull::Await } else { Pull::Thread };
        let iterator = if in_threads.is_none() { iterator } else { in_threads };
        let (context, outer) = match &ears {
            Ears::Sending => (None, None),
            Ears::Own(_) | Ears::Uvicorn(_) | Ears::Receive(_) => {
                let outer = reference.call_method0(intern!(py, "scope_here"))?;
                (Some(py::copy_context(py)?.unbind()), if outer.is_none() { None } else { Some(outer.unbind()) })
            }
        };
        self.started = true;
        let sink = match &self.transport {
            Transport::Http(transport) => transport.open(py, code, &headers)?,
            Transport::Asgi(transport) => transport.open(py, code, &headers)?,
            Transport::Given(_) => return Ok(None), // as `ears` has said
        };
        let mut stream = Stream {
            response: response.clone().unbind(),
            is_generator: is_generator && pull == Pull::Await,
            pull,
            reference: reference.clone().unbind(),
            threaded: py::is_generator(&iterator).then(|| iterator.clone().unbind()),
            iterator: iterator.unbind(),
            encode: encode.map(Bound::unbind),
            source: source.unbind(),
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
            has_ended: false,
        };
        let layer = self.transport.layer(py)?;
        let begun = stream.begin(py, &layer, &status, &headers).and_then(|step| stream.settle(py, &layer, step));
        self.stream = Some(Box::new(stream));
        self.take_stream_step(py, begun).map(Some)
    }

    /// How it is heard that the client leaves; None if Starlette has to see to it.
    fn ears<'py>(&self, py: Python<'py>, reference: &Bound<'py, PyAny>) -> PyResult<Option<Ears>> {
        match &self.transport {
            Transport::Given(_) => Ok(None),
            Transport::Http(transport) => {
                let cycle = transport.in_flight.bind(py).get();
                Ok((!cycle.has_started(py)).then(|| Ears::Own(transport.in_flight.clone_ref(py))))
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
        let step = py::guarded(|| {
            let step = stream.go_on(py, &layer, phase, outcome)?;
            stream.settle(py, &layer, step)
        });
        self.stream = Some(stream);
        self.take_stream_step(py, step)
    }

    fn take_stream_step<'py>(&mut self, py: Python<'py>, step: PyResult<Step<'py>>) -> PyResult<Next<'py>> {
        match step {
            Ok(Step::Wait(phase, awaitable)) => {
                self.stage = Stage::Stream(phase);
                Ok(Next::Await(awaitable))
            }
            Ok(Step::Over | Step::Again) => self.end_stream(py),
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
        self.replied |= stream.has_ended;
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
