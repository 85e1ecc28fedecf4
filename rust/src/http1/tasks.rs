//! `Tasks`: the tasks that serve a server's requests.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyString};
use smallvec::SmallVec;

use crate::py;

/// Makes tasks, and notes those that run.
pub(super) struct Tasks {
    /// `asyncio.Task`, or the event loop's `create_task`.
    new_task: Py<PyAny>,
    /// Its keyword arguments, in one dictionary for all tasks.
    options: Py<PyDict>,
    /// Whether each task begins without context variables, instead of with a copy of the context that it is made in.
    resets_context: bool,
    /// Those that run.
    running: Py<PySet>,
    /// Whether the tasks get names: those that asyncio would make are formatted for each of them until Python 3.11.
    names: bool,
    /// How many tasks have been given a name.
    named: AtomicU64,
}

impl Tasks {
    /// Makes tasks with `new_task`, which takes what `asyncio.Task` takes, or else lets `event_loop` make them.
    pub(super) fn new(
        event_loop: &Bound<'_, PyAny>,
        new_task: Option<Py<PyAny>>,
        resets_context: bool,
        running: Py<PySet>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let options = PyDict::new(py);
        let names = new_task.is_some() && py.version_info() < (3, 12);
        let new_task = match new_task {
            Some(new_task) => {
                options.set_item(intern!(py, "loop"), event_loop)?;
                new_task
            }
            None => event_loop.getattr(intern!(py, "create_task"))?.unbind(),
        };
        Ok(Self { new_task, options: options.unbind(), resets_context, running, names, named: AtomicU64::default() })
    }

    /// A task that runs a coroutine, which it may have done to its end already.
    pub(super) fn make<'py>(&self, py: Python<'py>, serving: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let options = self.options.bind(py);
        if self.names {
            options.set_item(intern!(py, "name"), self.name(py))?;
        }
        if !self.resets_context {
            return self.new_task.bind(py).call((serving,), Some(options));
        }
        let context = py.import(intern!(py, "contextvars"))?.call_method0(intern!(py, "Context"))?;
        let options = options.copy()?;
        options.set_item(intern!(py, "context"), context)?;
        self.new_task.bind(py).call((serving,), Some(&options))
    }

    /// Notes that a task runs.
    pub(super) fn note(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.running.bind(task.py()).add(task)
    }

    /// Forgets a task, which is over.
    pub(super) fn forget(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        self.running.bind(task.py()).discard(task).map(drop)
    }

    /// The next name.
    fn name<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        let number = self.named.load(Ordering::Relaxed).wrapping_add(1);
        self.named.store(number, Ordering::Relaxed);
        let mut name = SmallVec::<[u8; 32]>::from_slice(b"Request-");
        name.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        py::latin1(py, &name)
    }

    /// Shows the garbage collector what this holds.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.new_task)?;
        visit.call(&self.options)?;
        visit.call(&self.running)
    }
}
