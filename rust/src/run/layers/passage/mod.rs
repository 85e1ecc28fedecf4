//! `Passage`: one request on its way through a `BaseHTTPMiddleware`.
//!
//! Starlette runs what is below such a middleware in a task group, and passes each message through a stream of anyio's. Here
//! it is a task of its own, too, with a copy of the context; but that is begun at once, by whoever calls `call_next`
//! ([`below`]), and a response that is whole by then goes on without a turn of the event loop. The task gets no further ahead
//! than the message that the middleware has not taken yet, and its end waits for the response to be sent.

mod arrival;
mod below;
mod call_next;
mod dispatch;
mod messages;
mod send;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyBaseException, PyBaseExceptionGroup};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PySet, PyString};

use self::arrival::NextMessage;
use self::below::Task;
use self::call_next::CallNext;
use self::dispatch::Dispatch;
use self::messages::Message;
use crate::py::Attached;
use crate::run::Serving;

pub(crate) use self::send::{PassageSend, noting_taker};

/// So many messages may wait to be taken, of bodies of at most so many bytes, where nobody sees that.
const AHEAD: usize = 16;
const SMALL: usize = 4096;

/// One request on its way through a `BaseHTTPMiddleware`.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Passage {
    /// What does the rarer things (`ferrapi.middleware._base.Shortened`).
    layer: Py<PyAny>,
    middleware: Py<PyAny>,
    /// The middleware's request object.
    request: Py<PyAny>,
    scope: Py<PyAny>,
    /// Where the response goes.
    send: Py<PyAny>,
    /// The cancel scope that the middleware is in, or None.
    around: Py<PyAny>,
    /// Cancel scopes in which the application below waits for a message.
    receiving: Py<PySet>,
    state: Attached<State>,
    /// How many applications below are running.
    running: AtomicUsize,
    /// Whether the response has been sent: nobody takes messages any more.
    is_sent: AtomicBool,
    /// Whether somebody has asked for the body.
    body_begun: AtomicBool,
    /// Whether `call_next` has raised the error from below.
    error_raised: AtomicBool,
    /// Whether the application below is at work, in the task that it was begun in.
    is_below_at_work: AtomicBool,
    /// Whether messages from below go on as they are, and no code of the user's sees when.
    passes_on: AtomicBool,
}

/// What changes.
#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    /// What the middleware waits for, until there is a message.
    arrived: Option<Py<PyAny>>,
    /// What the application below waits for, until its message has been taken.
    taken: Option<Py<PyAny>>,
    /// What applications below wait for, until the response is sent.
    parked: Vec<Py<PyAny>>,
    tasks: Vec<Task>,
    error: Option<Py<PyBaseException>>,
    /// What applications below have raised that is no `Exception`.
    unhandled: Vec<Py<PyBaseException>>,
    response: Option<Py<PyAny>>,
    body: Option<Py<PyAny>>,
}

