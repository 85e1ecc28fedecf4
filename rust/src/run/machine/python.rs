//! Going on in Python: the exchange is made, and a coroutine does what is left.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::{Machine, Next, Stage};
use crate::py;
use crate::run::program::{Body, Program};
use crate::run::serving::awaited;
use crate::run::transport::{Content, Transport};

impl Machine {
    /// Waits for an awaitable.
    pub(super) fn wait<'py>(
        &mut self,
        py: Python<'py>,
        stage: Stage,
        awaitable: Bound<'py, PyAny>,
    ) -> PyResult<Next<'py>> {
        self.stage = stage;
        if py::is_coroutine(&awaitable) {
            return Ok(Next::Await(awaitable));
        }
        Ok(Next::Await(awaited(&self.transport.layer(py)?, awaitable)?))
    }

    /// Lets Python do the rest: `function(exchange, *arguments)`, under guard.
    pub(super) fn delegate<'py>(
        &mut self,
        py: Python<'py>,
        function: &Bound<'py, PyAny>,
        arguments: Bound<'py, PyTuple>,
    ) -> PyResult<Next<'py>> {
        self.stage = Stage::Delegated;
        let exchange = self.exchange(py)?;
        let parts = (exchange, function, arguments);
        Ok(Next::Await(self.transport.layer(py)?.call_method1(intern!(py, "guard"), parts)?))
    }

    /// Lets Python serve the request from the beginning.
    pub(super) fn serve_in_python<'py>(&mut self, py: Python<'py>) -> PyResult<Next<'py>> {
        let Transport::Http(transport) = &self.transport else { return Ok(Next::Done) };
        let serve = transport.destination.target.bind(py).getattr(intern!(py, "serve"))?;
        self.delegate(py, &serve, (true,).into_pyobject(py)?)
    }

    /// Lets Python deal with an exception that no handler is for.
    pub(super) fn raise_in_python<'py>(&mut self, py: Python<'py>, error: PyErr) -> PyResult<Next<'py>> {
        let raise = self.transport.layer(py)?.getattr(intern!(py, "raise_again"))?;
        self.delegate(py, &raise, (error,).into_pyobject(py)?)
    }

    /// The request as Python knows it.
    pub(super) fn exchange<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(exchange) = &self.exchange {
            return Ok(exchange.bind(py).clone());
        }
        let exchange = self.transport.exchange(py)?;
        if let (Transport::Http(transport), Some(program)) = (&self.transport, &self.program) {
            let program = program.bind(py).get();
            if let Some(route) = &program.placed {
                exchange.call_method1(intern!(py, "place"), (route,))?;
            }
            let content = match (&program.body, &transport.content) {
                _ if program.before_body > 0 => None,
                (Some(Body::Json(_)), Content::Whole(content)) => Some(content.bind(py).clone()),
                (Some(Body::Json(_)), Content::Empty) => Some(PyBytes::new(py, b"")),
                _ => None,
            };
            // The body has been read before anybody sees the request.
            if let Some(content) = content {
                exchange.setattr(intern!(py, "raw"), content)?;
                exchange.setattr(intern!(py, "taken"), true)?;
            }
        }
        self.exchange = Some(exchange.clone().unbind());
        Ok(exchange)
    }

    pub(super) fn program(&self, py: Python<'_>) -> PyResult<Py<Program>> {
        let program = self.program.as_ref().map(|program| program.clone_ref(py));
        program.ok_or_else(|| PyTypeError::new_err("a request without a program waits for a step"))
    }

    pub(super) fn reference<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.program(py)?.bind(py).get().reference.bind(py).clone())
    }
}
