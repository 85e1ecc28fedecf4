//! A whole response in one write, for a send callable that is known: that of uvicorn's cycle.

use pyo3::prelude::*;

use super::door::Headers;

/// What is known of send callables.
#[derive(Default)]
pub(super) struct Cycles {}

impl Cycles {
    pub(super) fn send<'py>(
        &self,
        _send: &Bound<'py, PyAny>,
        _status: u16,
        _headers: &Headers<'_, 'py>,
        _body: &[u8],
    ) -> PyResult<bool> {
        Ok(false)
    }
}
