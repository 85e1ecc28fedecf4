//! Two messages being sent, one after the other.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::Compression;
use crate::py::{self, Sent};
use crate::run::layers::{Flow, Ready};
use crate::run::serving::awaited;

/// Two messages being sent, one after the other.
pub(super) struct Both {
    send: Py<PyAny>,
    compression: Py<Compression>,
    stage: Stage,
    head: Py<PyDict>,
    message: Py<PyAny>,
    awaiting: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Head,
    Message,
}

impl Both {
    /// Parameters: where they go, the settings of the middleware, the first message and the second.
    pub(super) fn new(
        send: Py<PyAny>,
        compression: &Py<Compression>,
        head: &Bound<'_, PyDict>,
        message: &Bound<'_, PyAny>,
    ) -> Self {
        let (head, compression) = (head.clone().unbind(), compression.clone_ref(message.py()));
        Self { send, compression, stage: Stage::New, head, message: message.clone().unbind(), awaiting: None }
    }
}

impl Flow for Both {
    fn resume<'py>(&mut self, py: Python<'py>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
        let mut sent = sent;
        loop {
            if let Some(awaiting) = self.awaiting.take() {
                if let Sent::Yielded(waits) = py::resume(awaiting.bind(py), sent)? {
                    self.awaiting = Some(awaiting);
                    return Ok(Sent::Yielded(waits));
                }
            } else {
                sent?;
            }
            sent = Ok(py.None().into_bound(py));
            let message = match self.stage {
                Stage::New => self.head.bind(py).clone().into_any(),
                Stage::Head => self.message.bind(py).clone(),
                Stage::Message => return Ok(Sent::Ended),
            };
            self.stage = if self.stage == Stage::New { Stage::Head } else { Stage::Message };
            let sending = self.send.bind(py).call1((message,))?;
            if sending.is_exact_instance_of::<Ready>() {
                continue;
            }
            let layer = self.compression.bind(py).get().layer.bind(py).clone();
            self.awaiting = Some(awaited(&layer, sending)?.unbind());
        }
    }

    fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    fn awaiting(&self) -> Option<&Py<PyAny>> {
        self.awaiting.as_ref()
    }

    fn take_awaiting(&mut self) -> Option<Py<PyAny>> {
        self.awaiting.take()
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.send)?;
        visit.call(&self.compression)?;
        visit.call(&self.head)?;
        visit.call(&self.message)?;
        visit.call(&self.awaiting)
    }
}
