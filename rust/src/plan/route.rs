//! One entry of the route table.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wire::{Convertor, Pattern, Template, Token};

use super::{PlanError, required};
use crate::facts::Facts;

/// The kind of connection that a route serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP requests.
    Http,
    /// WebSockets.
    WebSocket,
}

/// A mount that matches what its path says, and does with a request what Starlette's class does.
pub(crate) struct Mounted {
    /// The application.
    pub(crate) app: Py<PyAny>,
    /// What that stands on.
    pub(crate) facts: Facts,
}

/// One route: how it matches, and what the table answers with.
pub(crate) struct Route {
    /// Whether a match of the pattern is a match of the route.
    pub(crate) exact: bool,
    pub(crate) protocol: Option<Protocol>,
    /// `None`: any method.
    pub(crate) methods: Option<Vec<String>>,
    /// Name and convertor (`None`: text as it is) of each path parameter, in template order.
    pub(crate) params: Vec<(Py<PyString>, Option<Py<PyAny>>)>,
    /// The object that the table answers with, has a `matches(scope)`.
    pub(crate) target: Py<PyAny>,
    /// For `scope["route"]`, if that is to be set.
    pub(crate) route: Option<Py<PyAny>>,
    /// For `scope["endpoint"]`.
    pub(crate) endpoint: Py<PyAny>,
    pub(crate) mounted: Option<Mounted>,
}

impl Route {
    /// Takes a `RoutePlan` apart.
    pub(crate) fn new(plan: &Bound<'_, PyDict>) -> PyResult<(Self, Pattern)> {
        let protocol = match required(plan, "protocol")?.extract::<Option<String>>()?.as_deref() {
            None => None,
            Some("http") => Some(Protocol::Http),
            Some("websocket") => Some(Protocol::WebSocket),
            Some(other) => return Err(PlanError::new_err(format!("a route serves the unknown protocol {other:?}"))),
        };
        let mut params = Vec::new();
        let mut kinds = HashMap::new();
        for item in required(plan, "convertors")?.try_iter()? {
            let (name, kind, convert): (String, String, Option<Py<PyAny>>) = item?.extract()?;
            params.push((PyString::new(plan.py(), &name).unbind(), convert));
            kinds.insert(name, convertor(&kind)?);
        }
        let pattern = match required(plan, "path")?.extract::<Option<String>>()? {
            None => Pattern::Any,
            Some(path) => pattern(&path, &kinds, required(plan, "prefix")?.extract()?)?,
        };
        let target = required(plan, "target")?;
        let (route, endpoint) = (target.getattr("announced")?, target.getattr("endpoint")?.unbind());
        let route = if route.is_none() { None } else { Some(route.unbind()) };
        let exact = required(plan, "exact")?.extract()?;
        let methods = required(plan, "methods")?.extract()?;
        let mounted = match required(plan, "mounted")?.extract::<Option<(Py<PyAny>, Bound<'_, PyAny>)>>()? {
            Some((app, facts)) => Some(Mounted { app, facts: Facts::of(&facts)? }),
            None => None,
        };
        Ok((Self { exact, protocol, methods, params, target: target.unbind(), route, endpoint, mounted }, pattern))
    }
}

fn convertor(kind: &str) -> PyResult<Convertor> {
    Ok(match kind {
        "str" => Convertor::Str,
        "path" => Convertor::Path,
        "int" => Convertor::Int,
        "float" => Convertor::Float,
        "uuid" => Convertor::Uuid,
        "custom" => Convertor::Custom,
        other => return Err(PlanError::new_err(format!("a path parameter has the unknown convertor {other:?}"))),
    })
}

/// The pattern of a template, whose parameters are of the kinds that Python says (an application may have registered
/// another convertor under a name such as `int`).
fn pattern(path: &str, kinds: &HashMap<String, Convertor>, prefix: bool) -> PyResult<Pattern> {
    let bad = |error| PlanError::new_err(format!("{error}"));
    let parsed = Template::parse(path, |_| Some(Convertor::Custom)).map_err(bad)?;
    let tokens = parsed.tokens().iter().map(|token| match token {
        Token::Parameter { name, convertor } => {
            Token::Parameter { name: name.clone(), convertor: kinds.get(name).copied().unwrap_or(*convertor) }
        }
        literal @ Token::Literal(_) => literal.clone(),
    });
    let template = Template::from_tokens(tokens.collect::<Vec<_>>()).map_err(bad)?;
    Ok(if prefix { Pattern::Prefix(template) } else { Pattern::Route(template) })
}
