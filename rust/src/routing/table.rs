//! `RouteTable`: the routes of one router, as of one moment.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use smallvec::SmallVec;
use wire::{Candidate, Candidates, Router, RouterBuilder, Span};

use crate::http1::RequestHead;
use crate::plan::{Protocol, Route};
use crate::py;
use crate::request::path::PathParams;

/// The routes of a router, indexed by path.
///
/// It never changes, and so do other classes here. A reference cycle through it goes through something that did change, as all
/// cycles do, and that the garbage collector clears: these have no `__clear__`, as tuples have none.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct RouteTable {
    router: Router,
    routes: Vec<Route>,
}

/// How well a route matches; the values are those of Starlette's `Match`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    Partial,
    Full,
}

/// What a matching route adds to the scope.
enum Addition<'py> {
    /// The path parameters of a route that was matched here.
    Params(Bound<'py, PyDict>),
    /// What the route said itself.
    Child(Bound<'py, PyDict>),
}

type Hit<'r, 'py> = (&'r Route, Addition<'py>);

#[pymethods]
impl RouteTable {
    #[new]
    fn new(plans: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut builder = RouterBuilder::new();
        let mut routes = Vec::new();
        for plan in plans.try_iter()? {
            let (route, pattern) = Route::new(&plan?.cast_into::<PyDict>()?)?;
            builder.insert(pattern);
            routes.push(route);
        }
        Ok(Self { router: builder.build(), routes })
    }

    /// Find the route that answers `scope` and add to the scope what a match adds.
    ///
    /// Returns the route's target and whether the match is full (else the method is not one of its own), or None.
    pub(crate) fn find<'py>(&self, scope: &Bound<'py, PyDict>) -> PyResult<Option<(Bound<'py, PyAny>, bool)>> {
        let py = scope.py();
        let path = route_path(scope)?;
        let mut candidates = Candidates::new();
        let text = path.as_ref().and_then(|path| path.to_str().ok());
        match text {
            Some(text) => self.router.candidates(text, &mut candidates),
            None => candidates.extend((0..self.routes.len()).map(asked)),
        }
        let protocol = match scope.get_item(intern!(py, "type"))? {
            Some(kind) if kind.eq(intern!(py, "websocket"))? => Protocol::WebSocket,
            _ => Protocol::Http,
        };
        let method = scope.get_item(intern!(py, "method"))?;
        let mut partial: Option<Hit<'_, 'py>> = None;
        for candidate in &candidates {
            let Some(route) = usize::try_from(candidate.index).ok().and_then(|index| self.routes.get(index)) else {
                continue;
            };
            let Some((kind, addition)) = matches(route, candidate, scope, text, protocol, method.as_ref())? else {
                continue;
            };
            if kind == Match::Full {
                return enter(scope, (route, addition), true).map(Some);
            }
            partial.get_or_insert((route, addition));
        }
        partial.map(|hit| enter(scope, hit, false)).transpose()
    }

    /// Find the route for a head that the HTTP/1.1 transport has read, without a scope.
    ///
    /// Returns the route's target and its path parameters if a route matches fully and no route before it had to be asked;
    /// else None: the request needs a scope.
    fn find_head<'py>(
        &self,
        py: Python<'py>,
        head: &RequestHead,
    ) -> PyResult<Option<(Bound<'py, PyAny>, Bound<'py, PyDict>)>> {
        let found = self.find_head_lazily(py, head)?;
        found.map(|(target, params)| Ok((target, params.to_dict(py)?))).transpose()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for route in &self.routes {
            visit.call(&route.target)?;
            visit.call(&route.route)?;
            visit.call(&route.endpoint)?;
            for (_, convert) in &route.params {
                visit.call(convert)?;
            }
        }
        Ok(())
    }
}

impl RouteTable {
    /// As `find_head`, without a dictionary.
    pub(crate) fn find_head_lazily<'py>(&self, py: Python<'py>, head: &RequestHead) -> PyResult<FoundLazily<'py>> {
        let path = wire::path::percent_decode(head.path_bytes(py));
        let mut searched = Candidates::new();
        let candidates = match self.router.remembered(&path) {
            Some(remembered) => remembered,
            None => {
                self.router.candidates(&path, &mut searched);
                &searched
            }
        };
        for candidate in candidates {
            let Some(route) = usize::try_from(candidate.index).ok().and_then(|index| self.routes.get(index)) else {
                continue;
            };
            if route.protocol == Some(Protocol::WebSocket) {
                continue;
            }
            if !(route.exact && candidate.exact) {
                return Ok(None);
            }
            let serves = |methods: &Vec<String>| methods.iter().any(|own| own == head.method_name());
            if route.methods.as_ref().is_none_or(serves) {
                let params = path_params(py, route, &path, &candidate.captures)?;
                return Ok(Some((route.target.bind(py).clone(), params)));
            }
            // A route with another method converts its parameters too, and a convertor may raise.
            path_params(py, route, &path, &candidate.captures)?;
        }
        Ok(None)
    }
}

type FoundLazily<'py> = Option<(Bound<'py, PyAny>, PathParams)>;

