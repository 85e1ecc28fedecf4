//! What a request says: its parameters, and its body.

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::{Machine, Next, Stage};
use crate::py::KeptError;
use crate::request::form::FormReader;
use crate::run::asgi::{self, Arrived};
use crate::run::program::{Body, Json, Model, Program};
use crate::run::reply;
use crate::run::transport::{Content, Transport};

impl Machine {
    pub(super) fn begin<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        if let (Transport::Asgi(transport), None) = (&mut self.transport, &self.program) {
            match transport.arrive(py) {
                Ok(Arrived::At(program)) => self.program = Some(program),
                Ok(Arrived::Answered { status, headers, body }) => return self.answer(py, status, headers, body),
                Ok(Arrived::Elsewhere { function, arguments }) => return self.delegate(py, &function, arguments),
                Err(error) => return self.raise_in_python(py, error),
            }
        }
        let Some(program) = self.program.as_ref().map(|program| program.clone_ref(py)) else {
            return self.serve_in_python(py);
        };
        let program = program.bind(py).get();
        if program.overrides.differ(py)? {
            let other = program.reference.bind(py).call_method0(intern!(py, "overridden"))?.cast_into::<Program>()?;
            self.program = Some(other.clone().unbind());
            return self.begin_program(py, other.get());
        }
        self.begin_program(py, program)
    }

    /// Reads what a program wants to know before any of its steps.
    fn begin_program<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Next<'py>> {
        if let Some(counts) = program.counts.as_ref().filter(|_| !self.solves()) {
            counts.bind(py).call0()?;
        }
        if program.is_handler {
            self.tracer = None;
            self.open_stacks(py, program)?;
        }
        self.trace_start(py)?;
        match &program.body {
            Some(body) if program.before_body == 0 && !self.solves() => self.read_body(py, program, body),
            _ => self.run_program(py, program),
        }
    }

    /// Reads the parameters, and runs the steps.
    fn run_program<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Next<'py>> {
        if self.tracer.is_some() {
            self.trace_dependencies(py, program)?;
        }
        if self.is_past_body {
            return self.run(py, program); // which were read before the body was
        }
        if let Some(reader) = &program.reader {
            match self.transport.read(py, reader)? {
                // What a plain form had for a step is there already.
                Some(groups) if self.groups.is_empty() => {
                    self.groups.extend(groups.into_iter().map(|group| group.map(Bound::unbind)));
                }
                Some(groups) => {
                    for (index, group) in groups.into_iter().enumerate() {
                        // What is from the body comes last.
                        if let Some(group) = group {
                            let from_body = self.arguments(py, index);
                            group.update(from_body.as_mapping())?;
                            if let Some(place) = self.groups.get_mut(index) {
                                *place = Some(group.unbind());
                            }
                        }
                    }
                }
                None => self.is_read = false,
            }
        }
        self.run(py, program)
    }

    /// Reads the body: one that is of no use to the program is taken as it is.
    pub(super) fn read_body<'py>(&mut self, py: Python<'py>, program: &Program, body: &Body) -> PyResult<Next<'py>> {
        if self.is_past_body && self.exchange.is_some() {
            return self.read_in_python(py, program, body, None); // by the request object, if there is one
        }
        if let Body::Form { plain } = body {
            let is_urlencoded = |value: &[u8]| value.starts_with(b"application/x-www-form-urlencoded");
            let is_plain = plain.is_some()
                && self.transport.header(py, b"content-type", is_urlencoded)?.unwrap_or(false)
                && !self.transport.limits_forms(py)?;
            if !is_plain {
                return self.read_form(py, program);
            }
        }
        match &mut self.transport {
            Transport::Http(transport) => match &transport.content {
                Content::Whole(content) => {
                    let content = content.clone_ref(py).into_bound(py);
                    self.take_body(py, program, body, &content)
                }
                Content::Empty => self.take_body(py, program, body, &PyBytes::new(py, b"")),
                Content::Lost => self.read_in_python(py, program, body, None),
            },
            Transport::Given(transport) => {
                if let Some(content) = transport.content(py)? {
                    return self.take_body(py, program, body, &content);
                }
                match transport.receive(py)? {
                    Some(message) => self.wait(py, Stage::Body, message),
                    None => self.read_in_python(py, program, body, None),
                }
            }
            Transport::Asgi(transport) => {
                if let Some(content) = transport.receive_at_once(py)? {
                    transport.keep(&content);
                    return self.take_body(py, program, body, &content);
                }
                let message = transport.receive(py)?;
                self.wait(py, Stage::Body, message)
            }
        }
    }

    /// Lets Python read a form, without waiting if all of it is here.
    fn read_form<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Next<'py>> {
        let reference = program.reference.bind(py);
        let exchange = self.exchange(py)?;
        self.has_form = true;
        let form = reference.call_method1(intern!(py, "form_at_once"), (&exchange,))?;
        if !form.is_none() {
            return self.take_form(py, form);
        }
        let reading = reference.call_method1(intern!(py, "read_form"), (exchange,))?;
        self.wait(py, Stage::Form, reading)
    }

    /// Takes a form that Python has read.
    pub(super) fn take_form<'py>(&mut self, py: Python<'py>, form: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        self.body = Some(form.unbind());
        self.run_program(py, program.bind(py).get())
    }

    /// Takes the first message of the body.
    pub(super) fn take_message<'py>(
        &mut self,
        py: Python<'py>,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).get();
        let message = match outcome {
            Ok(message) => message,
            Err(error) if error.is_instance_of::<PyException>(py) => {
                let unreadable = program.reference.bind(py).call_method1(intern!(py, "unreadable"), (error,))?;
                return Err(PyErr::from_value(unreadable));
            }
            Err(error) => return Err(error),
        };
        match (&program.body, &mut self.transport, asgi::whole_body(&message, intern!(py, "http.request"))?) {
            (Some(body), Transport::Asgi(transport), Some(content)) => {
                transport.keep(&content);
                self.take_body(py, program, body, &content)
            }
            (Some(body), Transport::Given(transport), Some(content)) => {
                transport.keep(&content)?;
                self.take_body(py, program, body, &content)
            }
            (Some(body), ..) => self.read_in_python(py, program, body, Some(message)),
            (None, ..) => self.run_program(py, program),
        }
    }

    /// Lets Python read a body, of which this is the first message if that has come.
    fn read_in_python<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        body: &Body,
        message: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Next<'py>> {
        let exchange = self.exchange(py)?;
        if let Some(message) = message {
            exchange.setattr(intern!(py, "unread"), message)?;
        }
        if let Body::Form { .. } = body {
            return self.read_form(py, program);
        }
        let collecting = program.reference.bind(py).call_method1(intern!(py, "collect"), (exchange,))?;
        self.wait(py, Stage::Collected, collecting)
    }

    /// Takes a body that has come in several messages.
    pub(super) fn take_collected<'py>(&mut self, py: Python<'py>, content: &Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).get();
        match &program.body {
            Some(body) => self.take_body(py, program, body, content.cast::<PyBytes>()?),
            None => self.run_program(py, program),
        }
    }

    /// Takes the whole body.
    fn take_body<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        body: &Body,
        content: &Bound<'py, PyBytes>,
    ) -> PyResult<Next<'py>> {
        match body {
            Body::Json(json) => {
                if content.as_bytes().is_empty() {
                    return self.run_program(py, program);
                }
                // An empty one says nothing.
                let says_json = |value: &[u8]| (!value.is_empty()).then(|| wire::media_type::is_json(value));
                if self.transport.header(py, b"content-type", says_json)?.flatten().unwrap_or(!json.strict) {
                    self.take_json(py, program, json, content)?;
                } else {
                    self.body = Some(content.clone().into_any().unbind());
                }
                self.run_program(py, program)
            }
            Body::Form { plain: Some(plain) } => {
                let reader: &FormReader = plain.reader.get();
                let declared = self.transport.header(py, b"content-type", <[u8]>::to_vec)?.unwrap_or_default();
                let bytes = content.as_bytes();
                match reader.read_body(py, &declared, bytes, plain.max_fields, plain.max_part_size)? {
                    Some(found) => {
                        self.source = Some(content.clone().unbind());
                        self.arguments(py, plain.step).update(found.cast::<PyDict>()?.as_mapping())?;
                        self.run_program(py, program)
                    }
                    None => self.read_form(py, program),
                }
            }
            Body::Form { plain: None } => self.read_form(py, program),
        }
    }

    /// Takes what a JSON body says.
    fn take_json(
        &mut self,
        py: Python<'_>,
        program: &Program,
        json: &Json,
        content: &Bound<'_, PyBytes>,
    ) -> PyResult<()> {
        let size = content.as_bytes().len();
        let is_large = size > json.large;
        if is_large {
            self.large = size;
        }
        let has_long_number = wire::json::has_long_number(content.as_bytes());
        if let Some(model) = &json.model
            && !has_long_number
            && (size <= json.held || model.large.is_none())
            && self.take_model(py, program, model, is_large, content)?
        {
            return Ok(());
        }
        // What the quick parser refuses, the standard library's has the last word on.
        let parsed = if has_long_number { None } else { json.from_json.bind(py).call1((content,)).ok() };
        let parsed = match parsed {
            Some(parsed) => parsed,
            None => program.reference.bind(py).call_method1(intern!(py, "parse"), (content,))?,
        };
        self.body = Some(parsed.unbind());
        Ok(())
    }

    /// Takes the one model that a JSON body is. Answers whether nothing else has to be asked.
    fn take_model(
        &mut self,
        py: Python<'_>,
        program: &Program,
        model: &Model,
        is_large: bool,
        content: &Bound<'_, PyBytes>,
    ) -> PyResult<bool> {
        let large = model.large.as_ref().filter(|_| is_large);
        match large.unwrap_or(&model.validate).bind(py).call1((content,)) {
            Ok(value) => self.arguments(py, model.step).set_item(&model.name, value)?,
            Err(error) if !reply::is_validation_error(py, &error) => return Err(error),
            Err(_) if large.is_some() => return Ok(false),
            Err(error) => {
                let reference = program.reference.bind(py);
                if !reference.call_method1(intern!(py, "is_refused_from_json"), (&error,))?.is_truthy()? {
                    return Ok(false);
                }
                self.refused = Some(KeptError::new(py, &error));
            }
        }
        self.source = Some(content.clone().unbind());
        Ok(true)
    }
}
