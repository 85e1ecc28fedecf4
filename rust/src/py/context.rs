//! Contexts of `contextvars`.

use pyo3::ffi;
use pyo3::prelude::*;

use super::guard::guarded;

/// A copy of the context that is current.
pub(crate) fn copy_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: we are attached; the result is a new reference, or null with an error set.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }
}

/// Does `work` in a context. Raises if another thread, or somebody further out, is in it.
pub(crate) fn within<T>(context: &Bound<'_, PyAny>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let py = context.py();
    // SAFETY: a live object; one that isn't a context makes it raise.
    if unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let done = guarded(work);
    // SAFETY: it is the context that was entered last: whatever `work` has entered, it has left.
    if unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    done
}
