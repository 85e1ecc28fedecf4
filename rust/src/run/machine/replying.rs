//! From the endpoint's result to the response, and what ends before and after it.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use super::{Machine, Next, Stage};
use crate::py::KeptError;
use crate::run::given::Goal;
use crate::run::layers::Delivery;
use crate::run::program::{Program, Reply};
use crate::run::reply::{self, Body, Made, Whole};
use crate::run::transport::{Headers, Transport};

/// A response that is held back while contexts are left which end before it is sent.
pub(super) enum Ready {
    /// With this status and these headers (None for the program's own), and a body.
    Whole { status: u16, headers: Option<Py<PyList>>, body: Body },
    /// As Python has made it.
    Python(Py<PyAny>),
}

impl Ready {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::Whole { headers, .. } => visit.call(headers), // a body refers to nothing
            Self::Python(response) => visit.call(response),
        }
    }
}

impl Machine {
    /// Goes on with what the endpoint returned.
    pub(super) fn reply<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        let made = if program.reply_in_thread { Made::Other } else { reply::make(program, result)? };
        self.reply_with(py, program, result, made)
    }

    /// Goes on with what was made of what the endpoint returned.
    pub(super) fn reply_with<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
        made: Made,
    ) -> PyResult<Next<'py>> {
        self.take_stacks(py, false)?;
        let made = match made {
            Made::Other => reply::make_jsonable(program, result)?.map_or(Made::Other, Made::Body),
            made => made,
        };
        let injected = self.noted(py, intern!(py, "injected"))?;
        self.background = self.noted(py, intern!(py, "background"))?.map(Bound::unbind);
        match made {
            Made::Body(body) => match injected {
                None => self.deliver(py, program, program.status, None, body),
                Some(injected) => match reply::with_injected(program, &injected, body.as_slice(py).len())? {
                    Some((status, headers)) => self.deliver(py, program, status, Some(headers), body),
                    None => self.reply_in_python(py, program, result),
                },
            },
            Made::Invalid(error) => Err(refusal(program, result, error)?),
            Made::Response(Whole { status, headers, body, background }) => {
                if background.is_some() {
                    self.background = background;
                }
                self.deliver(py, program, status, Some(headers.into_bound(py)), Body::Python(body))
            }
            Made::Stream if self.function_open.is_empty() => match self.begin_stream(py, program, result)? {
                Some(next) => Ok(next),
                None => self.reply_in_python(py, program, result),
            },
            Made::Pieces => self.reply_in_pieces(py, program, result),
            Made::Stream | Made::Other => self.reply_in_python(py, program, result),
        }
    }

    /// What has been noted on the exchange, if there is one.
    fn noted<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(exchange) = &self.exchange else { return Ok(None) };
        let noted = exchange.bind(py).getattr(name)?;
        Ok(if noted.is_none() { None } else { Some(noted) })
    }

    /// Lets Python make the response, and send it unless contexts are to be left before.
    fn reply_in_python<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        self.background = None; // which Python runs itself
        let reference = program.reference.bind(py);
        let exchange = self.exchange(py)?;
        if self.function_open.is_empty() {
            let pending = reference.call_method1(intern!(py, "reply"), (exchange, result))?;
            return self.wait_or_go_on(py, pending);
        }
        let making = reference.call_method1(intern!(py, "respond"), (exchange, result))?;
        self.wait(py, Stage::Responded, making)
    }

    /// Sends what the endpoint has made in pieces, when the contexts are left that end before.
    fn reply_in_pieces<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        self.background = None; // which the response has
        let exchange = match (&program.reply, &self.exchange) {
            (Reply::Stream { is_noted: true, .. }, _) => Some(self.exchange(py)?),
            (_, Some(exchange)) => Some(exchange.bind(py).clone()),
            (_, None) => None,
        };
        let response = program.reference.bind(py).call_method1(intern!(py, "stream"), (exchange, result))?;
        self.hold(py, Ready::Python(response.unbind()))
    }

    /// Whether what the request comes to is returned rather than sent.
    pub(super) fn returns(&self) -> bool {
        matches!(&self.transport, Transport::Given(transport) if transport.goal() != Goal::Sent)
    }

    /// Returns the response, an object that Python makes.
    pub(super) fn return_response<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        let exchange = self.exchange(py)?;
        let reference = program.reference.bind(py);
        if matches!(program.reply, Reply::Data | Reply::Model { .. }) && !program.reply_in_thread {
            match reply::make(program, result)? {
                Made::Body(body) => {
                    let arguments = (exchange, body.into_bytes(py));
                    let response = reference.call_method1(intern!(py, "response_of"), arguments)?;
                    self.returned = Some(response.unbind());
                    return Ok(Next::Done);
                }
                Made::Invalid(error) => {
                    return Err(refusal(program, result, error)?);
                }
                Made::Response(_) | Made::Stream | Made::Pieces | Made::Other => {}
            }
        }
        let making = reference.call_method1(intern!(py, "response"), (exchange, result))?;
        self.wait(py, Stage::Returned, making)
    }

    /// Sends a response when the contexts are left that end before.
    fn deliver<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        status: u16,
        headers: Option<Bound<'py, PyList>>,
        body: Body,
    ) -> PyResult<Next<'py>> {
        if !self.function_open.is_empty() {
            return self.hold(py, Ready::Whole { status, headers: headers.map(Bound::unbind), body });
        }
        match headers {
            Some(headers) => self.send(py, status, &Headers::Pairs(headers), body),
            None => self.send(py, status, &Headers::ContentType(&program.content_type), body),
        }
    }

    /// Holds a response back while contexts are left.
    pub(super) fn hold<'py>(&mut self, py: Python<'py>, ready: Ready) -> PyResult<Next<'py>> {
        self.ready = Some(ready);
        self.close_next(py)
    }

    /// Sends a response that was held back.
    pub(super) fn send_ready<'py>(&mut self, py: Python<'py>, ready: Ready) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).get();
        match ready {
            Ready::Whole { status, headers, body } => {
                let headers = headers.map(|headers| headers.into_bound(py));
                self.deliver(py, program, status, headers, body)
            }
            Ready::Python(response) => {
                if let Some(next) = self.begin_stream(py, program, response.bind(py))? {
                    return Ok(next);
                }
                let exchange = self.exchange(py)?;
                let sending = program.reference.bind(py).call_method1(intern!(py, "send"), (exchange, response))?;
                self.wait(py, Stage::Sent, sending)
            }
        }
    }

    /// Sends a whole response.
    pub(super) fn send<'py>(
        &mut self,
        py: Python<'py>,
        status: u16,
        headers: &Headers<'_, 'py>,
        body: Body,
    ) -> PyResult<Next<'py>> {
        self.started = true;
        match &self.transport {
            Transport::Http(transport) if transport.send(py, status, headers, &body)? => self.after_sending(py),
            Transport::Http(_) | Transport::Given(_) => {
                let exchange = self.exchange(py)?;
                let arguments = (status, headers.argument(py), body.into_bytes(py));
                let pending = exchange.call_method1(intern!(py, "send_body"), arguments)?;
                self.wait_or_go_on(py, pending)
            }
            Transport::Asgi(transport) => {
                match transport.send_at_once(py, status, headers, &body)? {
                    Delivery::Sent => return self.after_sending(py),
                    Delivery::Waits(sending) => return self.wait(py, Stage::Sent, sending),
                    Delivery::Not => {}
                }
                let body = body.into_bytes(py);
                let pending = transport.send_head(py, status, headers, body.as_bytes().len())?;
                self.unsent = Some(body.unbind());
                self.wait(py, Stage::Head, pending)
            }
        }
    }

    /// Sends the answer to a request that no route is for.
    pub(super) fn answer<'py>(
        &mut self,
        py: Python<'py>,
        status: u16,
        headers: Bound<'py, PyAny>,
        body: Bound<'py, PyBytes>,
    ) -> PyResult<Next<'py>> {
        let body = Body::Python(body.unbind());
        match headers.cast_into::<PyList>() {
            Ok(headers) => self.send(py, status, &Headers::Pairs(headers), body),
            Err(kind) => {
                let kind = kind.into_inner();
                self.send(py, status, &Headers::ContentType(kind.cast::<PyBytes>()?.as_bytes()), body)
            }
        }
    }

    /// Sends the body of a response whose head has been sent.
    pub(super) fn send_rest<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let (Transport::Asgi(transport), Some(body)) = (&self.transport, self.unsent.take()) else {
            return Ok(Next::Done);
        };
        let pending = transport.send_body(py, body.into_bound(py))?;
        self.wait(py, Stage::Sent, pending)
    }

    /// Waits for `pending`, or goes on if it is None.
    fn wait_or_go_on<'py>(&mut self, py: Python<'py>, pending: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        if pending.is_none() { self.after_sending(py) } else { self.wait(py, Stage::Sent, pending) }
    }

    /// The response is sent: background tasks run now.
    pub(super) fn after_sending<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        match self.background.take() {
            Some(background) => {
                let program = self.program(py)?;
                let reference = program.bind(py).get().reference.bind(py).clone();
                let running = reference.call_method1(intern!(py, "begin_background"), (background,))?;
                self.wait(py, Stage::Background, running)
            }
            None => self.after_reply(py),
        }
    }

    /// All is done but the end of what is open.
    pub(super) fn after_reply<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        self.replied = true;
        self.close_next(py)
    }

    /// The request is over, unless Python has not answered it.
    pub(super) fn end<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        match &self.transport {
            Transport::Http(transport) if transport.in_flight.get().is_unanswered() => {
                let nothing = self.transport.layer(py)?.getattr(intern!(py, "do_nothing"))?;
                self.delegate(py, &nothing, PyTuple::empty(py))
            }
            _ => Ok(Next::Done),
        }
    }

    /// Closes the files of the form when all else is over.
    pub(super) fn end_form<'py>(&mut self, py: Python<'py>, next: PyResult<Next<'py>>) -> PyResult<Next<'py>> {
        if let Ok(Next::Await(_)) = &next {
            return next;
        }
        self.has_form = false;
        if self.returns() {
            return next; // whoever takes the response closes them
        }
        let exchange = self.exchange(py)?;
        let closing = self.reference(py)?.call_method1(intern!(py, "close_form"), (exchange,))?;
        if closing.is_none() {
            return next;
        }
        self.end = next.err().map(|error| KeptError::new(py, &error));
        self.wait(py, Stage::Ending, closing)
    }
}

/// What is raised instead of a response that its model refuses.
fn refusal(program: &Program, result: &Bound<'_, PyAny>, error: KeptError) -> PyResult<PyErr> {
    let py = result.py();
    let arguments = (result, error.exception);
    Ok(PyErr::from_value(program.reference.bind(py).call_method1(intern!(py, "refuse_result"), arguments)?))
}
