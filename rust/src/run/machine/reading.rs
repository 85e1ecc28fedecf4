//! What a request says: its parameters, and its body.

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::{Machine, Next, Stage};
use crate::request::form::FormReader;
use crate::run::asgi::{self, Arrived};
use crate::run::door::{Content, Door};
use crate::run::program::{Body, Program};
use crate::run::reply;

impl Machine {
    pub(super) fn begin<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        if let Door::Asgi(door) = &self.door {
            match door.arrive(py) {
                Ok(Arrived::At(program)) => self.program = Some(program),
                Ok(Arrived::Elsewhere { function, arguments }) => return self.delegate(py, &function, arguments),
                Err(error) => return self.raise_in_python(py, error),
            }
        }
        let Some(program) = self.program.as_ref().map(|program| program.clone_ref(py)) else {
            return self.serve_in_python(py);
        };
        let program = program.bind(py).get();
        if program.overrides.exist(py)? {
            return self.take_long_way(py, program);
        }
        if let Some(reader) = &program.reader {
            match self.door.read(py, reader.bind(py).get())? {
                Some(groups) => self.groups.extend(groups.into_iter().map(|group| group.map(Bound::unbind))),
                None => return self.take_long_way(py, program),
            }
        }
        match &program.body {
            None => self.run_from(py, program, 0),
            Some(body) => self.read_body(py, program, body),
        }
    }

    /// Reads the body, unless it is not of the type that is expected.
    pub(super) fn read_body<'py>(&mut self, py: Python<'py>, program: &Program, body: &Body) -> PyResult<Next<'py>> {
        let fits = match body {
            Body::Json { strict, .. } => {
                self.door.header(py, b"content-type", wire::media_type::is_json)?.unwrap_or(!strict)
            }
            Body::Form { .. } => {
                let fits = |value: &[u8]| value.starts_with(b"application/x-www-form-urlencoded");
                self.door.header(py, b"content-type", fits)?.unwrap_or(false)
            }
        };
        if !fits || (matches!(body, Body::Form { .. }) && self.door.limits_forms(py)?) {
            return self.take_long_way(py, program);
        }
        match &mut self.door {
            Door::Http(door) => match &door.content {
                Content::Whole(content) => {
                    let content = content.clone_ref(py).into_bound(py);
                    self.take_body(py, program, body, &content)
                }
                Content::Empty | Content::Lost => self.take_long_way(py, program),
            },
            Door::Asgi(door) => {
                if let Some(content) = door.receive_at_once(py)? {
                    door.keep(&content);
                    return self.take_body(py, program, body, &content);
                }
                let message = door.receive(py)?;
                self.wait(py, Stage::Body, message)
            }
        }
    }

    /// Takes the first message of the body; what it is no good for goes the long way.
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
        match (&program.body, &mut self.door, asgi::whole_body(&message)?) {
            (Some(body), Door::Asgi(door), Some(content)) => {
                door.keep(&content);
                self.take_body(py, program, body, &content)
            }
            (Some(Body::Json { .. }), ..) => {
                let exchange = self.exchange(py)?;
                exchange.setattr(intern!(py, "unread"), message)?;
                let collecting = program.reference.bind(py).call_method1(intern!(py, "collect"), (exchange,))?;
                self.wait(py, Stage::Collected, collecting)
            }
            _ => {
                self.exchange(py)?.setattr(intern!(py, "unread"), message)?;
                self.take_long_way(py, program)
            }
        }
    }

    /// Takes a body that has come in several messages.
    pub(super) fn take_collected<'py>(&mut self, py: Python<'py>, content: &Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).get();
        match (&program.body, content.cast::<PyBytes>()) {
            (Some(body), Ok(content)) => self.take_body(py, program, body, content),
            _ => self.take_long_way(py, program),
        }
    }

    /// Adds what the body says to the keyword arguments of the endpoint, which is the only step.
    pub(super) fn take_body<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        body: &Body,
        content: &Bound<'py, PyBytes>,
    ) -> PyResult<Next<'py>> {
        let bytes = content.as_bytes();
        match body {
            Body::Json { name, validate, .. } => {
                if bytes.is_empty() || wire::json::has_long_number(bytes) {
                    return self.take_long_way(py, program);
                }
                match validate.bind(py).call1((content,)) {
                    Ok(value) => self.arguments(py, 0).set_item(name, value)?,
                    Err(error) if reply::is_validation_error(py, &error) => {
                        // Raises what is wrong, if that can be said of the bytes.
                        program.reference.bind(py).call_method1(intern!(py, "refuse_body"), (content, error))?;
                        return self.take_long_way(py, program);
                    }
                    Err(error) => return Err(error),
                }
            }
            Body::Form { reader, max_fields, max_part_size } => {
                let reader: &FormReader = reader.get();
                let declared = self.door.header(py, b"content-type", <[u8]>::to_vec)?.unwrap_or_default();
                let Some(found) = reader.read_body(py, &declared, bytes, *max_fields, *max_part_size)? else {
                    return self.take_long_way(py, program);
                };
                let found = found.cast_into::<PyDict>()?;
                found.update(self.arguments(py, 0).as_mapping())?;
                self.groups.clear();
                self.groups.push(Some(found.unbind()));
            }
        }
        self.run_from(py, program, 0)
    }
}
