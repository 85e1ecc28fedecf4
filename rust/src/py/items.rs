//! The items of a dictionary, without the iterator that panics when the dictionary changes meanwhile.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smallvec::SmallVec;

/// The items of a dictionary, as of now. Whatever runs while they are used may change the dictionary.
#[expect(clippy::disallowed_methods, reason = "nothing runs between the first and the last item, so nothing changes")]
pub(crate) fn items<'py>(dict: &Bound<'py, PyDict>) -> SmallVec<[(Bound<'py, PyAny>, Bound<'py, PyAny>); 8]> {
    dict.iter().collect()
}