#[pymethods]
impl Passage {
    /// Serves a request: a coroutine that calls the middleware's `dispatch_func`, and sends its response.
    ///
    /// Parameters:
    ///     layer: what does the rarer things.
    ///     middleware: the middleware.
    ///     request: its request object.
    ///     scope: the ASGI scope.
    ///     send: the ASGI send callable.
    ///     around: the cancel scope that this task is in, or None.
    #[staticmethod]
    fn serve<'py>(
        py: Python<'py>,
        layer: Py<PyAny>,
        middleware: Py<PyAny>,
        request: Py<PyAny>,
        scope: Py<PyAny>,
        send: Py<PyAny>,
        around: Py<PyAny>,
    ) -> PyResult<Bound<'py, Serving>> {
        let passage = Self {
            layer,
            middleware,
            request,
            scope,
            send,
            around,
            receiving: PySet::empty(py)?.unbind(),
            state: Attached::default(),
            running: AtomicUsize::new(0),
            is_sent: AtomicBool::new(false),
            body_begun: AtomicBool::new(false),
            error_raised: AtomicBool::new(false),
            is_below_at_work: AtomicBool::new(false),
            passes_on: AtomicBool::new(false),
        };
        Bound::new(py, Serving::of(Box::new(Dispatch::new(Py::new(py, passage)?))))
    }

    /// Runs the application below until its response begins, and returns that. Raises what it raises before.
    ///
    /// The argument is not looked at: the application gets the scope of the middleware's own request.
    fn call_next<'py>(slf: &Bound<'py, Self>, request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Serving>> {
        let _ = request;
        Bound::new(slf.py(), Serving::of(Box::new(CallNext::new(slf.clone().unbind()))))
    }

    /// The next message from below; None when there will be none. A coroutine.
    fn next_message<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Serving>> {
        Bound::new(slf.py(), Serving::of(Box::new(NextMessage::new(slf.clone().unbind()))))
    }

    /// Notes that somebody has asked for the body of the response.
    fn begin_body(&self) {
        self.body_begun.store(true, Ordering::Relaxed);
    }

    /// Whether the response has been sent.
    #[getter]
    fn is_sent(&self) -> bool {
        self.is_sent.load(Ordering::Relaxed)
    }

    #[getter]
    fn request(&self, py: Python<'_>) -> Py<PyAny> {
        self.request.clone_ref(py)
    }

    #[getter]
    fn send(&self, py: Python<'_>) -> Py<PyAny> {
        self.send.clone_ref(py)
    }

    /// Cancel scopes in which the application below waits for a message.
    #[getter]
    fn receiving(&self, py: Python<'_>) -> Py<PySet> {
        self.receiving.clone_ref(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for object in [&self.layer, &self.middleware, &self.request, &self.scope, &self.send, &self.around] {
            visit.call(object)?;
        }
        visit.call(&self.receiving)?;
        self.state.traverse(&visit, State::traverse)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.state.replace(py, State::default()));
    }
}

impl State {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.messages.iter().try_for_each(|message| message.traverse(visit))?;
        self.tasks.iter().try_for_each(|task| task.traverse(visit))?;
        self.parked.iter().try_for_each(|future| visit.call(future))?;
        visit.call(&self.arrived)?;
        visit.call(&self.taken)?;
        visit.call(&self.error)?;
        self.unhandled.iter().try_for_each(|error| visit.call(error))?;
        visit.call(&self.response)?;
        visit.call(&self.body)
    }
}

