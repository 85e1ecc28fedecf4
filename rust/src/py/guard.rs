//! What a panic becomes: an ordinary exception.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// What `work` returns; `RuntimeError` if it panics.
///
/// Nothing in this crate is meant to panic. If something does all the same, PyO3 makes a `PanicException` of it, which is no
/// `Exception`: it would pass by every handler of the application, and the request would go without an answer. What `work` has
/// borrowed may be left half changed; the caller goes on as after any other error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(PyRuntimeError::new_err("native code has panicked: the log says where")))
}
