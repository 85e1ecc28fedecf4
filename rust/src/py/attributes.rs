//! Attributes that may be missing.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

#[cfg(Py_3_13)]
use ffi::PyObject_GetOptionalAttr as get_optional;

#[cfg(not(Py_3_13))]
unsafe extern "C" {
    /// The name of `PyObject_GetOptionalAttr` in CPython 3.11 and 3.12.
    #[link_name = "_PyObject_LookupAttr"]
    fn get_optional(
        object: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        result: *mut *mut ffi::PyObject,
    ) -> std::ffi::c_int;
}

/// An attribute; None if there is none.
///
/// PyO3's `getattr_opt` has an `AttributeError` made and dropped for one that is missing, before CPython 3.13: 4,000 instructions,
/// as many as a message of ASGI takes. This makes none for objects of most classes.
pub(crate) fn attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut found = std::ptr::null_mut();
    // SAFETY: we are attached, and object and name are alive. The answer is 1 with a new reference in `found`, 0 with null there
    // and no error set, or -1 with an error set.
    unsafe {
        match get_optional(object.as_ptr(), name.as_ptr(), &raw mut found) {
            1 => Bound::from_owned_ptr_or_err(object.py(), found).map(Some),
            0 => Ok(None),
            _ => Err(PyErr::fetch(object.py())),
        }
    }
}
