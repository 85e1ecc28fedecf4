//! `Front` and `End`: how requests come into an application and to its router, natively where nothing stands in between.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::run::Entrance;
use crate::version_counter::VersionCounter;
use crate::watch::TypeWatch;

/// The way into applications of one class.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Front {
    settings: Py<VersionCounter>,
    watch: Py<TypeWatch>,
}

/// The innermost layer of an application. A subclass says in `settings_version` what counts edits, and has `entrance`, and
/// `_is_open` as of `_as_of`; `goes_short` looks again.
#[pyclass(subclass, frozen, module = "ferrapi._native")]
pub(crate) struct End {
    settings: Py<VersionCounter>,
}

#[pymethods]
impl Front {
    /// Parameters:
    ///     settings: the version counter of applications.
    ///     watch: notices that a class was changed, and announces that as an edit.
    #[new]
    fn new(settings: Py<VersionCounter>, watch: Py<TypeWatch>) -> Self {
        Self { settings, watch }
    }

    /// What serves an HTTP request, which is to be awaited; None if Starlette's class has to be asked.
    ///
    /// The application's `_way` is what does, as of `_way_as_of`; `_find_way` looks again.
    pub(crate) fn enter<'py>(
        &self,
        app: &Bound<'py, PyAny>,
        scope: &Bound<'py, PyAny>,
        receive: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = app.py();
        self.watch.get().look(py)?;
        let root_path = app.getattr(intern!(py, "root_path"))?;
        if root_path.is_truthy()? {
            scope.set_item(intern!(py, "root_path"), root_path)?;
        }
        let way = if stands(app, intern!(py, "_way_as_of"), &self.settings)? {
            app.getattr(intern!(py, "_way"))?
        } else {
            app.call_method0(intern!(py, "_find_way"))?
        };
        if way.is_none() || !is_http(scope)? {
            return Ok(None);
        }
        scope.set_item(intern!(py, "app"), app)?;
        way.call1((scope, receive, send)).map(Some)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.settings)?;
        visit.call(&self.watch)
    }
}

#[pymethods]
impl End {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(
        cls: &Bound<'_, PyType>,
        _arguments: &Bound<'_, PyTuple>,
        _options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let settings = cls.getattr(intern!(cls.py(), "settings_version"))?.cast_into()?.unbind();
        Ok(Self { settings })
    }

    /// What serves an HTTP request, which is to be awaited; None if Starlette's class has to be asked.
    pub(super) fn enter<'py>(
        slf: &Bound<'py, Self>,
        scope: &Bound<'py, PyAny>,
        receive: &Bound<'py, PyAny>,
        send: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        if !is_http(scope)? {
            return Ok(None);
        }
        let is_open = if stands(slf, intern!(py, "_as_of"), &slf.get().settings)? {
            slf.getattr(intern!(py, "_is_open"))?
        } else {
            slf.call_method0(intern!(py, "goes_short"))?
        };
        if !is_open.is_truthy()? {
            return Ok(None);
        }
        let entrance = slf.getattr(intern!(py, "entrance"))?.cast_into::<Entrance>()?;
        let (receive, send) = (receive.clone().unbind(), send.clone().unbind());
        Ok(Some(Entrance::serve_inside_stack(&entrance, scope.clone(), receive, send)?.into_any()))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.settings)
    }
}

/// Whether the edit that an object was made as of is the last one.
fn stands(object: &Bound<'_, PyAny>, name: &Bound<'_, PyString>, settings: &Py<VersionCounter>) -> PyResult<bool> {
    let as_of = object.getattr(name)?.extract::<i64>()?;
    Ok(u64::try_from(as_of).is_ok_and(|as_of| as_of == settings.get().current()))
}

fn is_http(scope: &Bound<'_, PyAny>) -> PyResult<bool> {
    let kind = scope.get_item(intern!(scope.py(), "type"))?;
    Ok(kind.cast::<PyString>().is_ok_and(|kind| kind == "http"))
}
