//! What `await` does with the object that it awaits: the iterator protocol of PEP 380 and PEP 492.

use std::ptr;

use pyo3::exceptions::{PyStopAsyncIteration, PyStopIteration, PyTypeError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::attributes::attribute;
use super::guard::guarded;

/// What a step of an awaited object came to, unless it raised.
pub(crate) enum Sent<'py> {
    /// It waits: this goes up to the event loop.
    Yielded(Bound<'py, PyAny>),
    /// It is done: this is what `await` evaluates to.
    Returned(Bound<'py, PyAny>),
    /// It is the step of an asynchronous generator, which is done.
    Ended,
}

/// Sends `value` into `iterator`, a coroutine or what `__await__` returned.
pub(crate) fn send<'py>(iterator: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<Sent<'py>> {
    let py = iterator.py();
    let mut result = ptr::null_mut();
    // SAFETY: both are live objects of this interpreter, to which we are attached; `result` takes a pointer. Any object will do:
    // one without the protocol makes it raise.
    let status = unsafe { ffi::PyIter_Send(iterator.as_ptr(), value.as_ptr(), &raw mut result) };
    // SAFETY: what the call stores, if anything, is a new reference. Nothing is said of what is stored after an error.
    let taken = |result| unsafe { Bound::from_owned_ptr_or_opt(py, result) };
    match status {
        ffi::PySendResult::PYGEN_NEXT => taken(result).map(Sent::Yielded),
        ffi::PySendResult::PYGEN_RETURN => taken(result).map(Sent::Returned),
        ffi::PySendResult::PYGEN_ERROR => return ended(iterator, PyErr::fetch(py)),
    }
    .ok_or_else(|| PyErr::fetch(py))
}

/// Goes on with `iterator`: sends a value into it, or throws an exception. A panic is an exception, too.
pub(crate) fn resume<'py>(iterator: &Bound<'py, PyAny>, sent: PyResult<Bound<'py, PyAny>>) -> PyResult<Sent<'py>> {
    guarded(|| match sent {
        Ok(value) => send(iterator, &value),
        Err(error) => throw(iterator, error),
    })
}

/// What it means that `iterator` has raised: that it was the last step of an asynchronous generator, or the exception.
///
/// A coroutine, of an `async def` or not (ours, Cython's), may raise `StopAsyncIteration`, too. It is an exception like others then.
fn ended<'py>(iterator: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Sent<'py>> {
    let py = iterator.py();
    let may_be = error.is_instance_of::<PyStopAsyncIteration>(py) && !is_coroutine(iterator);
    if may_be && attribute(iterator, intern!(py, "cr_await"))?.is_none() { Ok(Sent::Ended) } else { Err(error) }
}

/// Throws `error` into `iterator`; into whoever awaits it, if it can't take exceptions.
pub(crate) fn throw<'py>(iterator: &Bound<'py, PyAny>, error: PyErr) -> PyResult<Sent<'py>> {
    let py = iterator.py();
    let Some(method) = attribute(iterator, intern!(py, "throw"))? else { return Err(error) };
    match method.call1((error,)) {
        Ok(yielded) => Ok(Sent::Yielded(yielded)),
        Err(raised) if raised.is_instance_of::<PyStopIteration>(py) => {
            Ok(Sent::Returned(raised.value(py).getattr(intern!(py, "value"))?))
        }
        Err(raised) => Err(raised),
    }
}

/// Closes `iterator`, if it can be closed.
pub(crate) fn close(iterator: &Bound<'_, PyAny>) -> PyResult<()> {
    match attribute(iterator, intern!(iterator.py(), "close"))? {
        Some(method) => method.call0().map(drop),
        None => Ok(()),
    }
}

/// Whether `object` is a coroutine of an `async def`, which is its own iterator.
pub(crate) fn is_coroutine(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object; nothing is read but its type.
    unsafe { ffi::PyCoro_CheckExact(object.as_ptr()) != 0 }
}

/// Whether `object` is an asynchronous generator of an `async def`.
pub(crate) fn is_async_generator(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: as above.
    unsafe { ffi::PyAsyncGen_CheckExact(object.as_ptr()) != 0 }
}

/// Whether `object` is a generator of a `def`.
pub(crate) fn is_generator(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: as above.
    unsafe { ffi::PyGen_CheckExact(object.as_ptr()) != 0 }
}

/// The exception that `throw` is given, in one of the ways of giving one.
pub(crate) fn exception<'py>(
    kind: &Bound<'py, PyAny>,
    value: Option<Bound<'py, PyAny>>,
    traceback: Option<Bound<'py, PyAny>>,
) -> PyResult<PyErr> {
    let value = value.filter(|value| !value.is_none());
    let instance = match (kind.cast::<PyType>(), value) {
        (Err(_), None) => kind.clone(),
        (Err(_), Some(_)) => return Err(PyTypeError::new_err("instance exception may not have a separate value")),
        (Ok(kind), Some(value)) if value.is_instance(kind)? => value,
        (Ok(kind), Some(value)) => match value.cast_into::<PyTuple>() {
            Ok(arguments) => kind.call1(arguments)?,
            Err(other) => kind.call1((other.into_inner(),))?,
        },
        (Ok(kind), None) => kind.call0()?,
    };
    if let Some(traceback) = traceback.filter(|traceback| !traceback.is_none()) {
        instance.setattr(intern!(instance.py(), "__traceback__"), traceback)?;
    }
    Ok(PyErr::from_value(instance))
}
