//! `PassageSend`: the `send` of the application below.

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::Passage;
use super::messages::Message;
use crate::py::{self, Sent};
use crate::run::Serving;
use crate::run::layers::Flow;
use crate::run::layers::named::{self, last_part};

/// Who has taken the head of a response.
enum Taker {
    /// Nobody wants to know.
    Unasked,
    Nobody,
    A(Py<Passage>),
}

thread_local! {
    static TAKER: RefCell<Taker> = const { RefCell::new(Taker::Unasked) };
}

/// Does something; answers which passage has taken the head of a response meanwhile.
pub(crate) fn noting_taker<T>(work: impl FnOnce() -> T) -> (T, Option<Py<Passage>>) {
    let before = TAKER.replace(Taker::Nobody);
    let value = work();
    match TAKER.replace(before) {
        Taker::A(passage) => (value, Some(passage)),
        Taker::Unasked | Taker::Nobody => (value, None),
    }
}

/// The `send` of the application below.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct PassageSend {
    passage: Py<Passage>,
}

#[pymethods]
impl PassageSend {
    /// Takes a message; returns a coroutine that ends when the application may go on.
    fn __call__<'py>(&self, py: Python<'py>, message: Py<PyAny>) -> PyResult<Bound<'py, Serving>> {
        let sending = Sending { passage: self.passage.clone_ref(py), message, stage: Stage::New, awaiting: None };
        Bound::new(py, Serving::of(Box::new(sending)))
    }

    #[getter(__qualname__)]
    fn qualname(&self) -> &'static str {
        named::SEND_NO_ERROR
    }

    #[getter(__name__)]
    fn name(&self) -> &'static str {
        last_part(named::SEND_NO_ERROR)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)
    }
}

impl PassageSend {
    pub(super) fn of<'py>(passage: &Bound<'py, Passage>) -> PyResult<Bound<'py, Self>> {
        Bound::new(passage.py(), Self { passage: passage.clone().unbind() })
    }

    /// Whether what is sent here goes on as it is, and no code of the user's sees when.
    pub(in crate::run::layers) fn passes_on(&self) -> bool {
        self.passage.get().passes_on()
    }

    /// Takes a whole response; returns what is to be awaited then, or None if it has to come in messages.
    pub(in crate::run::layers) fn take_whole<'py>(
        &self,
        py: Python<'py>,
        status: u16,
        headers: Bound<'py, PyList>,
        body: &[u8],
    ) -> PyResult<Option<Bound<'py, Serving>>> {
        let passage = self.passage.bind(py).get();
        if !passage.layer(py).call_method0(intern!(py, "scope_here"))?.is_none() {
            return Ok(None);
        }
        let body = PyBytes::new(py, body);
        let mut stage = Stage::Done;
        if !passage.is_sent() {
            stage = Stage::Last;
            passage.state.change(py, |state| {
                state.messages.push_back(Message::Head { status, headers: headers.unbind() });
                state.messages.push_back(Message::Body(body.clone().unbind()));
            });
            passage.wake(py)?;
        }
        let message = body.into_any().unbind();
        let sending = Sending { passage: self.passage.clone_ref(py), message, stage, awaiting: None };
        Bound::new(py, Serving::of(Box::new(sending))).map(Some)
    }
}

/// The `receive` of the application below.
#[pyclass(frozen, module = "ferrapi._native")]
pub(super) struct PassageReceive {
    passage: Py<Passage>,
}

impl PassageReceive {
    pub(super) fn of<'py>(passage: &Bound<'py, Passage>) -> PyResult<Bound<'py, Self>> {
        Bound::new(passage.py(), Self { passage: passage.clone().unbind() })
    }
}

#[pymethods]
impl PassageReceive {
    /// The next message, or that the client has left, which it has, as far as the application may know, when the response is sent.
    fn __call__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let layer = self.passage.bind(py).get().layer(py);
        layer.call_method1(intern!(py, "receive"), (&self.passage,))
    }

    #[getter(__qualname__)]
    fn qualname(&self) -> &'static str {
        named::RECEIVE_OR_DISCONNECT
    }

    #[getter(__name__)]
    fn name(&self) -> &'static str {
        last_part(named::RECEIVE_OR_DISCONNECT)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)
    }
}

/// The sending of a message.
struct Sending {
    passage: Py<Passage>,
    /// The message, or the body of the whole response.
    message: Py<PyAny>,
    stage: Stage,
    awaiting: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    /// It gives way to a cancellation.
    Checking,
    /// The message waits to be taken.
    Waiting,
    /// The last message is there.
    Last,
    /// It waits for the response to be sent, and whoever runs the application knows that.
    Parked,
    Done,
}

