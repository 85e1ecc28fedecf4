//! `RouteTable`: the routes of one router, as of one moment.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use smallvec::SmallVec;
use wire::{Candidate, Candidates, Router, RouterBuilder, Span};

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
    /// The path parameters of a mount, and the part of the path that it stands for.
    Mounted(Bound<'py, PyDict>, String),
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
    fn find<'py>(&self, scope: &Bound<'py, PyDict>) -> PyResult<Option<(Bound<'py, PyAny>, bool)>> {
        let found = self.find_in(scope)?;
        Ok(found.map(|found| (found.target, found.full)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for route in &self.routes {
            visit.call(&route.target)?;
            visit.call(&route.route)?;
            visit.call(&route.endpoint)?;
            for (_, convert) in &route.params {
                visit.call(convert)?;
            }
            if let Some(mounted) = &route.mounted {
                visit.call(&mounted.app)?;
                mounted.facts.traverse(&visit)?;
            }
        }
        Ok(())
    }
}

impl RouteTable {
    /// Finds the route that answers `scope`, and adds to the scope what a match adds.
    pub(crate) fn find_in<'py>(&self, scope: &Bound<'py, PyDict>) -> PyResult<Option<Found<'py>>> {
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

    /// What a path leads to, for a request with this method and without a scope.
    pub(crate) fn find_path<'py>(&self, py: Python<'py>, path: &str, method: &str) -> PyResult<Place<'py>> {
        let mut searched = Candidates::new();
        let candidates = match self.router.remembered(path) {
            Some(remembered) => remembered,
            None => {
                self.router.candidates(path, &mut searched);
                &searched
            }
        };
        let mut is_partial = false;
        for candidate in candidates {
            let Some(route) = usize::try_from(candidate.index).ok().and_then(|index| self.routes.get(index)) else {
                continue;
            };
            if route.protocol == Some(Protocol::WebSocket) {
                continue;
            }
            if let Some(length) = matched_by_mount(py, route, candidate, path)? {
                let params = path_params(py, route, path, &candidate.captures)?;
                return Ok(Place::Mount { target: route.target.bind(py).clone(), params, length });
            }
            if !(route.exact && candidate.exact) {
                return Ok(Place::Unclear);
            }
            // A route with another method converts its parameters too, and a convertor may raise.
            let params = path_params(py, route, path, &candidate.captures)?;
            let serves = |methods: &Vec<String>| methods.iter().any(|own| own == method);
            if route.methods.as_ref().is_none_or(serves) {
                return Ok(Place::Route(route.target.bind(py).clone(), params));
            }
            is_partial = true;
        }
        Ok(if is_partial { Place::Unclear } else { Place::Nowhere })
    }

    /// Whether some route may be for a path, whatever the method.
    pub(crate) fn may_have(&self, path: &str) -> bool {
        let mut candidates = Candidates::new();
        self.router.candidates(path, &mut candidates);
        !candidates.is_empty()
    }
}

/// A route that answers a request.
pub(crate) struct Found<'py> {
    pub(crate) target: Bound<'py, PyAny>,
    /// Whether the method is one of its own.
    pub(crate) full: bool,
    /// The application that is mounted there, if the mount is as Starlette wrote it.
    pub(crate) mounted: Option<Bound<'py, PyAny>>,
}

/// What a path leads to.
pub(crate) enum Place<'py> {
    /// A route, with its path parameters.
    Route(Bound<'py, PyAny>, PathParams),
    /// A mount, with the parameters in its prefix, and the number of bytes of the path that it stands for.
    Mount { target: Bound<'py, PyAny>, params: PathParams, length: usize },
    /// Nothing: no route is for it, whatever the method.
    Nowhere,
    /// That takes a scope.
    Unclear,
}

/// The number of bytes of the path that a mount stands for, if the route is one that is as it was and matches.
fn matched_by_mount(py: Python<'_>, route: &Route, candidate: &Candidate, path: &str) -> PyResult<Option<usize>> {
    let Some(mounted) = route.mounted.as_ref().filter(|_| candidate.exact) else { return Ok(None) };
    let Some((rest, end)) = candidate.captures.last() else { return Ok(None) };
    // Starlette counts from the end, where a newline may be that the pattern leaves out.
    if usize::try_from(*end) != Ok(path.len()) || !mounted.facts.hold(py)? {
        return Ok(None);
    }
    Ok(usize::try_from(*rest).ok().and_then(|rest| rest.checked_sub(1)))
}

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
    let rest = below(whole, prefix);
    Ok(Some(if rest.len() == whole.len() { path } else { py::text(py, rest) }))
}

/// The part of a path below a root path; the path itself if it isn't there.
pub(crate) fn below<'p>(path: &'p str, root: &str) -> &'p str {
    path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(path)
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
    if let Some(path) = path
        && let Some(prefix) =
            matched_by_mount(scope.py(), route, candidate, path)?.and_then(|length| path.get(..length))
    {
        let params = converted(route, path, &candidate.captures, scope)?;
        return Ok(Some((Match::Full, Addition::Mounted(params, prefix.to_owned()))));
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
fn enter<'py>(scope: &Bound<'py, PyDict>, hit: Hit<'_, 'py>, full: bool) -> PyResult<Found<'py>> {
    let py = scope.py();
    let (route, addition) = hit;
    let mut mounted = None;
    match addition {
        Addition::Params(params) => {
            if let Some(announced) = &route.route {
                scope.set_item(intern!(py, "route"), announced)?;
            }
            scope.set_item(intern!(py, "endpoint"), &route.endpoint)?;
            scope.set_item(intern!(py, "path_params"), params)?;
        }
        Addition::Child(child) => scope.update(child.as_mapping())?,
        Addition::Mounted(params, prefix) => {
            let root = match scope.get_item(intern!(py, "root_path"))? {
                Some(root) => root.cast_into::<PyString>()?,
                None => PyString::new(py, ""),
            };
            let app_root = intern!(py, "app_root_path");
            if !scope.contains(app_root)? {
                scope.set_item(app_root, &root)?;
            }
            scope.set_item(intern!(py, "root_path"), root.add(py::text(py, &prefix))?)?;
            scope.set_item(intern!(py, "path_params"), params)?;
            let app = route.mounted.as_ref().map(|mounted| mounted.app.bind(py).clone());
            scope.set_item(intern!(py, "endpoint"), &app)?;
            mounted = app;
        }
    }
    Ok(Found { target: route.target.bind(py).clone(), full, mounted })
}
