//! What crosses once per route: typed dictionaries taken apart. `ferrapi/compile/boundary.py` documents their keys.

mod param;
mod route;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(crate) use param::{Absent, Group, Param, ParamModel, Source};
pub(crate) use route::{Protocol, Route};

create_exception!(ferrapi._native, PlanError, PyException, "A plan that Python handed over doesn't make sense.");

/// The value of a key that must be there.
pub(crate) fn required<'py>(plan: &Bound<'py, PyDict>, key: &str) -> PyResult<Bound<'py, PyAny>> {
    plan.get_item(key)?.ok_or_else(|| PlanError::new_err(format!("a plan lacks the key {key:?}")))
}
