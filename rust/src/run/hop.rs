//! `Hop`: consecutive synchronous callables of a request, run in one hop to a worker thread.
//!
//! Each is run in its own copy of the context, in order, as if it had a thread to itself. The generators of ``yield`` dependencies
//! are run to their first `yield`; what a synchronous endpoint returns is validated and serialized in the same hop.

use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::program::{Program, Threaded};
use super::reply::{self, Made};
use crate::py::{self, Attached, KeptError};

/// What a callable is given that is known before the hop.
pub(super) struct Arguments {
    /// The parameters of the request.
    pub(super) read: Option<Py<PyDict>>,
    /// The objects of the exchange.
    pub(super) specials: Vec<(Py<PyString>, Py<PyAny>)>,
}

/// What a hop is to do.
pub(super) struct Work {
    pub(super) program: Py<Program>,
    /// The results of the steps before, to which those of the hop's are added.
    pub(super) results: Vec<Py<PyAny>>,
    /// What each of the hop's steps is given.
    pub(super) arguments: Vec<Arguments>,
}

/// What a hop has come to.
pub(super) struct Done {
    pub(super) results: Vec<Py<PyAny>>,
    /// What was made of the endpoint's result, if the hop came to it.
    pub(super) made: Option<(Py<PyAny>, Made)>,
}

/// A generator that was entered, and whether it ends before the response is sent.
pub(super) type Entered = (Py<PyAny>, bool);

/// A hop: a callable for a worker thread.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Hop {
    work: Attached<Option<Work>>,
    done: Attached<Option<Done>>,
    entered: Attached<Vec<Entered>>,
    /// Why nobody waits for it any more.
    abandoned: Attached<Option<KeptError>>,
    /// Whether it has been run, or as much of it as could be.
    is_over: Attached<bool>,
}

#[pymethods]
impl Hop {
    /// Do the work, in a worker thread.
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let Some(work) = self.work.replace(py, None) else { return Ok(()) };
        if self.is_abandoned(py) {
            return Ok(());
        }
        let outcome = py::guarded(|| self.run(py, work));
        let _ = self.is_over.replace(py, true);
        outcome
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.work.traverse(&visit, |work, visit| match work {
            Some(work) => work.traverse(visit),
            None => Ok(()),
        })?;
        self.done.traverse(&visit, |done, visit| match done {
            Some(done) => done.traverse(visit),
            None => Ok(()),
        })?;
        self.abandoned.traverse(&visit, |abandoned, visit| match abandoned {
            Some(reason) => reason.traverse(visit),
            None => Ok(()),
        })?;
        self.entered
            .traverse(&visit, |entered, visit| entered.iter().try_for_each(|(generator, _)| visit.call(generator)))
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.work.replace(py, None));
        drop(self.done.replace(py, None));
        drop(self.entered.replace(py, Vec::new()));
        drop(self.abandoned.replace(py, None));
    }
}

impl Hop {
    pub(super) fn new(work: Work) -> Self {
        Self {
            work: Attached::new(Some(work)),
            done: Attached::new(None),
            entered: Attached::new(Vec::new()),
            abandoned: Attached::new(None),
            is_over: Attached::new(false),
        }
    }

    /// What it has come to; None if it was cut short.
    pub(super) fn take_done(&self, py: Python<'_>) -> Option<Done> {
        self.done.replace(py, None)
    }

    /// The generators that it has entered, for whoever leaves them.
    pub(super) fn take_entered(&self, py: Python<'_>) -> Vec<Entered> {
        self.entered.replace(py, Vec::new())
    }

    /// Stops waiting for it: what it has not begun is not done, and a generator that it is entering is left at once.
    pub(super) fn abandon(&self, py: Python<'_>, reason: &PyErr) {
        if self.is_over.see(py, |is_over| *is_over) {
            return;
        }
        drop(self.abandoned.replace(py, Some(KeptError::new(py, reason))));
    }

    fn is_abandoned(&self, py: Python<'_>) -> bool {
        self.abandoned.see(py, Option::is_some)
    }

