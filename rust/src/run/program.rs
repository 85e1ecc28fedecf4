//! `Program`: a route's plan in the form in which it is run.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyString, PyTuple};

use super::overrides::Overrides;
use crate::plan::{PlanError, required};
use crate::request::form::FormReader;
use crate::request::reader::Reader;
use crate::response::shape::Shape;

/// What a step does.
#[derive(Debug)]
pub(super) enum Action {
    /// Awaits what the callable returns.
    Call,
    /// Enters what the callable returns: an asynchronous generator, or an asynchronous context manager of ours.
    Context,
    /// Awaits `thread(callable, **arguments)`.
    Thread,
    /// Gives the callable a header of the request, as text or None; unless it is a token after this scheme, which is the result.
    Credentials { header: Vec<u8>, scheme: Option<Vec<u8>> },
    /// Has the result of another step.
    Same(usize),
}

/// One use of one callable.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) call: Py<PyAny>,
    /// Keyword arguments that are results of other steps: their names as a tuple for calls without a dictionary, and the steps.
    pub(super) fed: Py<PyTuple>,
    pub(super) feeders: Vec<usize>,
    /// Whether there are parameters of the request among the keyword arguments.
    pub(super) reads: bool,
    /// Keyword arguments that are objects of the exchange, each with how to get it.
    pub(super) specials: Vec<(Py<PyString>, Py<PyAny>)>,
}

/// How the endpoint's body parameters are read.
#[derive(Debug)]
pub(super) enum Body {
    /// One model, from its JSON bytes.
    Json { name: Py<PyString>, validate: Py<PyAny>, strict: bool },
    /// Plain fields of an urlencoded form.
    Form { reader: Py<FormReader>, max_fields: u64, max_part_size: u64 },
}

/// How the endpoint's result becomes a body.
#[derive(Debug)]
pub(super) enum Reply {
    /// Plain data as JSON.
    Data,
    /// By the response model, unless the result is a `response`: `validate(result, **options)`, then `to_json`, if the value is
    /// not of the `shape`. A model of plain data has that, and no options.
    Model {
        validate: Py<PyAny>,
        to_json: Py<PyAny>,
        options: Option<Py<PyDict>>,
        shape: Option<Shape>,
        response: Py<PyAny>,
    },
    /// A text as it is, if the response model, of plain texts, has nothing against it.
    Text { validate: Option<Py<PyAny>> },
    /// As Python does it.
    Other,
}

/// What a program is to run and how; only what is asked for by name is done in Python.
///
/// It never changes, so it has no `__clear__`. See `RouteTable`.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Program {
    pub(super) overrides: Overrides,
    /// None if no step has parameters to read before anything runs.
    pub(super) reader: Option<Py<Reader>>,
    pub(super) steps: Vec<Step>,
    pub(super) body: Option<Body>,
    pub(super) reply: Reply,
    pub(super) status: u16,
    pub(super) content_type: Vec<u8>,
    /// The effective route of an included one, which the exchange announces.
    pub(super) placed: Option<Py<PyAny>>,
    /// ferrapi's own handler of HTTP exceptions, whose answers are made here.
    pub(super) http_handler: Py<PyAny>,
    /// What goes on in Python: `ferrapi.routing._program.Reference`.
    pub(super) reference: Py<PyAny>,
}

