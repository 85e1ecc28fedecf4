//! The keyword arguments of a step that are validated when its turn comes. What is wrong with them is noted, not raised: the request
//! is refused when all its mistakes are known.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyString};

use super::{Machine, Next, Stage};
use crate::py::attribute;
use crate::run::program::{Body, Field, Fields, Program, Step};
use crate::run::reply;

/// Whether a step has its keyword arguments.
pub(super) enum Values<'py> {
    Ready,
    /// There are mistakes in them, which have been noted.
    Invalid,
    /// They are ready when this has come to its end.
    Pending(Next<'py>),
}

impl Machine {
    /// Sees to the keyword arguments of the step whose turn it is.
    pub(super) fn complete_values<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        step: &Step,
    ) -> PyResult<Values<'py>> {
        let index = self.results.len();
        let mut is_valid = true;
        if step.has_params && (step.is_late || !self.is_read) {
            let exchange = self.exchange(py)?;
            let found = program.reference.bind(py).call_method1(intern!(py, "parameters"), (exchange, index))?;
            // They come before what has been read of the body.
            let arguments = self.arguments(py, index);
            let of_body = arguments.copy()?;
            arguments.clear();
            is_valid = self.take_values(py, index, &found)?;
            arguments.update(of_body.as_mapping())?;
        }
        let Some(fields) = step.fields.as_ref().filter(|_| !self.early.contains(&index)) else {
            return Ok(if is_valid { Values::Ready } else { Values::Invalid });
        };
        match &program.body {
            _ if self.solves() => {
                let body = self.body.as_ref().map(|body| body.clone_ref(py));
                let finding = program.reference.bind(py).call_method1(intern!(py, "body_values"), (index, body))?;
                return self.wait_for_values(py, is_valid, finding);
            }
            Some(Body::Form { .. }) if self.has_form && self.validate_form(py, index, fields)? => {}
            Some(Body::Form { .. }) if self.has_form => {
                let form = self.body.as_ref().map(|form| form.clone_ref(py));
                let reading = program.reference.bind(py).call_method1(intern!(py, "body_values"), (index, form))?;
                return self.wait_for_values(py, is_valid, reading);
            }
            // What was read from a plain form has been there since.
            Some(Body::Form { .. }) => {}
            Some(Body::Json(_)) if self.large > 0 && self.source.is_none() => {
                // Whoever takes the exception itself, or follows the request, is told everything.
                let tells_all = self.returns() || self.tracer.is_some();
                let handlers = if tells_all { None } else { Some(self.transport.handlers(py)?) };
                let arguments = (index, handlers, self.body.as_ref(), self.large);
                let finding = program.reference.bind(py).call_method1(intern!(py, "large_values"), arguments)?;
                return self.wait_for_values(py, is_valid, finding);
            }
            Some(Body::Json(_)) if self.source.is_some() => {
                is_valid &= self.complete_model(py, program)?;
            }
            _ => is_valid &= self.validate_fields(py, program, index, fields)?,
        }
        Ok(if is_valid { Values::Ready } else { Values::Invalid })
    }

    /// Waits for keyword arguments from the body, which Python validates. Whether the others of the step are valid is kept.
    fn wait_for_values<'py>(
        &mut self,
        py: Python<'py>,
        is_valid: bool,
        finding: Bound<'py, PyAny>,
    ) -> PyResult<Values<'py>> {
        if !is_valid {
            self.failed.push(self.results.len());
        }
        self.wait(py, Stage::BodyValues, finding).map(Values::Pending)
    }

    /// The one model in the body, whose bytes have been validated: it is among the arguments, or there are mistakes in it.
    fn complete_model(&mut self, py: Python<'_>, program: &Program) -> PyResult<bool> {
        let Some(error) = self.refused.take() else { return Ok(true) };
        let error = error.into_error_as_it_was(py);
        let errors = program.reference.bind(py).call_method1(intern!(py, "field_errors"), (py.None(), error))?;
        self.note_errors(py, &errors)?;
        Ok(false)
    }

    /// Validates what the body says for a step, in the order of declaration.
    fn validate_fields(&mut self, py: Python<'_>, program: &Program, index: usize, fields: &Fields) -> PyResult<bool> {
        let options = [(intern!(py, "from_attributes"), true)].into_py_dict(py)?;
        let reference = program.reference.bind(py);
        let body = self.body.as_ref().map(|body| body.bind(py).clone());
        let mut is_valid = true;
        for field in &fields.list {
            let (key, received) = match &body {
                Some(body) if fields.is_whole => (None, Some(body.clone())),
                Some(body) => match body.cast::<PyDict>() {
                    Ok(object) => found_in(object, field)?,
                    Err(_) if body.is_instance_of::<PyBytes>() => (None, None),
                    Err(_) => {
                        // JSON, but no object that could have keys.
                        let errors = reference.call_method1(intern!(py, "without_key"), (&field.field,))?;
                        self.note_errors(py, &errors)?;
                        is_valid = false;
                        continue;
                    }
                },
                None => (None, None),
            };
            let Some(received) = received else {
                is_valid &= self.settle_absent(py, program, index, field, fields.is_whole)?;
                continue;
            };
            match field.validate.bind(py).call((received,), Some(&options)) {
                Ok(value) => self.arguments(py, index).set_item(&field.name, value)?,
                Err(error) if reply::is_validation_error(py, &error) => {
                    let errors = reference.call_method1(intern!(py, "field_errors"), (key, error))?;
                    self.note_errors(py, &errors)?;
                    is_valid = false;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(is_valid)
    }

    /// Validates what the body says for a step whose turn has not come. Answers no if anything is missing or wrong: then it is
    /// validated again when its turn comes, and the mistakes are noted.
    pub(super) fn validate_early(&mut self, py: Python<'_>, index: usize, fields: &Fields) -> PyResult<bool> {
        if self.early.contains(&index) {
            return Ok(true);
        }
        let Some(body) = self.body.as_ref().map(|body| body.bind(py).clone()) else { return Ok(false) };
        let options = [(intern!(py, "from_attributes"), true)].into_py_dict(py)?;
        let found = PyDict::new(py);
        for field in &fields.list {
            let received = match body.cast::<PyDict>() {
                _ if fields.is_whole => Some(body.clone()),
                Ok(object) => found_in(object, field)?.1,
                Err(_) => None,
            };
            let Some(received) = received else { return Ok(false) };
            match field.validate.bind(py).call((received,), Some(&options)) {
                Ok(value) => found.set_item(&field.name, value)?,
                Err(error) if reply::is_validation_error(py, &error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.arguments(py, index).update(found.as_mapping())?;
        self.early.push(index);
        Ok(true)
    }

    /// Validates the parts of a form for a step, in one call. Answers no if that can't be done, or anything is missing or wrong.
    pub(super) fn validate_form(&mut self, py: Python<'_>, index: usize, fields: &Fields) -> PyResult<bool> {
        if self.early.contains(&index) {
            return Ok(true);
        }
        let (Some(reader), Some(form)) = (&fields.form, &self.body) else { return Ok(false) };
        let parts = attribute(form.bind(py), intern!(py, "_list"))?.and_then(|parts| parts.cast_into::<PyList>().ok());
        let Some(parts) = parts else { return Ok(false) };
        let Some(found) = reader.get().read(&parts)? else { return Ok(false) };
        self.arguments(py, index).update(found.cast::<PyDict>()?.as_mapping())?;
        self.early.push(index);
        Ok(true)
    }

    /// Settles what it means that a field is not in the body: its default, or a mistake.
    fn settle_absent(
        &mut self,
        py: Python<'_>,
        program: &Program,
        index: usize,
        field: &Field,
        is_whole: bool,
    ) -> PyResult<bool> {
        let found = program.reference.bind(py).call_method1(intern!(py, "absent"), (&field.field, is_whole))?;
        let (value, errors): (Bound<'_, PyAny>, Bound<'_, PyList>) = found.extract()?;
        if errors.is_empty() {
            self.arguments(py, index).set_item(&field.name, value)?;
            return Ok(true);
        }
        self.note_errors(py, &errors)?;
        Ok(false)
    }

    /// Takes what Python found for a step: keyword arguments, and mistakes. Answers whether there are none of the latter.
    fn take_values(&mut self, py: Python<'_>, index: usize, found: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (values, errors): (Bound<'_, PyDict>, Bound<'_, PyList>) = found.extract()?;
        self.arguments(py, index).update(values.as_mapping())?;
        if errors.is_empty() {
            return Ok(true);
        }
        self.note_errors(py, &errors)?;
        Ok(false)
    }

    /// Goes on with the keyword arguments that Python has validated.
    pub(super) fn take_body_values<'py>(&mut self, py: Python<'py>, found: &Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let index = self.results.len();
        let failed_before = self.failed.last() == Some(&index);
        if failed_before {
            self.failed.pop();
        }
        let is_valid = self.take_values(py, index, found)? && !failed_before;
        let program = self.program(py)?;
        self.run_step(py, program.bind(py).get(), is_valid)
    }

    fn note_errors(&mut self, py: Python<'_>, errors: &Bound<'_, PyAny>) -> PyResult<()> {
        let noted = self.errors.get_or_insert_with(|| PyList::empty(py).unbind()).bind(py);
        for error in errors.try_iter()? {
            noted.append(error?)?;
        }
        Ok(())
    }

    /// What to raise for the mistakes in a request, when they are all known.
    pub(super) fn refusal(&mut self, py: Python<'_>, program: &Program) -> PyResult<PyErr> {
        self.trace_refusal(py)?;
        let size = self.transport.body_size(py)?;
        let parts = (self.errors.take(), self.body.as_ref(), self.source.as_ref(), size);
        Ok(PyErr::from_value(program.reference.bind(py).call_method1(intern!(py, "invalid"), parts)?))
    }

    /// The value in the body, for Python, which goes on with it.
    pub(super) fn parsed_body<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        match (&self.body, &self.source) {
            (Some(body), _) => Ok(Some(body.bind(py).clone())),
            (None, Some(source)) => program.reference.bind(py).call_method1(intern!(py, "parse"), (source,)).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A key and what is under it, if anything.
type Found<'py> = (Option<Bound<'py, PyString>>, Option<Bound<'py, PyAny>>);

/// The preferred key and value of a field in an object; no value if it has none of the keys.
fn found_in<'py>(object: &Bound<'py, PyDict>, field: &Field) -> PyResult<Found<'py>> {
    for key in &field.keys {
        if let Some(value) = object.get_item(key)? {
            return Ok((Some(key.bind(object.py()).clone()), Some(value)));
        }
    }
    Ok((None, None))
}
