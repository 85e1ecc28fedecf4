//! `Attached`: a place that is only touched while attached to the interpreter.

use std::cell::UnsafeCell;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A place in a native object. Values are put in, taken out and copied, and nothing is called meanwhile.
///
/// One thread is attached at a time, since the module has the GIL enabled (`gil_used`), so this takes no lock. That of a `Mutex`
/// would take longer than what is done here, dozens of times in a request.
#[derive(Debug, Default)]
pub(crate) struct Attached<T>(UnsafeCell<T>);

// SAFETY: every access is by a thread that is attached, which shows a token or is the garbage collector's, and that stays attached
// and calls nothing while it has a reference to the value.
unsafe impl<T: Send> Sync for Attached<T> {}

impl<T> Attached<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Puts a value in, and returns what was there.
    #[must_use = "what was there is to be dropped, which may run code, where that is welcome"]
    pub(crate) fn replace(&self, _py: Python<'_>, value: T) -> T {
        // SAFETY: as said above; moving values calls nothing.
        unsafe { std::mem::replace(&mut *self.0.get(), value) }
    }

    /// What `see` says of the value. It may read, and nothing else.
    pub(crate) fn see<R>(&self, _py: Python<'_>, see: impl FnOnce(&T) -> R) -> R {
        // SAFETY: as said above; whoever reads calls nothing.
        see(unsafe { &*self.0.get() })
    }

    /// What `change` makes of the value. It may change that, and nothing else: it calls nothing of Python's, and drops no object.
    pub(crate) fn change<R>(&self, _py: Python<'_>, change: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: as said above; whoever changes the value calls nothing, so there is no other reference meanwhile.
        change(unsafe { &mut *self.0.get() })
    }

    /// Shows the garbage collector what is there.
    pub(crate) fn traverse(
        &self,
        visit: &PyVisit<'_>,
        show: impl FnOnce(&T, &PyVisit<'_>) -> Result<(), PyTraverseError>,
    ) -> Result<(), PyTraverseError> {
        // SAFETY: as said above; what is called while objects are visited changes none of them.
        show(unsafe { &*self.0.get() }, visit)
    }
}

impl<T> Attached<Option<Py<T>>> {
    /// The object that is there.
    pub(crate) fn get(&self, py: Python<'_>) -> Option<Py<T>> {
        // SAFETY: as said above; counting a reference calls nothing.
        unsafe { &*self.0.get() }.as_ref().map(|object| object.clone_ref(py))
    }

    /// Takes it out.
    pub(crate) fn take(&self, py: Python<'_>) -> Option<Py<T>> {
        self.replace(py, None)
    }

    /// Shows it to the garbage collector.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.traverse(visit, |object, visit| visit.call(object))
    }
}
