//! The steps of a program: calling the user's functions, and awaiting what they return.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smallvec::SmallVec;

use super::values::Values;
use super::{Machine, Next, Stage};
use crate::py;
use crate::run::program::{Action, Program, Step};
use crate::run::transport::Transport;

impl Machine {
    /// Runs the steps from the next one on.
    pub(super) fn run<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Next<'py>> {
        loop {
            let index = self.results.len();
            let Some(step) = program.steps.get(index) else { return Ok(Next::Done) };
            let is_endpoint = index.saturating_add(1) == program.steps.len();
            if program.before_body > 0
                && index == program.before_body
                && !self.solves()
                && !std::mem::replace(&mut self.is_past_body, true)
                && let Some(body) = &program.body
            {
                if self.errors.is_some() {
                    return Err(self.refusal(py, program)?);
                }
                self.trace_end(py, None)?;
                return self.read_body(py, program, body);
            }
            if !is_endpoint && std::mem::take(&mut self.unchecked) && program.overrides.differ(py)? {
                let other = self.replan(py, program)?;
                return self.run(py, other.get());
            }
            let mut is_valid = true;
            if step.is_late || step.fields.is_some() || (step.has_params && !self.is_read) {
                match self.complete_values(py, program, step)? {
                    Values::Ready => {}
                    Values::Invalid => is_valid = false,
                    Values::Pending(next) => return Ok(next),
                }
            }
            if let Some(next) = self.take_step(py, program, step, is_valid)? {
                return Ok(next);
            }
        }
    }

    /// Runs the step whose keyword arguments were waited for, and those behind it.
    pub(super) fn run_step<'py>(&mut self, py: Python<'py>, program: &Program, is_valid: bool) -> PyResult<Next<'py>> {
        let Some(step) = program.steps.get(self.results.len()) else { return Ok(Next::Done) };
        match self.take_step(py, program, step, is_valid)? {
            Some(next) => Ok(next),
            None => self.run(py, program),
        }
    }

    /// Runs a step; answers what is to be waited for, None if it is done. One that can't run has failed, and has None as its result.
    fn take_step<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        step: &Step,
        is_valid: bool,
    ) -> PyResult<Option<Next<'py>>> {
        let index = self.results.len();
        let is_endpoint = index.saturating_add(1) == program.steps.len();
        if is_endpoint && self.solves() {
            return self.return_solved(py, step).map(Some);
        }
        if is_endpoint {
            self.trace_endpoint(py, program, step)?;
        }
        if self.errors.is_some() {
            if is_endpoint {
                return Err(self.refusal(py, program)?);
            }
            if !is_valid || step.children.iter().any(|child| self.failed.contains(child)) {
                self.failed.push(index);
                self.results.push(py.None());
                return Ok(None);
            }
        }
        if let Some(same) = step.same
            && !self.failed.contains(&same)
        {
            let result = self.results.get(same).map(|result| result.clone_ref(py));
            self.results.extend(result);
            return Ok(None);
        }
        if self.take_from_cache(py, program)? {
            return Ok(None);
        }
        if step.hop.is_some()
            && let Some(next) = self.hop(py, program)?
        {
            return Ok(Some(next));
        }
        match &step.action {
            Action::Credentials { header, scheme } => {
                let token = match scheme {
                    Some(scheme) => self.transport.token(py, header, scheme)?,
                    None => None,
                };
                let credentials = match token {
                    Some(token) => token.into_any(),
                    None => step.call.bind(py).call1((self.transport.header_text(py, header)?,))?,
                };
                self.put_into_cache(py, program, &credentials)?;
                self.results.push(credentials.unbind());
                Ok(None)
            }
            Action::Call | Action::Thread => {
                let made = self.call(py, step)?;
                self.wait(py, Stage::Result, made).map(Some)
            }
            Action::Make => {
                let made = self.call(py, step)?;
                self.take_result(py, made).map(Some)
            }
            Action::Context if self.returns() => self.enter_on_stack(py, program, step).map(Some),
            Action::Context => {
                if self.open.is_empty() && self.function_open.is_empty() && self.is_in_cancel_scope(py, program)? {
                    self.enter_shield(py, program)?;
                }
                self.enter(py, program, step).map(Some)
            }
        }
    }

    /// Whether a cancel scope is around the request, which Python keeps from cutting exit code short.
    pub(super) fn is_in_cancel_scope(&self, py: Python<'_>, program: &Program) -> PyResult<bool> {
        match &self.transport {
            Transport::Http(_) => Ok(false), // it has a task of its own
            Transport::Asgi(_) | Transport::Given(_) => {
                program.reference.bind(py).call_method0(intern!(py, "in_cancel_scope"))?.is_truthy()
            }
        }
    }

    /// Calls what a step calls.
    pub(super) fn call<'py>(&mut self, py: Python<'py>, step: &Step) -> PyResult<Bound<'py, PyAny>> {
        let call = step.call.bind(py);
        let index = self.results.len();
        let has_arguments = step.has_params || step.fields.is_some();
        if !has_arguments && step.specials.is_empty() {
            if step.feeders.is_empty() {
                return call.call0();
            }
            let values: SmallVec<[Bound<'py, PyAny>; 8]> = self.fed(py, step).collect();
            return py::call_named(call, &values, step.fed.bind(py));
        }
        if step.feeders.is_empty() && step.specials.is_empty() {
            return call.call((), Some(&self.arguments(py, index)));
        }
        call.call((), Some(&self.all_arguments(py, step)?))
    }

    /// All keyword arguments of the step whose turn it is, in the order in which FastAPI gives them. Results of steps that have failed
    /// are not among them.
    pub(super) fn all_arguments<'py>(&mut self, py: Python<'py>, step: &Step) -> PyResult<Bound<'py, PyDict>> {
        let arguments = PyDict::new(py);
        let given = step.fed.bind(py).iter().zip(&step.feeders).zip(self.fed(py, step));
        for ((name, feeder), value) in given {
            if !self.failed.contains(feeder) {
                arguments.set_item(name, value)?;
            }
        }
        if step.has_params || step.fields.is_some() {
            arguments.update(self.arguments(py, self.results.len()).as_mapping())?;
        }
        for (name, get) in &step.specials {
            let exchange = self.exchange(py)?;
            arguments.set_item(name, get.bind(py).call1((exchange,))?)?;
        }
        Ok(arguments)
    }

    /// The results that are keyword arguments of a step.
    pub(super) fn fed<'py>(&self, py: Python<'py>, step: &Step) -> impl Iterator<Item = Bound<'py, PyAny>> {
        step.feeders
            .iter()
            .filter_map(move |&feeder| self.results.get(feeder))
            .map(move |result| result.bind(py).clone())
    }

    /// The keyword arguments that were read for a step.
    pub(super) fn arguments<'py>(&mut self, py: Python<'py>, index: usize) -> Bound<'py, PyDict> {
        while self.groups.len() <= index {
            self.groups.push(None);
        }
        match self.groups.get_mut(index) {
            Some(group) => group.get_or_insert_with(|| PyDict::new(py).unbind()).bind(py).clone(),
            None => PyDict::new(py),
        }
    }

    /// Goes on with the result of a step, or with the endpoint's.
    pub(super) fn take_result<'py>(&mut self, py: Python<'py>, result: Bound<'py, PyAny>) -> PyResult<Next<'py>> {
        let program = self.program(py)?;
        let program = program.bind(py).get();
        if self.results.len().saturating_add(1) == program.steps.len() {
            if self.tracer.is_some() {
                return self.reply_traced(py, program, &result);
            }
            if self.returns() {
                return self.return_response(py, program, &result);
            }
            return self.reply(py, program, &result);
        }
        self.put_into_cache(py, program, &result)?;
        self.results.push(result.unbind());
        self.unchecked = true;
        self.run(py, program)
    }
}
