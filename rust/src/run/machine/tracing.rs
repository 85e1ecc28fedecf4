//! What is told of the steps of a request to somebody who follows it.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{Machine, Next, Stage};
use crate::run::program::{Action, Program, Step};

/// Who follows a request: `ferrapi.serve.tracer.Tracer`.
pub(super) struct Tracer {
    tracer: Py<PyAny>,
    /// The context of the step that has begun, and not come to its end.
    step: Option<Py<PyAny>>,
    /// Whether the body was read, or there is none.
    is_read: bool,
}

impl Tracer {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tracer)?;
        visit.call(&self.step)
    }
}

impl Machine {
    /// Takes who follows the request, if anybody does.
    pub(in crate::run) fn take_tracer(&mut self, exchange: &Bound<'_, PyAny>) -> PyResult<()> {
        let tracer: Option<Py<PyAny>> = exchange.getattr(intern!(exchange.py(), "tracer"))?.extract()?;
        self.tracer = tracer.map(|tracer| Box::new(Tracer { tracer, step: None, is_read: false }));
        Ok(())
    }

    /// The request begins.
    pub(super) fn trace_start(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(tracer) = self.tracer.as_ref().map(|tracer| tracer.tracer.clone_ref(py)) else { return Ok(()) };
        let exchange = self.exchange(py)?;
        tracer.bind(py).call_method1(intern!(py, "started"), (exchange,)).map(drop)
    }

    /// The dependencies are about to be run: those that need no body, or the others, for which it has been read.
    pub(super) fn trace_dependencies(&mut self, py: Python<'_>, program: &Program) -> PyResult<()> {
        if program.before_body == 0 || self.is_past_body {
            let body = self.parsed_body(py, program)?;
            if let Some(tracer) = &mut self.tracer {
                tracer.is_read = true;
                tracer.tracer.bind(py).call_method1(intern!(py, "read"), (body,))?;
            }
        }
        self.trace_begin(py, program, "dependencies")
    }

    /// The endpoint is about to be called, if there are no mistakes in the request.
    pub(super) fn trace_endpoint(&mut self, py: Python<'_>, program: &Program, step: &Step) -> PyResult<()> {
        let Some(tracer) = self.tracer.as_ref().map(|tracer| tracer.tracer.clone_ref(py)) else { return Ok(()) };
        let arguments = self.all_arguments(py, step)?;
        // FastAPI says so of a body that is wrong as a whole.
        for field in step.fields.iter().filter(|fields| fields.is_whole).flat_map(|fields| &fields.list) {
            if !arguments.contains(&field.name)? {
                arguments.set_item(&field.name, py.None())?;
            }
        }
        let errors = self.errors.as_ref().map_or_else(|| PyList::empty(py), |errors| errors.bind(py).clone());
        tracer.bind(py).call_method1(intern!(py, "solved"), (arguments, errors))?;
        self.trace_end(py, None)?;
        // What yields only begins when its response is sent: that is no step.
        if self.errors.is_some() || matches!(step.action, Action::Make) {
            return Ok(());
        }
        self.trace_begin(py, program, "endpoint")
    }

    /// The request is refused.
    pub(super) fn trace_refusal(&mut self, py: Python<'_>) -> PyResult<()> {
        self.trace_end(py, None)?;
        match (&self.tracer, &self.errors) {
            (Some(tracer), Some(errors)) => {
                tracer.tracer.bind(py).call_method1(intern!(py, "refused"), (errors,)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Something has raised an exception.
    pub(super) fn trace_failure(&mut self, py: Python<'_>, error: &PyErr) -> PyResult<()> {
        self.trace_end(py, Some(error))?;
        let Some(tracer) = &mut self.tracer else { return Ok(()) };
        if !std::mem::replace(&mut tracer.is_read, true) {
            let tracer = tracer.tracer.clone_ref(py);
            self.reference(py)?.call_method1(intern!(py, "tell_unread"), (tracer, error.value(py)))?;
        }
        Ok(())
    }

    /// Lets Python make the response to what the endpoint has returned.
    pub(super) fn reply_traced<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        result: &Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        self.trace_end(py, None)?;
        let exchange = self.exchange(py)?;
        let tracer = self.tracer.as_ref().map(|tracer| tracer.tracer.clone_ref(py));
        let making =
            program.reference.bind(py).call_method1(intern!(py, "traced_response"), (exchange, result, tracer))?;
        self.wait(py, if self.returns() { Stage::Returned } else { Stage::Responded }, making)
    }

    /// A step begins.
    fn trace_begin(&mut self, py: Python<'_>, program: &Program, name: &str) -> PyResult<()> {
        let Some(tracer) = &mut self.tracer else { return Ok(()) };
        let endpoint = program.reference.bind(py).getattr(intern!(py, "endpoint"))?;
        let step = tracer.tracer.bind(py).call_method1(intern!(py, "step"), (name, endpoint))?;
        step.call_method0(intern!(py, "__enter__"))?;
        tracer.step = Some(step.unbind());
        Ok(())
    }

    /// A step has come to its end, with or without an exception.
    pub(super) fn trace_end(&mut self, py: Python<'_>, error: Option<&PyErr>) -> PyResult<()> {
        let Some(step) = self.tracer.as_mut().and_then(|tracer| tracer.step.take()) else { return Ok(()) };
        let step = step.bind(py);
        match error {
            None => step.call_method1(intern!(py, "__exit__"), (py.None(), py.None(), py.None())).map(drop),
            Some(error) => {
                let parts = (error.get_type(py), error.value(py), error.traceback(py));
                step.call_method1(intern!(py, "__exit__"), parts).map(drop)
            }
        }
    }
}
