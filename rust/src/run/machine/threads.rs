//! Synchronous callables: hops to worker threads, and back.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{Machine, Next, Outcome, Stage};
use crate::py;
use crate::run::hop::{Arguments, Hop, Work};
use crate::run::program::{Body, Json, Program, Step, Threaded};

impl Machine {
    /// Begins a hop that the next step and those behind it take part in; None if they run in another way.
    pub(super) fn hop<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Option<Next<'py>>> {
        let Some((end, enters)) = self.end_of_hop(py, program)? else { return Ok(None) };
        if self.returns() || self.tracer.is_some() || self.is_in_cancel_scope(py, program)? {
            return Ok(None);
        }
        let mut arguments = Vec::new();
        for (index, step) in program.steps.iter().enumerate().take(end).skip(self.results.len()) {
            let read = if step.same.is_none() && (step.has_params || step.fields.is_some()) {
                Some(self.arguments(py, index).unbind())
            } else {
                None
            };
            let mut specials = Vec::new();
            for (name, get) in step.specials.iter().filter(|_| step.same.is_none()) {
                let exchange = self.exchange(py)?;
                specials.push((name.clone_ref(py), get.bind(py).call1((exchange,))?.unbind()));
            }
            arguments.push(Arguments { read, specials });
        }
        let results = std::mem::take(&mut self.results).into_vec();
        let hop = Bound::new(py, Hop::new(Work { program: self.program(py)?, results, arguments }))?;
        let run = if enters { intern!(py, "enter_in_thread") } else { intern!(py, "run_in_thread") };
        let running = program.reference.bind(py).call_method1(run, (&hop,))?;
        self.hop = Some(hop.unbind());
        self.wait(py, Stage::Hop, running).map(Some)
    }

    /// The step behind the last one of a hop that begins at the next step, and whether contexts are entered in it.
    fn end_of_hop(&mut self, py: Python<'_>, program: &Program) -> PyResult<Option<(usize, bool)>> {
        let first = self.results.len();
        if self.errors.is_some() {
            return Ok(None);
        }
        let (mut end, mut enters) = (first, false);
        for (index, step) in program.steps.iter().enumerate().skip(first) {
            if index == program.before_body && program.before_body > 0 && !self.is_past_body {
                break;
            }
            if index > first && step.same.is_none() && !self.has_values(py, program, step, index)? {
                break;
            }
            match (&step.same, &step.hop) {
                (Some(_), _) if index > first => {}
                (None, Some((kind, _))) => enters |= *kind == Threaded::Enter,
                _ => break,
            }
            end = index.saturating_add(1);
        }
        Ok((end > first).then_some((end, enters)))
    }

    /// Whether the keyword arguments of a step are there before its turn comes. What runs no code of the user's is validated for
    /// that.
    fn has_values(&mut self, py: Python<'_>, program: &Program, step: &Step, index: usize) -> PyResult<bool> {
        if step.has_params && (step.is_late || !self.is_read) {
            return Ok(false);
        }
        match (&step.fields, &program.body) {
            (None, _) => Ok(true),
            (Some(_), Some(Body::Json(Json { model: Some(model), .. }))) if self.source.is_some() => {
                Ok(model.step == index && self.refused.is_none())
            }
            (Some(fields), Some(Body::Json(_))) if fields.is_quiet && self.large == 0 => {
                self.validate_early(py, index, fields)
            }
            (Some(fields), Some(Body::Form { .. })) if self.has_form => self.validate_form(py, index, fields),
            (Some(_), Some(Body::Form { plain: Some(plain) })) => Ok(plain.step == index),
            _ => Ok(false),
        }
    }

    /// Goes on when a hop is over, or when nobody may wait for it any more.
    pub(super) fn after_hop<'py>(&mut self, py: Python<'py>, outcome: Outcome<'py>) -> PyResult<Next<'py>> {
        let Some(hop) = self.hop.take() else { return Err(lost()) };
        let hop = hop.bind(py).get();
        let outcome = outcome.result();
        if let Err(error) = &outcome {
            hop.abandon(py, error);
        }
        let entered = hop.take_entered(py);
        let number = entered.len();
        for (generator, for_function) in entered {
            if for_function {
                self.function_open.push(generator);
            } else {
                self.open.push(generator);
            }
        }
        outcome?;
        let done = hop.take_done(py).ok_or_else(lost)?;
        self.results = done.results.into();
        self.unchecked = true;
        let program = self.program(py)?;
        let program = program.bind(py).get();
        // Whoever is inside of a synchronous context doesn't wait for a thread that others may hold who wait for it.
        let needs_thread = |step: &Step| step.is_threaded && step.same.is_none();
        if number > 0 && program.steps.iter().skip(self.results.len()).any(needs_thread) && done.made.is_none() {
            let inside = program.reference.bind(py).call_method1(intern!(py, "inside"), (number,))?;
            self.inside.push(inside.unbind());
        }
        match done.made {
            Some((result, made)) => self.reply_with(py, program, result.bind(py), made),
            None => self.run(py, program),
        }
    }

    /// Leaves generators that are run in threads, in one hop: `first` and those that were entered right before it.
    pub(super) fn leave_in_thread<'py>(
        &mut self,
        py: Python<'py>,
        first: Py<PyAny>,
        for_function: bool,
    ) -> PyResult<Next<'py>> {
        let mut generators = vec![first];
        loop {
            let next = if for_function { self.function_open.last() } else { self.open.last() };
            if !next.is_some_and(|next| py::is_generator(next.bind(py))) {
                break;
            }
            generators.extend(if for_function { self.function_open.pop() } else { self.open.pop() });
        }
        self.leaves_function = for_function;
        let program = self.program(py)?;
        let program = program.bind(py).get();
        let runs_here = !program.steps.iter().all(|step| step.is_threaded);
        let generators = PyList::new(py, generators)?;
        let leaving =
            program.reference.bind(py).call_method1(intern!(py, "leave_generators"), (generators, runs_here))?;
        self.wait(py, Stage::Left, leaving)
    }

    /// Goes on when generators have been left, or some of them.
    pub(super) fn after_leaving_in_thread<'py>(
        &mut self,
        py: Python<'py>,
        outcome: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Next<'py>> {
        let (rest, error): (Vec<Py<PyAny>>, Option<Bound<'py, PyAny>>) = outcome?.extract()?;
        let rest = rest.into_iter().rev();
        if self.leaves_function {
            self.function_open.extend(rest);
        } else {
            self.open.extend(rest);
        }
        if self.open.is_empty() && self.function_open.is_empty() {
            drop(std::mem::take(&mut self.inside));
        }
        match error {
            Some(error) => Err(PyErr::from_value(error)),
            None => self.close_next(py),
        }
    }
}

fn lost() -> PyErr {
    PyRuntimeError::new_err("what a worker thread came to is lost")
}
