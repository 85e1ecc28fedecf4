//! `Shape`: what plain data a response model describes, and the JSON text of values that have it.
//!
//! pydantic validates a value and then serializes it, each by its schema. For schemas of plain data the text is what the value is
//! in JSON, as long as validation gave what the schema says, which pydantic's serializer looks at, and so does this: it is
//! strange what validation lets through sometimes (the value of an enumeration as an integer). What isn't of the shape is left to
//! pydantic.

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyList, PyString, PyTuple};

use super::json::{self, Room};
use crate::plan::PlanError;
use crate::py;

/// How deep shapes are that are taken.
const MAX_DEPTH: usize = 32;

/// What a value has to be.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Anything that is plain but for floats, which pydantic writes in another way.
    Any,
    Bool,
    Int,
    None,
    Str,
    /// None or something.
    Nullable(Box<Shape>),
    List(Box<Shape>),
    /// With texts as keys.
    Dict(Box<Shape>),
}

impl Shape {
    /// Takes what Python says of a shape apart: a word, or a pair of a word and a shape.
    pub(crate) fn new(plan: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::at_depth(plan, MAX_DEPTH)
    }

    fn at_depth(plan: &Bound<'_, PyAny>, depth: usize) -> PyResult<Self> {
        let Some(depth) = depth.checked_sub(1) else { return Err(PyRecursionError::new_err("a shape is too deep")) };
        if let Ok(pair) = plan.cast::<PyTuple>() {
            let (word, inner): (String, Bound<'_, PyAny>) = pair.extract()?;
            let inner = Box::new(Self::at_depth(&inner, depth)?);
            return match word.as_str() {
                "nullable" => Ok(Self::Nullable(inner)),
                "list" => Ok(Self::List(inner)),
                "dict" => Ok(Self::Dict(inner)),
                other => Err(PlanError::new_err(format!("there is no shape {other:?} of something"))),
            };
        }
        match plan.extract::<String>()?.as_str() {
            "any" => Ok(Self::Any),
            "bool" => Ok(Self::Bool),
            "int" => Ok(Self::Int),
            "none" => Ok(Self::None),
            "str" => Ok(Self::Str),
            other => Err(PlanError::new_err(format!("there is no shape {other:?}"))),
        }
    }

    /// The JSON text of `value`, or None if it is of another shape.
    pub(crate) fn encode(&self, value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
        let mut out = Vec::with_capacity(128);
        Ok(if self.append(value, &mut out)? { Some(out) } else { None })
    }

    /// Appends `value`; answers whether it could. Recurses as deep as the shape is.
    fn append(&self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<bool> {
        let fits = match self {
            Self::Any => return json::encode(value, out, Room::WITHOUT_FLOATS),
            Self::Nullable(_) if value.is_none() => true,
            Self::Nullable(inner) => return inner.append(value, out),
            Self::None => value.is_none(),
            Self::Bool => value.is_exact_instance_of::<PyBool>(),
            Self::Int => value.is_exact_instance_of::<PyInt>(),
            Self::Str => value.is_exact_instance_of::<PyString>(),
            Self::List(inner) => return append_list(value, inner, out),
            Self::Dict(inner) => return append_dict(value, inner, out),
        };
        if fits { json::encode(value, out, Room::WITHOUT_FLOATS) } else { Ok(false) }
    }
}

fn append_list(value: &Bound<'_, PyAny>, shape: &Shape, out: &mut Vec<u8>) -> PyResult<bool> {
    let Ok(list) = value.cast_exact::<PyList>() else { return Ok(false) };
    out.push(b'[');
    for (position, item) in list.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if !shape.append(&item, out)? {
            return Ok(false);
        }
    }
    out.push(b']');
    Ok(true)
}

fn append_dict(value: &Bound<'_, PyAny>, shape: &Shape, out: &mut Vec<u8>) -> PyResult<bool> {
    let Ok(mapping) = value.cast_exact::<PyDict>() else { return Ok(false) };
    out.push(b'{');
    for (position, (key, item)) in py::items(mapping).into_iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        if !Shape::Str.append(&key, out)? {
            return Ok(false);
        }
        out.push(b':');
        if !shape.append(&item, out)? {
            return Ok(false);
        }
    }
    out.push(b'}');
    Ok(true)
}
