//! Calls with keyword arguments and without a dictionary.

use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;

/// Calls `callable` with keyword arguments alone: `values`, in the order of `names`.
pub(crate) fn call_named<'py>(
    callable: &Bound<'py, PyAny>,
    names: &Bound<'py, PyTuple>,
    values: &[Bound<'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    if names.len() != values.len() {
        return Err(PySystemError::new_err("keyword arguments and their names differ in number"));
    }
    let arguments: SmallVec<[*mut ffi::PyObject; 8]> = values.iter().map(Bound::as_ptr).collect();
    // SAFETY: we are attached; there are as many live objects as the tuple has names, which are text, and no positional
    // arguments. The result is a new reference, or null with an error set.
    unsafe {
        let result = ffi::PyObject_Vectorcall(callable.as_ptr(), arguments.as_ptr(), 0, names.as_ptr());
        Bound::from_owned_ptr_or_err(callable.py(), result)
    }
}
