//! The application below: a task that begins before the event loop comes to it.
//!
//! asyncio's contract with tasks of third parties (`_enter_task`, `_leave_task`) lets a task be run while another one is held. The
//! coroutine of the task is driven by whoever begins it, up to where it waits; when the loop comes to the task, the coroutine
//! hands out what it has waited for since, or is over.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use pyo3::exceptions::asyncio::CancelledError;
use pyo3::exceptions::{PyException, PyGeneratorExit, PyKeyboardInterrupt, PySystemExit};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use super::send::PassageReceive;
use super::{Passage, PassageSend};
use crate::py::{self, KeptError, Sent};
use crate::run::Serving;
use crate::run::layers::{Flow, enter};
use crate::run::serving::awaited;

/// How many tasks may be begun inside of each other: each takes a part of the stack.
const DEEPEST: usize = 16;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A task of an application below.
pub(super) struct Task {
    task: Py<PyAny>,
    coroutine: Py<Serving>,
    context: Py<PyAny>,
}

impl Task {
    /// Begins to run the application below; answers whether it has begun.
    pub(super) fn begin(passage: &Bound<'_, Passage>) -> PyResult<bool> {
        let py = passage.py();
        let this = passage.get();
        let layer = this.layer(py);
        let number = this.state.see(py, |state| state.tasks.len());
        let coroutine = Bound::new(py, Serving::of(Box::new(Below::new(passage.clone().unbind(), number))))?;
        let context = py::copy_context(py)?;
        let task = if this.around.is_none(py) {
            let event_loop = layer.call_method0(intern!(py, "running_loop"))?;
            let options = [(intern!(py, "context"), &context)].into_py_dict(py)?;
            let task = event_loop.call_method(intern!(py, "create_task"), (&coroutine,), Some(&options))?;
            if let Some(scopes) = this.scopes(py)?
                && !task.call_method0(intern!(py, "done"))?.is_truthy()?
            {
                scopes.set_item(&task, py.None())?;
            }
            task
        } else {
            layer.call_method1(intern!(py, "begin_in_scope"), (&coroutine, &this.around, &context))?
        };
        this.running.fetch_add(1, Ordering::Relaxed);
        let task = Self { task: task.unbind(), coroutine: coroutine.unbind(), context: context.unbind() };
        let copy = task.copy(py);
        this.state.change(py, |state| state.tasks.push(task));
        if number > 0 {
            return Ok(false);
        }
        copy.run_early(passage)?;
        Ok(true)
    }

    /// Goes on with it now, if the event loop has not come to it and it can.
    pub(super) fn run_early(&self, passage: &Bound<'_, Passage>) -> PyResult<()> {
        let py = passage.py();
        let layer = passage.get().layer(py);
        let event_loop = layer.call_method0(intern!(py, "running_loop"))?;
        let held = layer.call_method1(intern!(py, "task_of"), (&event_loop,))?;
        let depth = DEPTH.get();
        if held.is_none() || depth >= DEEPEST || !self.coroutine.bind(py).get().is_early(py) {
            return Ok(());
        }
        let (leave, enter) = (layer.getattr(intern!(py, "leave_task"))?, layer.getattr(intern!(py, "enter_task"))?);
        DEPTH.set(depth.saturating_add(1));
        leave.call1((&event_loop, &held))?;
        enter.call1((&event_loop, &self.task))?;
        let done = py::within(self.context.bind(py), || self.coroutine.bind(py).get().run_early(py));
        leave.call1((&event_loop, &self.task))?;
        enter.call1((&event_loop, &held))?;
        DEPTH.set(depth);
        done
    }

    pub(super) fn copy(&self, py: Python<'_>) -> Self {
        Self {
            task: self.task.clone_ref(py),
            coroutine: self.coroutine.clone_ref(py),
            context: self.context.clone_ref(py),
        }
    }

    pub(super) fn object(&self, py: Python<'_>) -> Py<PyAny> {
        self.task.clone_ref(py)
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)?;
        visit.call(&self.coroutine)?;
        visit.call(&self.context)
    }
}

