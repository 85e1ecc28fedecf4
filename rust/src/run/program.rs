//! `Program`: a route's plan in the form in which it is run.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyString, PyTuple};

use super::given::{self, Goal};
use super::overrides::Overrides;
use super::serving::Serving;
use crate::plan::{PlanError, required};
use crate::request::form::FormReader;
use crate::request::reader::Reader;
use crate::response::shape::Shape;

/// What a step does.
#[derive(Debug)]
pub(super) enum Action {
    /// Awaits what the callable returns.
    Call,
    /// Takes what the callable returns as it is.
    Make,
    /// Enters what the callable returns: an asynchronous generator, or an asynchronous context manager of ours.
    Context,
    /// Awaits `thread(callable, **arguments)`.
    Thread,
    /// Gives the callable a header of the request, as text or None; unless it is a token after this scheme, which is the result.
    Credentials { header: Vec<u8>, scheme: Option<Vec<u8>> },
}

/// What is done in a worker thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threaded {
    /// The callable is called.
    Call,
    /// The generator that it returns is run to its first `yield`.
    Enter,
}

/// One use of one callable.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) action: Action,
    pub(super) call: Py<PyAny>,
    /// Keyword arguments that are results of other steps: their names as a tuple for calls without a dictionary, and the steps.
    pub(super) fed: Py<PyTuple>,
    pub(super) feeders: Vec<usize>,
    /// Whether there are parameters of the request among the keyword arguments, but for the body's.
    pub(super) has_params: bool,
    /// Whether these are read when the step's turn comes, because validating them may run code of the user's.
    pub(super) is_late: bool,
    /// The keyword arguments that are from the body.
    pub(super) fields: Option<Fields>,
    /// The step whose result it has, unless that one has failed.
    pub(super) same: Option<usize>,
    /// The steps of its dependencies.
    pub(super) children: Vec<usize>,
    /// Whether it runs in a worker thread, in whatever way.
    pub(super) is_threaded: bool,
    /// How it takes part in a hop to a worker thread, with the callable; None if it runs in the event loop's thread, or by itself.
    pub(super) hop: Option<(Threaded, Py<PyAny>)>,
    /// Whether the context that it enters ends before the response is sent.
    pub(super) for_function: bool,
    /// Keyword arguments that are objects of the exchange, each with how to get it.
    pub(super) specials: Vec<(Py<PyString>, Py<PyAny>)>,
}

/// Keyword arguments from the body.
#[derive(Debug)]
pub(super) struct Fields {
    /// Whether the only one is the whole body, rather than a key of it.
    pub(super) is_whole: bool,
    /// Whether validating them runs no code of the user's, so that it can't be observed when that is done.
    pub(super) is_quiet: bool,
    /// What reads them all from a form.
    pub(super) form: Option<Py<FormReader>>,
    pub(super) list: Vec<Field>,
}

/// A keyword argument from the body.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Py<PyString>,
    /// The keys that it may be under, preferred first.
    pub(super) keys: Vec<Py<PyString>>,
    /// `validate(value, from_attributes=True)`.
    pub(super) validate: Py<PyAny>,
    /// The declaration, for Python.
    pub(super) field: Py<PyAny>,
}

/// How the body is read, before any step.
#[derive(Debug)]
pub(super) enum Body {
    /// JSON.
    Json(Json),
    /// A form.
    Form { plain: Option<PlainForm> },
}

/// A body that is JSON.
#[derive(Debug)]
pub(super) struct Json {
    /// Whether a request without a content type has none.
    pub(super) strict: bool,
    /// `from_json(bytes)`: a quick parser, which accepts nothing that the standard library's reads differently, but for numbers
    /// with very many digits.
    pub(super) from_json: Py<PyAny>,
    /// The bytes above which the mistakes in it are found out one by one.
    pub(super) large: usize,
    /// The bytes above which it is not validated before its step's turn has come.
    pub(super) held: usize,
    pub(super) model: Option<Model>,
}

