//! `VersionCounter`: the number that `ferrapi/_version_counter.py` raises with each edit, where native code can read it at no cost.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

/// A number that grows with each edit.
#[pyclass(frozen, module = "ferrapi._native")]
#[derive(Default)]
pub(crate) struct VersionCounter(AtomicU64);

impl VersionCounter {
    pub(crate) fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

#[pymethods]
impl VersionCounter {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// How many edits there have been.
    #[getter]
    fn value(&self) -> u64 {
        self.current()
    }

    /// Say that something was edited.
    fn announce(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}
