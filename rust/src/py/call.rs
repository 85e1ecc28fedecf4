//! Calls with keyword arguments and without a dictionary.

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;

/// Calls `callable` with `values`, of which the last ones are keyword arguments with these `names`.
pub(crate) fn call_named<'py>(
    callable: &Bound<'py, PyAny>,
    values: &[Bound<'py, PyAny>],
    names: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(positional) = values.len().checked_sub(names.len()) else {
        return Err(PySystemError::new_err("a keyword argument has no value"));
    };
    let arguments: SmallVec<[*mut ffi::PyObject; 8]> = values.iter().map(Bound::as_ptr).collect();
    // SAFETY: we are attached; there are as many live objects as are said to be, counting those that the tuple has names for,
    // which are text. The result is a new reference, or null with an error set.
    unsafe {
        let result = ffi::PyObject_Vectorcall(callable.as_ptr(), arguments.as_ptr(), positional, names.as_ptr());
        Bound::from_owned_ptr_or_err(callable.py(), result)
    }
}