/// The coroutine of the task.
struct Below {
    passage: Py<Passage>,
    /// Which of the passage's tasks runs it.
    number: usize,
    /// The application.
    awaiting: Option<Py<PyAny>>,
    phase: Phase,
}

enum Phase {
    New,
    /// It has been begun, and the event loop has not come to its task.
    Early(Early),
    /// Its task runs it.
    InTask,
    /// Its task waits for the response to be sent.
    ParkedInTask(Py<PyAny>),
    Over,
}

/// What a coroutine has come to before its task.
enum Early {
    /// It waits for this.
    Waits(Py<PyAny>),
    /// It waits for the response to be sent.
    Parked,
    Finished(Result<(), KeptError>),
}

impl Below {
    fn new(passage: Py<Passage>, number: usize) -> Self {
        Self { passage, number, awaiting: None, phase: Phase::New }
    }

    /// Calls the application.
    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let passage = self.passage.bind(py);
        let this = passage.get();
        let app = this.middleware.bind(py).getattr(intern!(py, "app"))?;
        let (receive, send) = (PassageReceive::of(passage)?, PassageSend::of(passage)?);
        let serving = enter(app, &this.scope, receive.as_any(), send.into_any())?;
        self.awaiting = Some(awaited(this.layer(py), serving)?.unbind());
        Ok(())
    }

    /// Goes on with the application; answers what it waits for, None at its end.
    fn step<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let passage = self.passage.clone_ref(py).into_bound(py);
        let is_thrown = sent.is_err();
        let before = passage.get().is_below_at_work.swap(true, Ordering::Relaxed);
        let step = match &self.awaiting {
            Some(awaiting) => py::resume(awaiting.bind(py), sent),
            None => py::guarded(|| {
                self.begin(py)?;
                match &self.awaiting {
                    Some(awaiting) => py::resume(awaiting.bind(py), sent),
                    None => Ok(Sent::Ended),
                }
            }),
        };
        passage.get().is_below_at_work.store(before, Ordering::Relaxed);
        let error = match step {
            Ok(Sent::Yielded(waits)) => return Ok(Some(waits)),
            Ok(Sent::Returned(_) | Sent::Ended) => None,
            Err(error) => Some(error),
        };
        self.awaiting = None;
        let raised = match error {
            Some(error) if error.is_instance_of::<PyException>(py) => {
                let error = error.into_value(py);
                drop(passage.get().state.change(py, |state| state.error.replace(error)));
                Ok(())
            }
            Some(error) if ends_the_group(py, &error, is_thrown) => {
                passage.get().state.change(py, |state| state.unhandled.push(error.into_value(py)));
                Ok(())
            }
            Some(error) => Err(error),
            None => Ok(()),
        };
        passage.get().running.fetch_sub(1, Ordering::Relaxed);
        let task = passage.get().state.see(py, |state| state.tasks.get(self.number).map(|task| task.object(py)));
        if let (Some(scopes), Some(task)) = (passage.get().scopes(py)?, task)
            && scopes.contains(&task)?
        {
            scopes.del_item(task)?;
        }
        passage.get().wake(py)?;
        raised.map(|()| None)
    }

    /// Goes on in its task.
    fn step_in_task<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        loop {
            self.phase = Phase::Over;
            let Some(waits) = self.step(py, sent)? else { return Ok(Sent::Ended) };
            self.phase = Phase::InTask;
            if !waits.is(&self.passage) {
                return Ok(Sent::Yielded(waits));
            }
            if let Some(waits) = self.park(py)? {
                return Ok(Sent::Yielded(waits));
            }
            sent = Ok(py.None().into_bound(py));
        }
    }

    /// Has the task wait for the response to be sent; answers what it waits for, None if that is sent.
    fn park<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(iterator) = self.passage.bind(py).get().park(py)? else { return Ok(None) };
        match py::resume(&iterator, Ok(py.None().into_bound(py)))? {
            Sent::Yielded(waits) => {
                self.phase = Phase::ParkedInTask(iterator.unbind());
                Ok(Some(waits))
            }
            Sent::Returned(_) | Sent::Ended => Ok(None),
        }
    }

    /// The event loop has come to its task.
    fn enter_task<'py>(
        &mut self,
        py: Python<'py>,
        early: Early,
        sent: PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Sent<'py>> {
        match early {
            Early::Finished(done) => done.map(|()| Sent::Ended).map_err(|error| error.into_error_as_it_was(py)),
            Early::Parked => {
                self.phase = Phase::InTask;
                if sent.is_ok()
                    && let Some(waits) = self.park(py)?
                {
                    return Ok(Sent::Yielded(waits));
                }
                self.step_in_task(py, sent)
            }
            Early::Waits(waits) => {
                self.phase = Phase::InTask;
                let waits = waits.into_bound(py);
                // Whoever cancels a task that waits cancels what that waits for.
                if sent.is_err() && !cancel(&waits)? {
                    return self.step_in_task(py, sent);
                }
                Ok(Sent::Yielded(waits))
            }
        }
    }
}

