//! The exit stacks of a request that somebody may look for in its scope.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::{Machine, Next, Stage};
use crate::py::KeptError;
use crate::run::program::Program;

/// The exit stacks on which a handler of a route, or the engine inside of it, may enter contexts. They are left as other contexts
/// are, and not at all while there is nothing on them.
pub(super) struct HandlerStacks {
    /// Left when the response is sent.
    request: Py<PyAny>,
    /// Left before.
    function: Py<PyAny>,
}

impl HandlerStacks {
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.request)?;
        visit.call(&self.function)
    }
}

/// Whether anything is on an exit stack.
fn is_used(stack: &Bound<'_, PyAny>) -> PyResult<bool> {
    stack.getattr(intern!(stack.py(), "_exit_callbacks"))?.is_truthy()
}

impl Machine {
    /// Puts the exit stacks of a request to a handler into its scope.
    pub(super) fn open_stacks(&mut self, py: Python<'_>, program: &Program) -> PyResult<()> {
        let exchange = self.exchange(py)?;
        let opened = program.reference.bind(py).call_method1(intern!(py, "open_stacks"), (exchange,))?;
        let (around, request, function): (Option<Py<PyAny>>, Py<PyAny>, Py<PyAny>) = opened.extract()?;
        if around.is_some() {
            self.file_stack = around;
            self.owns_file_stack = true;
        }
        self.handler_stacks = Some(Box::new(HandlerStacks { request, function }));
        if self.is_in_cancel_scope(py, program)? {
            self.enter_shield(py, program)?;
        }
        Ok(())
    }

    /// The handler has returned or failed: what is on its stacks is to be left.
    pub(super) fn take_stacks(&mut self, py: Python<'_>, has_failed: bool) -> PyResult<()> {
        let Some(stacks) = self.handler_stacks.take() else { return Ok(()) };
        // Something may still come on it while the response is sent.
        if !has_failed || is_used(stacks.request.bind(py))? {
            self.open.push(stacks.request);
        }
        if is_used(stacks.function.bind(py))? {
            self.function_open.push(stacks.function);
        }
        Ok(())
    }

    /// Whether a context that is open is an exit stack with nothing on it.
    pub(super) fn is_unused_stack(&self, context: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = context.py();
        let is_handler = self.program.as_ref().is_some_and(|program| program.bind(py).get().is_handler);
        Ok(is_handler && !is_used(context)?)
    }

    /// Leaves the exit stack around the request when all else is over.
    pub(super) fn leave_file_stack<'py>(&mut self, py: Python<'py>, next: PyResult<Next<'py>>) -> PyResult<Next<'py>> {
        if let Ok(Next::Await(_)) = &next {
            return next;
        }
        let Some(stack) = self.file_stack.take() else { return next };
        let stack = stack.into_bound(py);
        self.drop_file_stack(py)?;
        if !is_used(&stack)? {
            return next;
        }
        let error = next.err();
        self.end = error.as_ref().map(|error| KeptError::new(py, error));
        let leaving = self.transport.layer(py)?.call_method1(intern!(py, "leave_stack"), (stack, error))?;
        self.wait(py, Stage::Leaving, leaving)
    }

    /// Takes it out of the scope, if the program has put it there.
    fn drop_file_stack(&mut self, py: Python<'_>) -> PyResult<()> {
        if !self.owns_file_stack {
            return Ok(());
        }
        let exchange = self.exchange(py)?;
        self.reference(py)?.call_method1(intern!(py, "drop_stack"), (exchange,)).map(drop)
    }
}