impl Passage {
    fn layer<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.layer.bind(py)
    }

    /// How many applications below are running.
    fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// A future of the event loop's.
    fn new_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.layer(py).call_method0(intern!(py, "running_loop"))?.call_method0(intern!(py, "create_future"))
    }

    /// Whether messages from below go on as they are, and no code of the user's sees when.
    pub(in crate::run::layers) fn passes_on(&self) -> bool {
        self.passes_on.load(Ordering::Relaxed)
    }

    /// Whether the application below may go on before its message, with so many bytes of the body, has been taken.
    fn may_run_ahead(&self, py: Python<'_>, size: usize) -> bool {
        self.passes_on() && size <= SMALL && self.state.see(py, |state| state.messages.len() < AHEAD)
    }

    /// Tells the middleware that there is something to look at.
    fn wake(&self, py: Python<'_>) -> PyResult<()> {
        let arrived = self.state.see(py, |state| state.arrived.as_ref().map(|future| future.clone_ref(py)));
        arrived.map_or(Ok(()), |future| settle(future.bind(py)))
    }

    /// Keeps a message for the middleware.
    fn push(&self, py: Python<'_>, message: Message) -> PyResult<()> {
        self.state.change(py, |state| state.messages.push_back(message));
        self.wake(py)
    }

    /// From now on nobody takes messages: the applications below go on.
    fn release(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        this.is_sent.store(true, Ordering::Relaxed);
        if let Some(taken) = this.state.see(py, |state| state.taken.as_ref().map(|future| future.clone_ref(py))) {
            settle(taken.bind(py))?;
        }
        let receiving = this.receiving.bind(py);
        if !receiving.is_empty() {
            for scope in py.get_type::<PyList>().call1((receiving,))?.try_iter()? {
                let scope = scope?;
                scope.call_method0(intern!(py, "cancel"))?;
            }
        }
        let tasks = this.state.see(py, |state| state.tasks.iter().map(|task| task.copy(py)).collect::<Vec<_>>());
        for task in &tasks {
            task.run_early(slf)?;
        }
        let parked = this.state.change(py, |state| std::mem::take(&mut state.parked));
        for future in parked {
            future.bind(py).call_method0(intern!(py, "resume"))?;
        }
        Ok(())
    }

    /// The exception that the application below has raised.
    fn error(&self, py: Python<'_>) -> Option<Py<PyBaseException>> {
        self.state.see(py, |state| state.error.as_ref().map(|error| error.clone_ref(py)))
    }

    /// What the task group that Starlette has here would raise: `error`, together with what is no `Exception`.
    fn with_unhandled(&self, py: Python<'_>, error: Option<PyErr>) -> PyResult<Option<PyErr>> {
        let mut unhandled = self.state.change(py, |state| std::mem::take(&mut state.unhandled));
        if unhandled.is_empty() {
            return Ok(error);
        }
        let own = error.filter(|error| !error.is_instance_of::<CancelledError>(py));
        unhandled.extend(own.map(|error| error.into_value(py)));
        let raised = match unhandled.as_slice() {
            [only] => only.bind(py).clone().into_any(),
            _ => py.get_type::<PyBaseExceptionGroup>().call1(("unhandled errors in a TaskGroup", unhandled))?,
        };
        Ok(Some(PyErr::from_value(raised)))
    }

    /// The response that has begun, as its constructor makes it, without the headers that it would make.
    fn begin_response<'py>(
        slf: &Bound<'py, Self>,
        status: Bound<'py, PyAny>,
        headers: Bound<'py, PyAny>,
        info: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let layer = slf.get().layer(py);
        let class = layer.getattr(intern!(py, "response_class"))?;
        let response = class.call_method1(intern!(py, "__new__"), (&class,))?;
        let body = layer.call_method1(intern!(py, "body"), (slf,))?;
        let parts: [(&Bound<'py, PyString>, Bound<'py, PyAny>); 6] = [
            (intern!(py, "info"), info.into_pyobject(py)?),
            (intern!(py, "body_iterator"), body.clone()),
            (intern!(py, "status_code"), status),
            (intern!(py, "media_type"), py.None().into_bound(py)),
            (intern!(py, "background"), py.None().into_bound(py)),
            (intern!(py, "raw_headers"), headers),
        ];
        for (name, value) in parts {
            response.setattr(name, value)?;
        }
        let before = slf
            .get()
            .state
            .change(py, |state| (state.response.replace(response.clone().unbind()), state.body.replace(body.unbind())));
        drop(before);
        Ok(response)
    }

    /// Whether a response is the one from below, with the body from below of which nobody has taken anything.
    fn has_untouched(&self, response: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = response.py();
        let (own, body) = self.state.see(py, |state| {
            (state.response.as_ref().map(|own| own.clone_ref(py)), state.body.as_ref().map(|body| body.clone_ref(py)))
        });
        let (Some(own), Some(body)) = (own, body) else { return Ok(false) };
        Ok(own.is(response)
            && !self.body_begun.load(Ordering::Relaxed)
            && response.get_type().is(&self.layer(py).getattr(intern!(py, "response_class"))?)
            && response.getattr(intern!(py, "body_iterator"))?.is(&body)
            && !body.bind(py).getattr(intern!(py, "ag_frame"))?.is_none()) // or it was closed
    }

    /// The tasks that are or were below.
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let tasks = self.state.see(py, |state| state.tasks.iter().map(|task| task.object(py)).collect::<Vec<_>>());
        PyList::new(py, tasks)
    }

    /// Lets go of what refers back here.
    fn clear(&self, py: Python<'_>) {
        drop(self.state.replace(py, State::default()));
    }
}

/// Gives a future None as its result, unless it is done.
fn settle(future: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = future.py();
    if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
        future.call_method1(intern!(py, "set_result"), (py.None(),))?;
    }
    Ok(())
}