/// Whether an exception that is no `Exception` ends a task of a group, which then raises it. A cancelled task just ends,
/// what ends the process is for the event loop, and what was thrown into a coroutine at its end is for who has done that.
fn ends_the_group(py: Python<'_>, error: &PyErr, is_thrown: bool) -> bool {
    let is_for_others = error.is_instance_of::<PyKeyboardInterrupt>(py)
        || error.is_instance_of::<PySystemExit>(py)
        || (is_thrown && error.is_instance_of::<PyGeneratorExit>(py));
    !is_for_others && !error.is_instance_of::<CancelledError>(py)
}

/// Cancels what a task waits for; answers whether it has.
fn cancel(waits: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = waits.py();
    if waits.is_none() {
        return Ok(false);
    }
    waits.call_method0(intern!(py, "cancel"))?.is_truthy()
}

impl Passage {
    /// The tasks that may come to be in a cancel scope, if the one below may (`ferrapi._scopes`).
    fn scopes<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        Ok(self.layer(py).getattr(intern!(py, "scopes"))?.cast_into::<PyDict>().ok())
    }
}

impl Flow for Below {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Early(early) => self.enter_task(py, early, sent),
            Phase::ParkedInTask(iterator) => match py::resume(iterator.bind(py), sent) {
                Ok(Sent::Yielded(waits)) => {
                    self.phase = Phase::ParkedInTask(iterator);
                    Ok(Sent::Yielded(waits))
                }
                Ok(Sent::Returned(_) | Sent::Ended) => self.step_in_task(py, Ok(py.None().into_bound(py))),
                Err(error) => self.step_in_task(py, Err(error)),
            },
            Phase::New | Phase::InTask => self.step_in_task(py, sent),
            Phase::Over => Ok(Sent::Ended),
        }
    }

    fn resume_early(&mut self, py: Python<'_>) -> PyResult<()> {
        if !self.is_early() {
            return Ok(());
        }
        self.phase = Phase::Over;
        let early = match self.step(py, Ok(py.None().into_bound(py))) {
            Ok(Some(waits)) if waits.is(&self.passage) => Early::Parked,
            Ok(Some(waits)) => Early::Waits(waits.unbind()),
            Ok(None) => Early::Finished(Ok(())),
            Err(error) => Early::Finished(Err(KeptError::new(py, &error))),
        };
        self.phase = Phase::Early(early);
        Ok(())
    }

    fn is_early(&self) -> bool {
        matches!(self.phase, Phase::New | Phase::Early(Early::Parked))
    }

    fn is_new(&self) -> bool {
        matches!(self.phase, Phase::New)
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.passage)?;
        visit.call(&self.awaiting)?;
        match &self.phase {
            Phase::ParkedInTask(object) | Phase::Early(Early::Waits(object)) => visit.call(object),
            Phase::Early(Early::Finished(Err(error))) => error.traverse(visit),
            _ => Ok(()),
        }
    }
}