    fn run(&self, py: Python<'_>, work: Work) -> PyResult<()> {
        let Work { program, mut results, arguments } = work;
        let program = program.bind(py).get();
        let mut made = None;
        // The last one of a context needs no copy of it.
        let alone = arguments.len() == 1 && !program.reply_in_thread;
        for own in arguments {
            let index = results.len();
            let Some(step) = program.steps.get(index) else { break };
            if let Some(same) = step.same {
                let result = results.get(same).map(|result| result.clone_ref(py));
                results.extend(result);
                continue;
            }
            let Some((kind, call)) = &step.hop else { break };
            let keywords = keywords(py, program, index, &results, own)?;
            let context = if alone { None } else { Some(copy_context(py)?) };
            let result = match kind {
                Threaded::Call => in_context(py, context.as_ref(), call.bind(py), Some(&keywords))?,
                Threaded::Enter => {
                    let generator = call.bind(py).call((), Some(&keywords))?;
                    let next = generator.getattr(intern!(py, "__next__"))?;
                    let value =
                        in_context(py, context.as_ref(), &next, None).map_err(|error| not_entered(py, error))?;
                    if let Some(reason) = self.abandoned.replace(py, None) {
                        let leaving = generator.getattr(intern!(py, "throw"))?.call1((&reason.exception,));
                        drop(self.abandoned.replace(py, Some(reason)));
                        return leaving.map(drop);
                    }
                    let mut entered = self.entered.replace(py, Vec::new());
                    entered.push((generator.unbind(), step.for_function));
                    drop(self.entered.replace(py, entered));
                    value
                }
            };
            if self.is_abandoned(py) {
                return Ok(());
            }
            if index.saturating_add(1) == program.steps.len() {
                made = Some((result.clone().unbind(), reply::make(program, &result)?));
                break;
            }
            results.push(result.unbind());
            if program.overrides.differ(py)? {
                break;
            }
        }
        drop(self.done.replace(py, Some(Done { results, made })));
        Ok(())
    }
}

/// The keyword arguments of a step, in the order in which FastAPI gives them.
fn keywords<'py>(
    py: Python<'py>,
    program: &Program,
    index: usize,
    results: &[Py<PyAny>],
    own: Arguments,
) -> PyResult<Bound<'py, PyDict>> {
    let keywords = PyDict::new(py);
    let Some(step) = program.steps.get(index) else { return Ok(keywords) };
    let fed = step.feeders.iter().filter_map(|&feeder| results.get(feeder));
    for (name, value) in step.fed.bind(py).iter().zip(fed) {
        keywords.set_item(name, value)?;
    }
    if let Some(read) = own.read {
        keywords.update(read.bind(py).as_mapping())?;
    }
    for (name, value) in own.specials {
        keywords.set_item(name, value)?;
    }
    Ok(keywords)
}

/// A copy of the thread's context.
fn copy_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import(intern!(py, "contextvars"))?.call_method0(intern!(py, "copy_context"))
}

/// What a call returns, made in `context`, or in the thread's own.
fn in_context<'py>(
    py: Python<'py>,
    context: Option<&Bound<'py, PyAny>>,
    call: &Bound<'py, PyAny>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    match context {
        None => call.call((), keywords),
        Some(context) => context.getattr(intern!(py, "run"))?.call((call,), keywords),
    }
}

/// What entering a generator raises: one that has yielded nothing has an error of its own, as in `contextlib`, and FastAPI enters
/// synchronous contexts in an asynchronous generator.
fn not_entered(py: Python<'_>, error: PyErr) -> PyErr {
    let (told, cause) = if error.is_instance_of::<PyStopIteration>(py) {
        (PyRuntimeError::new_err("generator didn't yield"), None)
    } else if error.is_instance_of::<PyStopAsyncIteration>(py) {
        let told = PyRuntimeError::new_err("async generator raised StopAsyncIteration");
        (told, Some(error.clone_ref(py)))
    } else {
        return error;
    };
    told.set_context(py, Some(error));
    told.set_cause(py, cause);
    told
}

impl Work {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.program)?;
        for one in &self.arguments {
            visit.call(&one.read)?;
            one.specials.iter().try_for_each(|(_, value)| visit.call(value))?;
        }
        self.results.iter().try_for_each(|result| visit.call(result))
    }
}

impl Done {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some((result, made)) = &self.made {
            visit.call(result)?;
            made.traverse(visit)?;
        }
        self.results.iter().try_for_each(|result| visit.call(result))
    }
}
