//! The version of a type: whether anything in it, or in what it inherits from, was replaced.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The number that CPython gives to the present state of a type; another one after each change of an attribute of the type or of
/// one that it inherits from. 0 if the state has no number, which says nothing.
pub(crate) fn type_version(kind: &Bound<'_, PyType>) -> u32 {
    // SAFETY: we are attached and the type is alive. CPython writes the field while attached: 0 when the type changes, and a number
    // that no type has had when an attribute is looked up again (3.11 to 3.14). Nothing but the number is relied on: whoever gets
    // another one compares the attributes themselves.
    unsafe { (*kind.as_ptr().cast::<ffi::PyTypeObject>()).tp_version_tag }
}
