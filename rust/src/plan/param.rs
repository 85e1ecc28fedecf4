//! The parameters of one callable.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::{PlanError, required};

/// Where a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `scope["path_params"]`, already converted.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// The `Cookie` headers.
    Cookie,
    /// The fields of a form.
    Form,
}

/// What a parameter that isn't sent means.
#[derive(Debug)]
pub(crate) enum Absent {
    /// An error.
    Error,
    /// This immutable value.
    Value(Py<PyAny>),
    /// What this callable returns.
    Call(Py<PyAny>),
}

/// One parameter.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) source: Source,
    pub(crate) key: Py<PyString>,
    pub(crate) names: Vec<String>,
    pub(crate) many: bool,
    pub(crate) absent: Absent,
    /// How the dictionary is read that it is made of, if it is a model that stands for its whole source.
    pub(crate) model: Option<ParamModel>,
}

/// A model that stands for a whole source.
#[derive(Debug)]
pub(crate) struct ParamModel {
    pub(crate) fields: Vec<ParamField>,
    /// Whether only what its fields have may be sent.
    pub(crate) forbids: bool,
    /// Whether it is absent if nothing of it is sent.
    pub(crate) optional: bool,
}

/// A field of a model that stands for a whole source.
#[derive(Debug)]
pub(crate) struct ParamField {
    /// The names that it may be sent under, preferred first, each with the key under which the model knows it.
    pub(crate) names: Vec<(String, Py<PyString>)>,
    pub(crate) many: bool,
}

/// The parameters of one callable and the validator of the dictionary that holds them.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) params: Vec<Param>,
    /// The method that validates it.
    pub(crate) validator: Option<Py<PyAny>>,
}

impl Param {
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        let source = match required(plan, "source")?.extract::<String>()?.as_str() {
            "path" => Source::Path,
            "query" => Source::Query,
            "header" => Source::Header,
            "cookie" => Source::Cookie,
            "form" => Source::Form,
            other => return Err(PlanError::new_err(format!("a parameter has the unknown source {other:?}"))),
        };
        let names: Vec<String> = required(plan, "names")?.extract()?;
        if names.is_empty() {
            return Err(PlanError::new_err("a parameter needs a name"));
        }
        let absent = if let Some(value) = plan.get_item("default")? {
            Absent::Value(value.unbind())
        } else if let Some(make) = plan.get_item("make_default")? {
            Absent::Call(make.unbind())
        } else {
            Absent::Error
        };
        let key = required(plan, "key")?.cast_into::<PyString>()?;
        let model = match plan.get_item("model")? {
            Some(model) => Some(ParamModel::new(&model.cast_into::<PyDict>()?)?),
            None => None,
        };
        Ok(Self { source, key: key.unbind(), names, many: required(plan, "many")?.extract()?, absent, model })
    }
}

impl ParamModel {
    /// Takes a `ParamModelPlan` apart.
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut fields = Vec::new();
        for item in required(plan, "fields")?.try_iter()? {
            let (names, many) = item?.extract()?;
            fields.push(ParamField { names, many });
        }
        Ok(Self {
            fields,
            forbids: required(plan, "forbids")?.extract()?,
            optional: required(plan, "optional")?.extract()?,
        })
    }
}

impl Group {
    /// Takes a `GroupPlan` apart.
    pub(crate) fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut params = Vec::new();
        for item in required(plan, "params")?.try_iter()? {
            params.push(Param::new(&item?.cast_into::<PyDict>()?)?);
        }
        let validator = required(plan, "validator")?;
        let validator = if validator.is_none() { None } else { Some(validator.getattr("validate_python")?.unbind()) };
        if validator.is_none() && !params.is_empty() {
            return Err(PlanError::new_err("parameters need a validator"));
        }
        Ok(Self { params, validator })
    }

    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.validator)?;
        for param in &self.params {
            match &param.absent {
                Absent::Error => {}
                Absent::Value(object) | Absent::Call(object) => visit.call(object)?,
            }
        }
        Ok(())
    }
}
