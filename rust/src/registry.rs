//! `Registry`: the two things that a `weakref.WeakSet` does for each object that comes and goes, without Python.
//!
//! asyncio notes every task in a `WeakSet`. That class is written in Python, so a task costs a call of Python to put it in, and
//! another one when it is freed. These do what `WeakSet.add` and the callback of its references do. The tasks of the HTTP/1.1
//! transport's requests are not put in at all: their server has them in a set, which `ferrapi/server/_registry.py` looks at.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PySet, PyType, PyWeakrefReference};

use crate::run::Serving;

/// A quicker way into one weak set.
///
/// It never changes, so it has no `__clear__`. See `RouteTable`.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Registry {
    data: Py<PySet>,
    pending: Py<PyList>,
    /// The set's own `add`, for when there are removals to make up for.
    plain_add: Py<PyAny>,
    /// Called with a reference when its object is freed.
    remove: Py<PyAny>,
    /// The class of the tasks that the transport makes.
    task: Py<PyType>,
}

#[pymethods]
impl Registry {
    /// A way into `weak_set`, which finds the transport's tasks, of the class `task`, elsewhere.
    #[new]
    fn new(weak_set: &Bound<'_, PyAny>, task: Py<PyType>) -> PyResult<Self> {
        let py = weak_set.py();
        let data = weak_set.getattr(intern!(py, "data"))?.cast_into::<PySet>()?.unbind();
        let pending = weak_set.getattr(intern!(py, "_pending_removals"))?.cast_into::<PyList>()?.unbind();
        let iterating = weak_set.getattr(intern!(py, "_iterating"))?.cast_into::<PySet>()?.unbind();
        let remover = Remover { data: data.clone_ref(py), pending: pending.clone_ref(py), iterating };
        Ok(Self {
            data,
            pending,
            plain_add: weak_set.getattr(intern!(py, "add"))?.unbind(),
            task,
            remove: Bound::new(py, remover)?.getattr(intern!(py, "remove"))?.unbind(),
        })
    }

    /// Put an object into the set, unless it is the task of a request of the transport.
    fn add(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = item.py();
        if item.get_type().is(&self.task)
            && let Ok(serving) = item.call_method0(intern!(py, "get_coro"))?.cast::<Serving>()
            && serving.get().has_own_task()
        {
            return Ok(());
        }
        if self.pending.bind(py).is_empty() {
            self.data.bind(py).add(PyWeakrefReference::new_with(item, self.remove.bind(py))?)
        } else {
            self.plain_add.bind(py).call1((item,)).map(drop)
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.data)?;
        visit.call(&self.pending)?;
        visit.call(&self.plain_add)?;
        visit.call(&self.remove)?;
        visit.call(&self.task)
    }
}

/// Takes the references of freed objects out of a weak set.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Remover {
    data: Py<PySet>,
    pending: Py<PyList>,
    iterating: Py<PySet>,
}

#[pymethods]
impl Remover {
    /// Take a reference out, or have it taken out when nobody goes through the set any more.
    fn remove(&self, reference: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = reference.py();
        if self.iterating.bind(py).is_empty() {
            self.data.bind(py).discard(reference).map(drop)
        } else {
            self.pending.bind(py).append(reference)
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.data)?;
        visit.call(&self.pending)?;
        visit.call(&self.iterating)
    }
}
