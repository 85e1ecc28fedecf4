//! Running dependencies for their own sake, and going on when the dependency overrides have changed meanwhile.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::{Machine, Next};
use crate::run::given::Goal;
use crate::run::program::{Body, Program, Step};
use crate::run::transport::Transport;

impl Machine {
    /// Takes what is known of a request whose dependencies are to be run: what its body says, and results from before.
    pub(in crate::run) fn take_known(&mut self, body: Py<PyAny>, cache: Option<Py<PyDict>>) {
        self.body = Some(body);
        self.cache = cache;
    }

    /// Whether only the dependencies are to be run.
    pub(super) fn solves(&self) -> bool {
        matches!(&self.transport, Transport::Given(transport) if transport.goal() == Goal::Solved)
    }

    /// Returns the keyword arguments of the endpoint, as far as they are valid, and the mistakes in the request.
    pub(super) fn return_solved<'py>(&mut self, py: Python<'py>, step: &Step) -> PyResult<Next<'py>> {
        let arguments = self.all_arguments(py, step)?;
        let errors = self.errors.take().unwrap_or_else(|| PyList::empty(py).unbind());
        self.returned = Some((arguments, errors).into_pyobject(py)?.into_any().unbind());
        Ok(Next::Done)
    }

    /// Takes the result of the next step from the cache. Answers whether it is there.
    pub(super) fn take_from_cache(&mut self, py: Python<'_>, program: &Program) -> PyResult<bool> {
        let Some(cache) = &self.cache else { return Ok(false) };
        let found = program.reference.bind(py).call_method1(intern!(py, "remembered"), (self.results.len(), cache))?;
        let found: Option<(Py<PyAny>,)> = found.extract()?;
        let is_there = found.is_some();
        self.results.extend(found.map(|(result,)| result));
        Ok(is_there)
    }

    /// Puts the result of a dependency into the cache, if there is one.
    pub(super) fn put_into_cache(&self, py: Python<'_>, program: &Program, result: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(cache) = &self.cache else { return Ok(()) };
        let parts = (self.results.len(), cache, result);
        program.reference.bind(py).call_method1(intern!(py, "remember"), parts).map(drop)
    }

    /// The program for the rest of a request whose dependencies have changed the overrides: what has been begun goes on as it was, and
    /// all that comes after is looked up anew.
    pub(super) fn replan<'py>(&mut self, py: Python<'py>, program: &Program) -> PyResult<Bound<'py, Program>> {
        let done = self.results.len();
        let other = program.reference.bind(py).call_method1(intern!(py, "replanned"), (done, self.failed.to_vec()))?;
        let other = other.cast_into::<Program>()?;
        // What was read for steps that have not run is read again, for what stands in their places.
        self.body = self.parsed_body(py, program)?.map(Bound::unbind);
        self.has_form |= self.body.is_some() && matches!(program.body, Some(Body::Form { .. }));
        self.source = None;
        self.refused = None;
        self.groups.truncate(done);
        self.early.retain(|step| *step < done);
        self.is_read = true;
        if let Some(reader) = &other.get().reader {
            match self.transport.read(py, reader)? {
                Some(groups) => {
                    while self.groups.len() < done {
                        self.groups.push(None);
                    }
                    self.groups.extend(groups.into_iter().skip(done).map(|group| group.map(Bound::unbind)));
                }
                None => self.is_read = false,
            }
        }
        self.program = Some(other.clone().unbind());
        Ok(other)
    }
}