impl Sending {
    /// Puts the message to the others; answers what comes next.
    fn push(&self, py: Python<'_>) -> PyResult<Stage> {
        let passage = self.passage.bind(py).get();
        if passage.is_sent() {
            return Ok(Stage::Done);
        }
        let message = self.message.bind(py);
        passage.push(py, Message::Asgi(self.message.clone_ref(py)))?;
        let kind = message.get_item(intern!(py, "type"))?;
        let is_body = kind.eq(intern!(py, "http.response.body"))?;
        if is_body && message.call_method1(intern!(py, "get"), (intern!(py, "more_body"), false))?.is_truthy()? {
            let body = message.call_method1(intern!(py, "get"), (intern!(py, "body"),))?;
            let is_ahead = body.cast::<PyBytes>().is_ok_and(|body| passage.may_run_ahead(py, body.as_bytes().len()));
            return Ok(if is_ahead { Stage::Done } else { Stage::Waiting });
        }
        if TAKER.with_borrow(|taker| matches!(taker, Taker::Nobody)) && kind.eq(intern!(py, "http.response.start"))? {
            drop(TAKER.replace(Taker::A(self.passage.clone_ref(py))));
        }
        let is_last = is_body || kind.eq(intern!(py, "http.response.pathsend"))?;
        Ok(if is_last { Stage::Last } else { Stage::Done })
    }

    /// Begins to wait until the message has been taken.
    fn wait(&mut self, py: Python<'_>) -> PyResult<()> {
        let passage = self.passage.bind(py).get();
        let future = passage.new_future(py)?;
        drop(passage.state.change(py, |state| state.taken.replace(future.clone().unbind())));
        self.awaiting = Some(future.call_method0(intern!(py, "__await__"))?.unbind());
        Ok(())
    }

    /// Takes the message back, unless the middleware has taken it.
    fn take_back(&self, py: Python<'_>) {
        let taken = self.passage.bind(py).get().state.change(py, |state| {
            let place = state.messages.iter().position(|message| message.is(&self.message));
            place.and_then(|place| state.messages.remove(place))
        });
        drop(taken);
    }
}

impl Flow for Sending {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        if self.stage == Stage::New {
            sent?;
            sent = Ok(py.None().into_bound(py));
            let layer = self.passage.bind(py).get().layer(py);
            if !layer.call_method0(intern!(py, "scope_here"))?.is_none() {
                self.stage = Stage::Checking;
                self.awaiting = Some(layer.call_method0(intern!(py, "checkpoint"))?.unbind());
            } else {
                self.stage = self.push(py)?;
            }
        }
        loop {
            if let Some(awaiting) = self.awaiting.take() {
                match py::resume(awaiting.bind(py), sent) {
                    Ok(Sent::Yielded(waits)) => {
                        self.awaiting = Some(awaiting);
                        return Ok(Sent::Yielded(waits));
                    }
                    Ok(Sent::Returned(_) | Sent::Ended) => {
                        self.stage = if self.stage == Stage::Checking { self.push(py)? } else { Stage::Done };
                    }
                    Err(error) => {
                        self.take_back(py);
                        return Err(error);
                    }
                }
            } else if let Err(error) = sent {
                self.take_back(py);
                return Err(error);
            }
            sent = Ok(py.None().into_bound(py));
            let passage = self.passage.clone_ref(py).into_bound(py);
            match self.stage {
                Stage::Waiting => self.wait(py)?,
                Stage::Last if passage.get().is_sent() => return Ok(Sent::Ended),
                Stage::Last if passage.get().is_below_at_work.load(Ordering::Relaxed) => {
                    self.stage = Stage::Parked;
                    return Ok(Sent::Yielded(passage.into_any()));
                }
                Stage::Last => match passage.get().park(py)? {
                    Some(iterator) => self.awaiting = Some(iterator.unbind()),
                    None => return Ok(Sent::Ended),
                },
                Stage::New | Stage::Checking | Stage::Parked | Stage::Done => return Ok(Sent::Ended),
            }
        }
    }

    fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)?;
        visit.call(&self.message)?;
        visit.call(&self.awaiting)
    }
}

impl Passage {
    /// Takes back the head of a response that has failed right behind it, before the middleware has come to take it.
    pub(crate) fn withdraw_head(&self, py: Python<'_>) {
        let head = self.state.change(py, |state| state.messages.pop_back());
        drop(head);
    }

    /// The iterator of a future that is done when the response is sent; None if it is.
    pub(super) fn park<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.is_sent() {
            return Ok(None);
        }
        let future = self.layer(py).call_method0(intern!(py, "parked"))?;
        self.state.change(py, |state| state.parked.push(future.clone().unbind()));
        future.call_method0(intern!(py, "__await__")).map(Some)
    }
}
