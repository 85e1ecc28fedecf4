//! `Heartbeat`: wakes a task that has waited for long, and leaves what it waits for as it is.
//!
//! A wait in a coroutine can't be abandoned and taken up again. So the task waits for a future of the heartbeat's, which is done
//! when what the coroutine waits for is done, or when it is time. In the latter case that is waited for again.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use crate::py::{Attached, attribute};

/// The heartbeat of one task.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Heartbeat {
    /// Seconds.
    interval: f64,
    event_loop: Py<PyAny>,
    pace: Attached<Pace>,
    timer: Attached<Option<Py<PyAny>>>,
    race: Attached<Option<Race>>,
}

/// What is being waited for.
struct Race {
    /// What the coroutine waits for.
    waits: Py<PyAny>,
    /// What its task waits for.
    either: Py<PyAny>,
}

/// When it is time.
#[derive(Clone, Copy)]
struct Pace {
    /// By the event loop's clock; counted from when the task next waits, if that is not known yet.
    since: Option<f64>,
    is_due: bool,
}

#[pymethods]
impl Heartbeat {
    /// Go on when what is waited for is done, or, without a future, when the timer says so.
    #[pyo3(signature = (future=None))]
    fn __call__(slf: &Bound<'_, Self>, future: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        if let Some(future) = future {
            let is_it = this.race.see(py, |race| race.as_ref().is_some_and(|race| race.waits.is(future)));
            return if is_it { this.wake(py) } else { Ok(()) };
        }
        drop(this.timer.take(py));
        let Some(since) = this.pace.see(py, |pace| pace.since) else { return Ok(()) };
        if since + this.interval > this.now(py)? {
            return Self::set_timer(slf, since);
        }
        this.pace.change(py, |pace| pace.is_due = true);
        this.wake(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        self.timer.visit(&visit)?;
        self.race.traverse(&visit, |race, visit| match race {
            Some(race) => {
                visit.call(&race.waits)?;
                visit.call(&race.either)
            }
            None => Ok(()),
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.timer.take(py));
        drop(self.race.replace(py, None));
    }
}

impl Heartbeat {
    /// For a task of this event loop, which is to be woken when it has waited for so many seconds.
    pub(super) fn new(event_loop: Py<PyAny>, interval: f64) -> Self {
        Self {
            interval,
            event_loop,
            pace: Attached::new(Pace { since: None, is_due: false }),
            timer: Attached::default(),
            race: Attached::new(None),
        }
    }

    /// Something has happened: the time begins anew when the task next waits.
    pub(super) fn begin_anew(&self, py: Python<'_>) {
        self.pace.change(py, |pace| *pace = Pace { since: None, is_due: false });
    }

    /// Whether it was time since, while the task didn't wait for the future of the heartbeat's.
    pub(super) fn is_due(&self, py: Python<'_>) -> bool {
        self.pace.see(py, |pace| pace.is_due)
    }

    /// What the task is to wait for, in the place of the future that its coroutine waits for.
    pub(super) fn race<'py>(slf: &Bound<'py, Self>, waits: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let event_loop = this.event_loop.bind(py);
        waits.call_method1(intern!(py, "add_done_callback"), (slf,))?;
        let either = event_loop.call_method0(intern!(py, "create_future"))?;
        either.setattr(intern!(py, "_asyncio_future_blocking"), true)?;
        let race = Race { waits: waits.clone().unbind(), either: either.clone().unbind() };
        drop(this.race.replace(py, Some(race)));
        if this.pace.see(py, |pace| pace.since.is_none()) {
            let now = this.now(py)?;
            this.pace.change(py, |pace| pace.since = Some(now));
        }
        if this.timer.get(py).is_none()
            && let Some(since) = this.pace.see(py, |pace| pace.since)
        {
            Self::set_timer(slf, since)?;
        }
        Ok(either)
    }

    /// The task has been woken.
    pub(super) fn end_race(&self, py: Python<'_>) {
        drop(self.race.replace(py, None));
    }

    /// It beats no more.
    pub(super) fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.end_race(py);
        match self.timer.take(py) {
            Some(timer) => timer.bind(py).call_method0(intern!(py, "cancel")).map(drop),
            None => Ok(()),
        }
    }

    fn now(&self, py: Python<'_>) -> PyResult<f64> {
        self.event_loop.bind(py).call_method0(intern!(py, "time"))?.extract()
    }

    fn set_timer(slf: &Bound<'_, Self>, since: f64) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let event_loop = this.event_loop.bind(py);
        let timer = event_loop.call_method1(intern!(py, "call_at"), (since + this.interval, slf))?;
        drop(this.timer.replace(py, Some(timer.unbind())));
        Ok(())
    }

    fn wake(&self, py: Python<'_>) -> PyResult<()> {
        let Some(either) = self.race.see(py, |race| race.as_ref().map(|race| race.either.clone_ref(py))) else {
            return Ok(());
        };
        let either = either.bind(py);
        if is_done(either)? { Ok(()) } else { either.call_method1(intern!(py, "set_result"), (py.None(),)).map(drop) }
    }
}

/// Whether a future is done.
pub(super) fn is_done(future: &Bound<'_, PyAny>) -> PyResult<bool> {
    future.call_method0(intern!(future.py(), "done"))?.is_truthy()
}

/// Whether a coroutine waits for a future of asyncio's, having yielded this; it is not noted on the future any more then.
pub(super) fn is_awaited_future(yielded: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = yielded.py();
    if yielded.is_none() {
        return Ok(false);
    }
    let name = intern!(py, "_asyncio_future_blocking");
    match attribute(yielded, name)? {
        Some(blocking) if blocking.is_truthy()? => yielded.setattr(name, false).map(|()| true),
        _ => Ok(false),
    }
}
