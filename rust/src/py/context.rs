//! Contexts of context variables.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyContext;

/// A copy of `context`.
pub(crate) fn copy_context<'py>(context: &Bound<'py, PyContext>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: we are attached, and it is a context: its type says so. The result is a new reference or null with an error set.
    unsafe { Bound::from_owned_ptr_or_err(context.py(), ffi::PyContext_Copy(context.as_ptr())) }
}