/// The one keyword argument from the body, which is validated from its bytes. When that is done can't be observed.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) step: usize,
    pub(super) name: Py<PyString>,
    pub(super) validate: Py<PyAny>,
    /// What validates a large body: it stops at the first mistake.
    pub(super) large: Option<Py<PyAny>>,
}

/// Plain fields of an urlencoded form, all of one step.
#[derive(Debug)]
pub(super) struct PlainForm {
    pub(super) step: usize,
    pub(super) reader: Py<FormReader>,
    pub(super) max_fields: u64,
    pub(super) max_part_size: u64,
}

/// How the endpoint's result becomes a body.
#[derive(Debug)]
pub(super) enum Reply {
    /// Plain data as JSON.
    Data,
    /// By the response model: `validate(result, **options)`, then `to_json`, if the value is
    /// not of the `shape`. A model of plain data has that, and no options.
    Model { validate: Py<PyAny>, to_json: Py<PyAny>, options: Option<Py<PyDict>>, shape: Option<Shape> },
    /// A text as it is, if the response model, of plain texts, has nothing against it.
    Text { validate: Option<Py<PyAny>> },
    /// As pieces: Python makes a response of what the endpoint has made. `items`: the class of what has generators, and how to
    /// encode their items. `is_noted`: whether it needs the exchange. `events`: the class of the response, if the items are
    /// server-sent events.
    Stream { items: Py<PyAny>, is_noted: bool, events: Option<Py<PyAny>> },
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
    /// The number of steps that run before the body is read, and mistakes in which are told alone.
    pub(super) before_body: usize,
    pub(super) reply: Reply,
    /// Whether what the endpoint returns is validated in a thread.
    pub(super) reply_in_thread: bool,
    pub(super) status: u16,
    pub(super) content_type: Vec<u8>,
    /// The effective route of an included one, which the exchange announces.
    pub(super) placed: Option<Py<PyAny>>,
    /// The class of responses, and its method that sends one.
    pub(super) response: Py<PyAny>,
    pub(super) response_call: Py<PyAny>,
    /// Starlette's class of responses in pieces, unless somebody has changed it.
    pub(super) stream: Option<Py<PyAny>>,
    /// ferrapi's own handler of HTTP exceptions, whose answers are made here.
    pub(super) http_handler: Py<PyAny>,
    /// All of ferrapi's own exception handlers.
    pub(super) own_handlers: Vec<Py<PyAny>>,
    /// What goes on in Python: `ferrapi.compile.program.Reference`.
    pub(super) reference: Py<PyAny>,
    /// What is called for each request, if they are counted.
    pub(super) counts: Option<Py<PyAny>>,
    /// Whether it calls a handler of a route, in which the engine runs: there is an exit stack around that in the scope, and who
    /// follows the request follows what is inside.
    pub(super) is_handler: bool,
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
            overrides: Overrides::new(
                required(plan, "provider")?.unbind(),
                required(plan, "settings")?.extract()?,
                required(plan, "overrides")?,
            ),
            reader: if reader.is_none() { None } else { Some(reader.cast_into::<Reader>()?.unbind()) },
            body: if body.is_none() { None } else { Some(Body::new(&body.cast_into::<PyDict>()?, steps.len())?) },
            steps,
            before_body: required(plan, "before_body")?.extract()?,
            reply_in_thread: required(&reply, "in_thread")?.extract()?,
            status: required(&reply, "status")?.extract()?,
            content_type: required(&reply, "content_type")?.extract::<Vec<u8>>()?,
            reply: Reply::new(&reply)?,
            placed: if placed.is_none() { None } else { Some(placed.unbind()) },
            response: required(&reply, "response")?.unbind(),
            response_call: required(&reply, "response_call")?.unbind(),
            stream: required(&reply, "stream")?.extract()?,
            http_handler: required(plan, "http_handler")?.unbind(),
            own_handlers: required(plan, "own_handlers")?.extract()?,
            reference: required(plan, "reference")?.unbind(),
            counts: required(plan, "counts")?.extract()?,
            is_handler: required(plan, "is_handler")?.extract()?,
        })
    }

    /// A coroutine that serves a request which Python has as an `exchange`.
    ///
    /// `layer` guards what is done in Python. If it `returns`, the coroutine returns the response and sends nothing, contexts are
    /// entered on the exit stacks of the exchange, and whatever is raised comes out.
    fn serve<'py>(
        slf: &Bound<'py, Self>,
        layer: Py<PyAny>,
        exchange: &Bound<'py, PyAny>,
        returns: bool,
    ) -> PyResult<Bound<'py, Serving>> {
        given::serve(slf, layer, exchange, if returns { Goal::Returned } else { Goal::Sent })
    }

    /// A coroutine that runs the dependencies of a request, and returns the endpoint's keyword arguments, as far as they are valid,
    /// and the mistakes in the request.
    ///
    /// `body` is what its body says. Results of dependencies are taken from `cache`, and put into it, if there is one. Contexts are
    /// entered on the exit stacks of the exchange, and whatever is raised comes out.
    #[pyo3(signature = (layer, exchange, body, cache=None))]
    fn solve<'py>(
        slf: &Bound<'py, Self>,
        layer: Py<PyAny>,
        exchange: &Bound<'py, PyAny>,
        body: Py<PyAny>,
        cache: Option<Py<PyDict>>,
    ) -> PyResult<Bound<'py, Serving>> {
        given::solve(slf, layer, exchange, body, cache)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.overrides.traverse(&visit)?;
        visit.call(&self.reader)?;
        visit.call(&self.placed)?;
        visit.call(&self.response)?;
        visit.call(&self.response_call)?;
        visit.call(&self.stream)?;
        visit.call(&self.http_handler)?;
        self.own_handlers.iter().try_for_each(|handler| visit.call(handler))?;
        visit.call(&self.reference)?;
        visit.call(&self.counts)?;
        for step in &self.steps {
            visit.call(&step.call)?;
            if let Some((_, call)) = &step.hop {
                visit.call(call)?;
            }
            for (_, get) in &step.specials {
                visit.call(get)?;
            }
            if let Some(fields) = &step.fields {
                visit.call(&fields.form)?;
                for field in &fields.list {
                    visit.call(&field.validate)?;
                    visit.call(&field.field)?;
                }
            }
        }
        match &self.body {
            Some(Body::Json(json)) => {
                visit.call(&json.from_json)?;
                if let Some(model) = &json.model {
                    visit.call(&model.validate)?;
                    visit.call(&model.large)?;
                }
            }
            Some(Body::Form { plain: Some(plain) }) => visit.call(&plain.reader)?,
            Some(Body::Form { plain: None }) | None => {}
        }
        match &self.reply {
            Reply::Model { validate, to_json, options, .. } => {
                visit.call(validate)?;
                visit.call(to_json)?;
                visit.call(options)?;
            }
            Reply::Text { validate } => visit.call(validate)?,
            Reply::Stream { items, events, .. } => {
                visit.call(items)?;
                visit.call(events)?;
            }
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
            "make" => Action::Make,
            "credentials" => Action::Credentials {
                header: required(plan, "header")?.cast::<PyBytes>()?.as_bytes().to_vec(),
                scheme: required(plan, "token_scheme")?.extract()?,
            },
            other => return Err(PlanError::new_err(format!("a step has the unknown action {other:?}"))),
        };
        let mut names = Vec::new();
        let mut feeders = Vec::new();
        for item in required(plan, "feeds")?.try_iter()? {
            let (name, feeder): (Bound<'_, PyString>, usize) = item?.extract()?;
            names.push(name);
            feeders.push(before(feeder, index)?);
        }
        let mut children = Vec::new();
        for item in required(plan, "children")?.try_iter()? {
            children.push(before(item?.extract()?, index)?);
        }
        let in_hop: Option<Py<PyAny>> = required(plan, "in_hop")?.extract()?;
        let kind = if matches!(action, Action::Context) { Threaded::Enter } else { Threaded::Call };
        let same: Option<usize> = required(plan, "same")?.extract()?;
        let fields = required(plan, "fields")?;
        Ok(Self {
            action,
            call: required(plan, "call")?.unbind(),
            fed: PyTuple::new(plan.py(), names)?.unbind(),
            feeders,
            has_params: required(plan, "has_params")?.extract()?,
            is_late: required(plan, "is_late")?.extract()?,
            fields: if fields.is_none() { None } else { Some(Fields::new(&fields.cast_into::<PyDict>()?)?) },
            same: same.map(|same| before(same, index)).transpose()?,
            children,
            is_threaded: required(plan, "is_threaded")?.extract()?,
            hop: in_hop.map(|call| (kind, call)),
            for_function: required(plan, "for_function")?.extract()?,
            specials: required(plan, "specials")?.extract()?,
        })
    }
}

