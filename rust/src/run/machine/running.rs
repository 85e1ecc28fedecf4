//! The steps of a program: calling the user's functions, and awaiting what they return.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smallvec::SmallVec;

use super::{Machine, Next, Stage};
use crate::py;
use crate::run::door::Door;
use crate::run::program::{Action, Program, Step};

impl Machine {
    /// Runs the steps from the `index`-th on.
    pub(super) fn run_from<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        mut index: usize,
    ) -> PyResult<Next<'py>> {
        loop {
            let Some(step) = program.steps.get(index) else { return Ok(Next::Done) };
            index = index.saturating_add(1);
            let is_endpoint = index == program.steps.len();
            if !is_endpoint && std::mem::take(&mut self.unchecked) && program.overrides.exist(py)? {
                return self.go_on_in_python(py, program);
            }
            match &step.action {
                Action::Same(other) => {
                    let result = self.results.get(*other).map(|result| result.clone_ref(py));
                    self.results.extend(result);
                }
                Action::Credentials { header, scheme } => {
                    let token = match scheme {
                        Some(scheme) => self.door.token(py, header, scheme)?,
                        None => None,
                    };
                    let credentials = match token {
                        Some(token) => token.into_any(),
                        None => step.call.bind(py).call1((self.door.header_text(py, header)?,))?,
                    };
                    self.results.push(credentials.unbind());
                }
                Action::Call | Action::Thread => {
                    let made = self.call(py, step)?;
                    return self.wait(py, Stage::Result, made);
                }
                Action::Context if self.open.is_empty() && self.is_in_cancel_scope(py, program)? => {
                    return self.go_on_in_python(py, program);
                }
                Action::Context => {
                    let made = self.call(py, step)?;
                    let entering = if py::is_async_generator(&made) {
                        made.call_method0(intern!(py, "__anext__"))?
                    } else {
                        made.call_method0(intern!(py, "__aenter__"))?
                    };
                    self.open.push(made.unbind());
                    self.stage = Stage::Entered;
                    return Ok(Next::Await(entering));
                }
            }
        }
    }

    /// Whether a cancel scope is around the request, which Python keeps from cutting exit code short.
    fn is_in_cancel_scope(&self, py: Python<'_>, program: &Program) -> PyResult<bool> {
        match &self.door {
            Door::Http(_) => Ok(false), // it has a task of its own
            Door::Asgi(_) => program.reference.bind(py).call_method0(intern!(py, "in_cancel_scope"))?.is_truthy(),
        }
    }

    /// Calls what a step calls.
    pub(super) fn call<'py>(&mut self, py: Python<'py>, step: &Step) -> PyResult<Bound<'py, PyAny>> {
        let call = step.call.bind(py);
        let index = self.results.len();
        if !step.reads && step.specials.is_empty() {
            if step.feeders.is_empty() {
                return call.call0();
            }
            let values: SmallVec<[Bound<'py, PyAny>; 8]> = self.fed(py, step).collect();
            return py::call_named(call, &values, step.fed.bind(py));
        }
        if step.feeders.is_empty() && step.specials.is_empty() {
            return call.call((), Some(&self.arguments(py, index)));
        }
        // In the order in which FastAPI gives them.
        let arguments = PyDict::new(py);
        for (name, value) in step.fed.bind(py).iter().zip(self.fed(py, step)) {
            arguments.set_item(name, value)?;
        }
        if step.reads {
            arguments.update(self.arguments(py, index).as_mapping())?;
        }
        for (name, get) in &step.specials {
            let exchange = self.exchange(py)?;
            arguments.set_item(name, get.bind(py).call1((exchange,))?)?;
        }
        call.call((), Some(&arguments))
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
        let next = self.results.len().saturating_add(1);
        if next == program.steps.len() {
            return self.reply(py, program, &result);
        }
        self.results.push(result.unbind());
        self.unchecked = true;
        self.run_from(py, program, next)
    }
}