/// A candidate that has to be asked itself.
fn asked(index: usize) -> Candidate {
    Candidate { index: u32::try_from(index).unwrap_or(u32::MAX), exact: false, captures: SmallVec::new() }
}

/// The path below the root path, as Starlette's `get_route_path` has it; `None` if the scope has none.
fn route_path<'py>(scope: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyString>>> {
    let py = scope.py();
    let Some(path) = scope.get_item(intern!(py, "path"))? else { return Ok(None) };
    let path = path.cast_into::<PyString>()?;
    let Some(root) = scope.get_item(intern!(py, "root_path"))? else { return Ok(Some(path)) };
    let root = root.cast_into::<PyString>()?;
    if root.is_empty()? {
        return Ok(Some(path));
    }
    let (Ok(whole), Ok(prefix)) = (path.to_str(), root.to_str()) else { return Ok(None) };
    match whole.strip_prefix(prefix) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Ok(Some(py::text(py, rest))),
        _ => Ok(Some(path)),
    }
}

/// Whether `route` matches, asking it if its pattern doesn't decide.
fn matches<'py>(
    route: &Route,
    candidate: &Candidate,
    scope: &Bound<'py, PyDict>,
    path: Option<&str>,
    protocol: Protocol,
    method: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<(Match, Addition<'py>)>> {
    if route.protocol.is_some_and(|served| served != protocol) {
        return Ok(None);
    }
    let Some(path) = path.filter(|_| route.exact && candidate.exact) else {
        return ask(route, scope);
    };
    let addition = Addition::Params(converted(route, path, &candidate.captures, scope)?);
    let Some(methods) = &route.methods else { return Ok(Some((Match::Full, addition))) };
    if protocol == Protocol::WebSocket {
        return Ok(Some((Match::Full, addition)));
    }
    let served = match method.map(|method| method.cast::<PyString>()) {
        Some(Ok(method)) => method.to_str().is_ok_and(|method| methods.iter().any(|own| own == method)),
        _ => false,
    };
    Ok(Some((if served { Match::Full } else { Match::Partial }, addition)))
}

/// The path parameters, added to those of the mounts above.
fn converted<'py>(
    route: &Route,
    path: &str,
    captures: &[Span],
    scope: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = scope.py();
    let params = match scope.get_item(intern!(py, "path_params"))? {
        Some(outer) => outer.cast::<PyDict>()?.copy()?,
        None => PyDict::new(py),
    };
    add_params(route, path, captures, &params)?;
    Ok(params)
}

/// Adds the converted captures to `params`.
fn add_params(route: &Route, path: &str, captures: &[Span], params: &Bound<'_, PyDict>) -> PyResult<()> {
    each_param(params.py(), route, path, captures, |name, value| params.set_item(name, value))
}

/// The converted captures.
fn path_params(py: Python<'_>, route: &Route, path: &str, captures: &[Span]) -> PyResult<PathParams> {
    let mut params = PathParams::default();
    each_param(py, route, path, captures, |name, value| {
        params.push(name.clone_ref(py), value);
        Ok(())
    })?;
    Ok(params)
}

/// Calls `take` with each parameter's name and its converted capture.
fn each_param<'py>(
    py: Python<'py>,
    route: &Route,
    path: &str,
    captures: &[Span],
    mut take: impl FnMut(&Py<PyString>, Bound<'py, PyAny>) -> PyResult<()>,
) -> PyResult<()> {
    for ((name, convert), (start, end)) in route.params.iter().zip(captures) {
        let range = usize::try_from(*start).unwrap_or(usize::MAX)..usize::try_from(*end).unwrap_or(usize::MAX);
        let text = py::text(py, path.get(range).unwrap_or_default()).into_any();
        take(
            name,
            match convert {
                None => text,
                Some(convert) => convert.bind(py).call1((text,))?,
            },
        )?;
    }
    Ok(())
}

/// Asks the route itself.
fn ask<'py>(route: &Route, scope: &Bound<'py, PyDict>) -> PyResult<Option<(Match, Addition<'py>)>> {
    let py = scope.py();
    let answer = route.target.bind(py).call_method1(intern!(py, "matches"), (scope,))?;
    let (kind, child): (Bound<'py, PyAny>, Bound<'py, PyAny>) = answer.extract()?;
    let kind = match kind.getattr(intern!(py, "value"))?.extract::<u8>()? {
        0 => return Ok(None),
        1 => Match::Partial,
        _ => Match::Full,
    };
    Ok(Some((kind, Addition::Child(child.cast_into::<PyDict>()?))))
}

/// Adds what the match adds to the scope; answers what the table answers.
fn enter<'py>(scope: &Bound<'py, PyDict>, hit: Hit<'_, 'py>, full: bool) -> PyResult<(Bound<'py, PyAny>, bool)> {
    let py = scope.py();
    let (route, addition) = hit;
    match addition {
        Addition::Params(params) => {
            if let Some(announced) = &route.route {
                scope.set_item(intern!(py, "route"), announced)?;
            }
            scope.set_item(intern!(py, "endpoint"), &route.endpoint)?;
            scope.set_item(intern!(py, "path_params"), params)?;
        }
        Addition::Child(child) => scope.update(child.as_mapping())?,
    }
    Ok((route.target.bind(py).clone(), full))
}
