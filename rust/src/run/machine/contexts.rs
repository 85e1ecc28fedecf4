//! Contexts of dependencies: entering them, and leaving them one by one.

use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::intern;
use pyo3::prelude::*;

use super::{Machine, Next, Outcome, Stage};
use crate::py;
use crate::run::program::{Program, Step};

impl Machine {
    /// Enters the context that a step makes.
    pub(super) fn enter<'py>(&mut self, py: Python<'py>, program: &Program, step: &Step) -> PyResult<Next<'py>> {
        let mut made = self.call(py, step)?;
        if let Some(shield) = &self.shield {
            made = program.reference.bind(py).call_method1(intern!(py, "shielded"), (made, shield))?;
        }
        let entering = if py::is_async_generator(&made) {
            made.call_method0(intern!(py, "__anext__"))?
        } else {
            made.call_method0(intern!(py, "__aenter__"))?
        };
        self.context = Some(made.unbind());
        self.stage = Stage::Entered;
        Ok(Next::Await(entering))
    }

    /// Enters the context that a step makes on an exit stack of the exchange.
    pub(super) fn enter_on_stack<'py>(
        &mut self,
        py: Python<'py>,
        program: &Program,
        step: &Step,
    ) -> PyResult<Next<'py>> {
        let made = self.call(py, step)?;
        let exchange = self.exchange(py)?;
        let arguments = (exchange, step.for_function, made);
        let entering = program.reference.bind(py).call_method1(intern!(py, "enter_on_stack"), arguments)?;
        self.wait(py, Stage::Result, entering)
    }

    /// Keeps cancel scopes around the request from cutting exit code short.
    pub(super) fn enter_shield(&mut self, py: Python<'_>, program: &Program) -> PyResult<()> {
        let exchange = self.exchange(py)?;
        let shield = program.reference.bind(py).call_method1(intern!(py, "enter_shield"), (exchange,))?;
        self.shield = Some(shield.unbind());
        Ok(())
    }

    /// Leaves that when the request is over.
    pub(super) fn leave_shield<'py>(&mut self, py: Python<'py>, next: PyResult<Next<'py>>) -> PyResult<Next<'py>> {
        if let Ok(Next::Await(_)) = &next {
            return next;
        }
        self.drop_shield(py)?;
        next
    }

    /// Leaves it when no context is open any more.
    pub(super) fn drop_shield(&mut self, py: Python<'_>) -> PyResult<()> {
        match self.shield.take() {
            Some(shield) => {
                let exchange = self.exchange(py)?;
                self.reference(py)?.call_method1(intern!(py, "leave_shield"), (exchange, shield)).map(drop)
            }
            None => Ok(()),
        }
    }

    /// Goes on when a context has been entered. What did not come to its first `yield` is over.
    pub(super) fn after_entering<'py>(&mut self, py: Python<'py>, outcome: Outcome<'py>) -> PyResult<Next<'py>> {
        let entered = self.context.take();
        let is_generator = entered.as_ref().is_some_and(|entered| py::is_async_generator(entered.bind(py)));
        match outcome.result() {
            Ok(value) => {
                let program = self.program(py)?;
                let step = program.bind(py).get().steps.get(self.results.len());
                if step.is_some_and(|step| step.for_function) {
                    self.function_open.extend(entered);
                } else {
                    self.open.extend(entered);
                }
                self.take_result(py, value)
            }
            Err(error) if is_generator && error.is_instance_of::<PyStopAsyncIteration>(py) => {
                let error = self.reference(py)?.call_method0(intern!(py, "unyielded"))?;
                Err(PyErr::from_value(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Leaves the context that was entered last: first those that end before the response, then the others.
    pub(super) fn close_next<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        if self.function_open.is_empty()
            && let Some(ready) = self.ready.take()
        {
            return self.send_ready(py, ready);
        }
        let for_function = !self.function_open.is_empty();
        let Some(open) = self.function_open.pop().or_else(|| self.open.pop()) else { return self.end(py) };
        let context = open.bind(py);
        if self.is_unused_stack(context)? {
            return self.close_next(py);
        }
        if py::is_generator(context) {
            return self.leave_in_thread(py, open, for_function);
        }
        let leaving = if py::is_async_generator(context) {
            context.call_method0(intern!(py, "__anext__"))?
        } else {
            context.call_method1(intern!(py, "__aexit__"), (py.None(), py.None(), py.None()))?
        };
        self.context = Some(open);
        self.stage = Stage::Closing;
        Ok(Next::Await(leaving))
    }

    /// Goes on when a context has been left.
    pub(super) fn after_leaving<'py>(&mut self, py: Python<'py>, outcome: Outcome<'py>) -> PyResult<Next<'py>> {
        let left = self.context.take();
        let generator = left.filter(|context| py::is_async_generator(context.bind(py)));
        match (outcome, generator) {
            (Outcome::Value(_), Some(generator)) => self.stop(py, generator),
            (Outcome::Raised(error), Some(_)) if error.is_instance_of::<PyStopAsyncIteration>(py) => {
                self.close_next(py)
            }
            (Outcome::Raised(error), _) => Err(error),
            (Outcome::Value(_) | Outcome::Ended, _) => self.close_next(py),
        }
    }

    /// Ends a generator that has yielded twice; the coroutine raises.
    fn stop<'py>(&mut self, py: Python<'py>, generator: Py<PyAny>) -> PyResult<Next<'py>> {
        let stopping = self.reference(py)?.call_method1(intern!(py, "stop"), (generator,))?;
        self.wait(py, Stage::Stopping, stopping)
    }
}