/// `step`, if it is one before the `index`-th.
fn before(step: usize, index: usize) -> PyResult<usize> {
    if step < index { Ok(step) } else { Err(PlanError::new_err("a step needs the result of a later one")) }
}

impl Fields {
    /// Takes a `FieldsPlan` apart.
    fn new(plan: &Bound<'_, PyDict>) -> PyResult<Self> {
        let mut list = Vec::new();
        for item in required(plan, "fields")?.try_iter()? {
            let field = item?.cast_into::<PyDict>()?;
            list.push(Field {
                name: required(&field, "name")?.cast_into::<PyString>()?.unbind(),
                keys: required(&field, "keys")?.extract()?,
                validate: required(&field, "validate")?.unbind(),
                field: required(&field, "field")?.unbind(),
            });
        }
        Ok(Self {
            is_whole: required(plan, "is_whole")?.extract()?,
            is_quiet: required(plan, "is_quiet")?.extract()?,
            form: required(plan, "form")?.extract()?,
            list,
        })
    }
}

impl Body {
    /// Takes a `BodyPlan` apart, of a program with so many steps.
    fn new(plan: &Bound<'_, PyDict>, steps: usize) -> PyResult<Self> {
        let early = required(plan, "early")?;
        let early = if early.is_none() { None } else { Some(early.cast_into::<PyDict>()?) };
        Ok(match required(plan, "kind")?.extract::<String>()?.as_str() {
            "json" => Self::Json(Json {
                strict: required(plan, "strict")?.extract()?,
                from_json: required(plan, "from_json")?.unbind(),
                large: required(plan, "large")?.extract()?,
                held: required(plan, "held")?.extract()?,
                model: early.map(|plan| Model::new(&plan, steps)).transpose()?,
            }),
            "form" => Self::Form { plain: early.map(|plan| PlainForm::new(&plan, steps)).transpose()? },
            other => return Err(PlanError::new_err(format!("a body is of the unknown kind {other:?}"))),
        })
    }
}

impl Model {
    fn new(plan: &Bound<'_, PyDict>, steps: usize) -> PyResult<Self> {
        Ok(Self {
            step: before(required(plan, "step")?.extract()?, steps)?,
            name: required(plan, "name")?.cast_into::<PyString>()?.unbind(),
            validate: required(plan, "validate")?.unbind(),
            large: required(plan, "large")?.extract()?,
        })
    }
}

impl PlainForm {
    fn new(plan: &Bound<'_, PyDict>, steps: usize) -> PyResult<Self> {
        Ok(Self {
            step: before(required(plan, "step")?.extract()?, steps)?,
            reader: required(plan, "reader")?.cast_into::<FormReader>()?.unbind(),
            max_fields: required(plan, "max_fields")?.extract()?,
            max_part_size: required(plan, "max_part_size")?.extract()?,
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
            "stream" => Self::Stream {
                items: required(plan, "items")?.unbind(),
                is_noted: required(plan, "is_noted")?.extract()?,
                events: required(plan, "events")?.extract()?,
            },
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
                }
            }
            other => return Err(PlanError::new_err(format!("a reply is of the unknown kind {other:?}"))),
        })
    }
}
