//! What a request has for the parameters of a callable, wherever they are sent: as single values, or as the dictionary of a model
//! that stands for its whole source.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smallvec::SmallVec;

use crate::plan::{Absent, Group, Param, ParamModel, Source};

/// What is sent under a name, or for a parameter.
pub(super) enum Sent<'py> {
    Value(Bound<'py, PyAny>),
    /// A text of a form that says nothing, so that the next name counts.
    Blank,
    Nothing,
    /// What only Python can read, or knows how to refuse.
    Other,
}

impl<'py> From<Option<Bound<'py, PyAny>>> for Sent<'py> {
    fn from(value: Option<Bound<'py, PyAny>>) -> Self {
        value.map_or(Self::Nothing, Self::Value)
    }
}

/// Where values have names.
pub(super) trait Named<'py> {
    /// What was sent under a name: all values as a list if `many`.
    fn named(&mut self, source: Source, name: &str, many: bool) -> PyResult<Sent<'py>>;

    /// Whether nothing was sent under any other name. What can't be known is answered with no.
    fn has_only(&mut self, source: Source, names: &[&str]) -> PyResult<bool>;
}

/// The keyword arguments of a callable; None if any of them is missing or invalid.
pub(super) fn read_group<'py>(
    py: Python<'py>,
    group: &Group,
    place: &mut impl Named<'py>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let values = PyDict::new(py);
    let (mut is_complete, mut is_in_order) = (true, true);
    for param in &group.params {
        match (value(py, param, place)?, &param.absent) {
            (Sent::Value(value), _) => {
                values.set_item(&param.key, value)?;
                is_in_order = is_complete;
            }
            (Sent::Other, _) | (_, Absent::Error) => return Ok(None),
            _ => is_complete = false,
        }
    }
    let Some(validator) = &group.validator else { return Ok(Some(values.into_any())) };
    let validated = match validator.bind(py).call1((values,)) {
        Ok(validated) => validated,
        // pydantic's ValidationError is a ValueError.
        Err(error) if error.is_instance_of::<PyValueError>(py) => return Ok(None),
        Err(error) => return Err(error),
    };
    if is_complete {
        return Ok(Some(validated));
    }
    let values = validated.cast_into::<PyDict>()?;
    if is_in_order {
        add_defaults(group, &values, &values)?;
        return Ok(Some(values.into_any()));
    }
    let ordered = PyDict::new(py);
    add_defaults(group, &values, &ordered)?;
    Ok(Some(ordered.into_any()))
}

fn value<'py>(py: Python<'py>, param: &Param, place: &mut impl Named<'py>) -> PyResult<Sent<'py>> {
    if let Some(model) = &param.model {
        return whole(py, param.source, model, place);
    }
    for name in &param.names {
        let sent = place.named(param.source, name, param.many)?;
        if matches!(sent, Sent::Value(_) | Sent::Other) {
            return Ok(sent);
        }
    }
    Ok(Sent::Nothing)
}

/// The dictionary that a model is made of. The first name of each field that says something counts.
fn whole<'py>(py: Python<'py>, source: Source, model: &ParamModel, place: &mut impl Named<'py>) -> PyResult<Sent<'py>> {
    let values = PyDict::new(py);
    let mut used: SmallVec<[&str; 16]> = SmallVec::new();
    for field in &model.fields {
        for (name, key) in &field.names {
            match place.named(source, name, field.many)? {
                Sent::Nothing => {}
                Sent::Other => return Ok(Sent::Other),
                Sent::Blank => used.push(name),
                Sent::Value(value) => {
                    used.push(name);
                    values.set_item(key, value)?;
                    break;
                }
            }
        }
    }
    if model.forbids && !place.has_only(source, &used)? {
        return Ok(Sent::Other);
    }
    Ok(if model.optional && used.is_empty() { Sent::Nothing } else { Sent::Value(values.into_any()) })
}

/// Adds what is absent from the values to `to`, which is the same dictionary, or gets all of them in the order of declaration.
fn add_defaults<'py>(group: &Group, values: &Bound<'py, PyDict>, to: &Bound<'py, PyDict>) -> PyResult<()> {
    let py = values.py();
    for param in &group.params {
        if let Some(value) = values.get_item(&param.key)? {
            if !to.is(values) {
                to.set_item(&param.key, value)?;
            }
            continue;
        }
        match &param.absent {
            Absent::Error => {}
            Absent::Value(value) => to.set_item(&param.key, value)?,
            Absent::Call(make) => to.set_item(&param.key, make.bind(py).call0()?)?,
        }
    }
    Ok(())
}