#[pymethods]
impl Program {
    #[new]
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut steps = Vec::new();
        for item in required(plan, "steps")?.try_iter()? {
            steps.push(Step::new(&item?.cast_into::<PyDict>()?, steps.len())?);
        }
        let body = required(plan, "body")?;
        let reply = required(plan, "reply")?.cast_into::<PyDict>()?;
        let placed = required(plan, "placed")?;
        let reader = required(plan, "reader")?;
        if steps.is_empty() {
            return Err(PlanError::new_err("a program needs a step"));
        }
        Ok(Self {
            overrides: Overrides::new(required(plan, "provider")?.unbind(), required(plan, "settings")?.extract()?),
            reader: if reader.is_none() { None } else { Some(reader.cast_into::<Reader>()?.unbind()) },
            steps,
            body: if body.is_none() { None } else { Some(Body::new(&body.cast_into::<PyDict>()?)?) },
            status: required(&reply, "status")?.extract()?,
            content_type: required(&reply, "content_type")?.extract::<Vec<u8>>()?,
            reply: Reply::new(&reply)?,
            placed: if placed.is_none() { None } else { Some(placed.unbind()) },
            http_handler: required(plan, "http_handler")?.unbind(),
            reference: required(plan, "reference")?.unbind(),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.overrides.traverse(&visit)?;
        visit.call(&self.reader)?;
        visit.call(&self.placed)?;
        visit.call(&self.http_handler)?;
        visit.call(&self.reference)?;
        for step in &self.steps {
            visit.call(&step.call)?;
            for (_, get) in &step.specials {
                visit.call(get)?;
            }
        }
        match &self.body {
            Some(Body::Json { validate, .. }) => visit.call(validate)?,
            Some(Body::Form { reader, .. }) => visit.call(reader)?,
            None => {}
        }
        match &self.reply {
            Reply::Model { validate, to_json, response, .. } => {
                visit.call(validate)?;
                visit.call(to_json)?;
                visit.call(response)?;
            }
            Reply::Text { validate } => visit.call(validate)?,
            Reply::Data | Reply::Other => {}
        }
        Ok(())
    }
}

impl Step {
    /// Takes a `StepPlan` apart, the `index`-th of its program.
    fn new(plan: &Bound<'_, PyDict>, index: usize) -> PyResult<Self> {
        let action = match required(plan, "action")?.extract::<String>()?.as_str() {
            "call" => Action::Call,
            "context" => Action::Context,
            "thread" => Action::Thread,
            "credentials" => Action::Credentials {
                header: required(plan, "header")?.cast::<PyBytes>()?.as_bytes().to_vec(),
                scheme: required(plan, "token_scheme")?.extract()?,
            },
            "same" => Action::Same(before(required(plan, "same")?.extract()?, index)?),
            other => return Err(PlanError::new_err(format!("a step has the unknown action {other:?}"))),
        };
        let mut names = Vec::new();
        let mut feeders = Vec::new();
        for item in required(plan, "feeds")?.try_iter()? {
            let (name, feeder): (Bound<'_, PyString>, usize) = item?.extract()?;
            names.push(name);
            feeders.push(before(feeder, index)?);
        }
        Ok(Self {
            action,
            call: required(plan, "call")?.unbind(),
            fed: PyTuple::new(plan.py(), names)?.unbind(),
            feeders,
            reads: required(plan, "reads")?.extract()?,
            specials: required(plan, "specials")?.extract()?,
        })
    }
}

/// `step`, if it is one before the `index`-th.
fn before(step: usize, index: usize) -> PyResult<usize> {
    if step < index { Ok(step) } else { Err(PlanError::new_err("a step needs the result of a later one")) }
}

impl Body {
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(match required(plan, "kind")?.extract::<String>()?.as_str() {
            "json" => Self::Json {
                name: required(plan, "name")?.cast_into::<PyString>()?.unbind(),
                validate: required(plan, "validate")?.unbind(),
                strict: required(plan, "strict")?.extract()?,
            },
            "form" => Self::Form {
                reader: required(plan, "reader")?.cast_into::<FormReader>()?.unbind(),
                max_fields: required(plan, "max_fields")?.extract()?,
                max_part_size: required(plan, "max_part_size")?.extract()?,
            },
            other => return Err(PlanError::new_err(format!("a body is of the unknown kind {other:?}"))),
        })
    }
}

impl Reply {
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(match required(plan, "kind")?.extract::<String>()?.as_str() {
            "data" => Self::Data,
            "text" => {
                let validate = required(plan, "validate")?;
                Self::Text { validate: if validate.is_none() { None } else { Some(validate.unbind()) } }
            }
            "other" => Self::Other,
            "model" => {
                let shape = required(plan, "shape")?;
                let shape = if shape.is_none() { None } else { Some(Shape::new(&shape)?) };
                let options = match shape {
                    Some(_) => None,
                    None => Some([("from_attributes", true)].into_py_dict(plan.py())?.unbind()),
                };
                Self::Model {
                    validate: required(plan, "validate")?.unbind(),
                    to_json: required(plan, "to_json")?.unbind(),
                    options,
                    shape,
                    response: required(plan, "response")?.unbind(),
                }
            }
            other => return Err(PlanError::new_err(format!("a reply is of the unknown kind {other:?}"))),
        })
    }
}
