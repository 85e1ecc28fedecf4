//! `Site`: what connections need to know of the application that they serve, and where in it a request goes.

use std::borrow::Cow;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use smallvec::SmallVec;

use super::in_flight::InFlightRequest;
use super::request_head::RequestHead;
use crate::facts::Facts;
use crate::py::{self, Attached};
use crate::request::path::PathParams;
use crate::routing::{Place, RouteTable, below};
use crate::run::Short;
use crate::version_counter::VersionCounter;
use crate::watch::TypeWatch;

/// An application, as of one moment.
#[pyclass(frozen, module = "ferrapi._native", name = "NativeSite")]
pub(crate) struct Site {
    /// The same, as Python knows it.
    owner: Py<PyAny>,
    app: Py<PyAny>,
    table: Py<RouteTable>,
    handlers: Py<PyAny>,
    router: Py<PyAny>,
    /// The application's own root path.
    root_path: String,
    /// The application that this one is mounted in.
    outer: Option<Py<Site>>,
    /// The layers that requests pass, outermost first, all of them of kinds that are known.
    layers: Vec<Py<Short>>,
    counters: [Py<VersionCounter>; 2],
    as_of: [u64; 2],
    watch: Py<TypeWatch>,
    /// The applications that are mounted in it, by their mounts' targets: None for one that has to be called.
    children: Attached<Vec<Child>>,
    unmatched: Attached<Option<Py<Unmatched>>>,
}

/// A mount's target, and the application behind it.
type Child = (Py<PyAny>, Option<Py<Site>>);

/// Status, headers and body of an answer.
type Answer = (u16, Py<PyAny>, Py<PyBytes>);

/// The answer to a request that no route is for.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Unmatched {
    facts: Facts,
    /// None if it has to be made for each of them.
    answer: Option<(u16, Py<PyAny>, Py<PyBytes>)>,
    redirects_slashes: bool,
}

/// A route in an application, or in one that is mounted there.
pub(crate) struct Destination {
    pub(crate) site: Py<Site>,
    pub(crate) target: Py<PyAny>,
    pub(crate) params: PathParams,
    /// The root paths of the application, and of the one around all.
    pub(crate) roots: Option<Box<(String, String)>>,
}

/// Where a request goes.
pub(super) enum Way {
    Route(Destination),
    /// To the answer for those that no route is for: status, headers and body.
    Unmatched(Py<Unmatched>),
}

#[pymethods]
impl Site {
    /// Parameters:
    ///     owner: the same, as Python knows it.
    ///     app: the application itself.
    ///     table: the routes.
    ///     handlers: the exception handlers, by class and by status.
    ///     router: the router.
    ///     `root_path`: the application's own.
    ///     outer: the application that it is mounted in.
    ///     layers: those that requests pass, outermost first, all of them of kinds that are known.
    ///     routes, settings: the version counters of routes and of applications.
    ///     watch: notices that a class was changed, and announces that as an edit.
    #[new]
    #[expect(clippy::too_many_arguments, reason = "they are called by name")]
    fn new(
        owner: Py<PyAny>,
        app: Py<PyAny>,
        table: Py<RouteTable>,
        handlers: Py<PyAny>,
        router: Py<PyAny>,
        root_path: String,
        outer: Option<Py<Site>>,
        layers: Vec<Py<Short>>,
        routes: Py<VersionCounter>,
        settings: Py<VersionCounter>,
        watch: Py<TypeWatch>,
    ) -> Self {
        let counters = [routes, settings];
        let as_of = counters.each_ref().map(|counter| counter.get().current());
        let (children, unmatched) = (Attached::default(), Attached::default());
        Self {
            owner,
            app,
            table,
            handlers,
            router,
            root_path,
            outer,
            layers,
            counters,
            as_of,
            watch,
            children,
            unmatched,
        }
    }

    /// Whether a router has limits for forms that its routes don't know.
    pub(crate) fn limits_forms(&self, py: Python<'_>) -> PyResult<bool> {
        for site in self.outwards() {
            if site.form_limits(py)?.is_truthy()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.owner)?;
        visit.call(&self.app)?;
        visit.call(&self.table)?;
        visit.call(&self.handlers)?;
        visit.call(&self.router)?;
        visit.call(&self.outer)?;
        visit.call(&self.watch)?;
        self.layers.iter().try_for_each(|layer| visit.call(layer))?;
        self.children.traverse(&visit, |children, visit| {
            children.iter().try_for_each(|(target, site)| {
                visit.call(target)?;
                visit.call(site)
            })
        })?;
        self.unmatched.visit(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        drop(self.children.replace(py, Vec::new()));
        drop(self.unmatched.take(py));
    }
}

#[pymethods]
impl Unmatched {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.facts.traverse(&visit)?;
        match &self.answer {
            Some((_, headers, _)) => visit.call(headers),
            None => Ok(()),
        }
    }
}

impl Unmatched {
    /// Status, headers (pairs, or a content type alone) and body.
    pub(super) fn answer(&self) -> Option<(u16, &Py<PyAny>, &Py<PyBytes>)> {
        self.answer.as_ref().map(|(status, headers, body)| (*status, headers, body))
    }
}

impl Site {
    /// Whether nothing was edited since.
    pub(crate) fn stands(&self, py: Python<'_>) -> PyResult<bool> {
        self.watch.get().look(py)?;
        Ok(self.counters.each_ref().map(|counter| counter.get().current()) == self.as_of)
    }

    /// The same, as Python knows it.
    pub(crate) fn owner(&self) -> &Py<PyAny> {
        &self.owner
    }

    /// The exception handlers, by class and by status.
    pub(crate) fn handlers(&self) -> &Py<PyAny> {
        &self.handlers
    }

    /// Whether all layers let a request through as it is.
    pub(super) fn passes(&self, py: Python<'_>, head: &RequestHead, scheme: &Bound<'_, PyAny>) -> PyResult<bool> {
        for layer in &self.layers {
            if !Short::passes_head(layer.bind(py), head, scheme)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether requests pass layers.
    pub(super) fn has_layers(&self) -> bool {
        !self.layers.is_empty()
    }

    /// What takes the messages of the response to a request that passes the layers, in front of the server's `send`; None if
    /// there are no layers.
    pub(crate) fn sending<'py>(
        &self,
        head: &RequestHead,
        in_flight: &Bound<'py, InFlightRequest>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.layers.is_empty() {
            return Ok(None);
        }
        let py = in_flight.py();
        let mut send = in_flight.getattr(intern!(py, "send"))?;
        for layer in &self.layers {
            send = Short::sending_to_head(layer.bind(py), head, send)?;
        }
        Ok(Some(send))
    }

    /// This application, the one that it is mounted in, and so on.
    fn outwards(&self) -> impl DoubleEndedIterator<Item = &Self> {
        let around = std::iter::successors(Some(self), |site| site.outer.as_ref().map(Py::get));
        around.collect::<SmallVec<[&Self; 4]>>().into_iter()
    }

    /// The limits that the router has for the forms of all its routes.
    fn form_limits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.router.bind(py).getattr(intern!(py, "form_limits"))
    }

    /// Puts into a scope what the applications and routers on the way here put there.
    ///
    /// `roots` are the root paths of this application and of the one around all, if it is mounted.
    pub(super) fn enter(
        &self,
        scope: &Bound<'_, PyDict>,
        head: &RequestHead,
        roots: Option<(&str, &str)>,
    ) -> PyResult<()> {
        let py = scope.py();
        let outermost = self.outwards().next_back().unwrap_or(self);
        if head.is_of_proxy(py) {
            outermost.owner.bind(py).call_method1(intern!(py, "apply_proxy_headers"), (scope,))?;
        }
        if !outermost.root_path.is_empty() {
            scope.set_item(intern!(py, "root_path"), py::text(py, &outermost.root_path))?;
        }
        if let Some((own, app)) = roots {
            scope.set_item(intern!(py, "root_path"), py::text(py, own))?;
            scope.set_item(intern!(py, "app_root_path"), py::text(py, app))?;
        }
        scope.set_item(intern!(py, "app"), &self.app)?;
        scope.set_item(intern!(py, "router"), &outermost.router)?;
        scope.set_item(intern!(py, "starlette.exception_handlers"), &self.handlers)?;
        for site in self.outwards().rev() {
            let limits = site.form_limits(py)?;
            if limits.is_truthy()? {
                site.owner.bind(py).call_method1(intern!(py, "limit_forms"), (scope, limits))?;
            }
        }
        Ok(())
    }

    /// Where a request goes; None if that takes a scope.
    ///
    /// `server_root` is the path that a proxy in front of the server leaves out.
    pub(super) fn find(slf: &Bound<'_, Self>, head: &RequestHead, server_root: &str) -> PyResult<Option<Way>> {
        let py = slf.py();
        let decoded = wire::path::percent_decode(head.path_bytes(py));
        let whole = if server_root.is_empty() { decoded } else { Cow::Owned([server_root, &decoded].concat()) };
        let mut site = slf.clone();
        let mut root = site.get().own_root(server_root);
        let mut app_root: Option<String> = None;
        let mut params = PathParams::default();
        // Each turn goes into a mounted application.
        loop {
            let this = site.get();
            let path = below(&whole, &root);
            match this.table.get().find_path(py, path, head.method_name())? {
                Place::Route(target, own) => {
                    params.extend(own);
                    let roots = app_root.map(|app_root| Box::new((root.clone().into_owned(), app_root)));
                    let target = target.unbind();
                    let site = site.clone().unbind();
                    return Ok(Some(Way::Route(Destination { site, target, params, roots })));
                }
                Place::Mount { target, params: own, length } => {
                    let Some(child) = this.child(&target)? else { return Ok(None) };
                    params.extend(own);
                    let mounted = [&root, path.get(..length).unwrap_or_default()].concat();
                    app_root.get_or_insert_with(|| root.into_owned());
                    root = match child.get().root_path.as_str() {
                        "" => Cow::Owned(mounted),
                        own => Cow::Owned(own.to_owned()),
                    };
                    site = child;
                }
                Place::Nowhere => {
                    let found = if this.has_layers() { None } else { this.unmatched(py, &whole, &root)? };
                    return Ok(found.map(Way::Unmatched));
                }
                Place::Unclear => return Ok(None),
            }
        }
    }

    /// The root path of a request to an application of which the server says `root`.
    fn own_root<'r>(&self, root: &'r str) -> Cow<'r, str> {
        if self.root_path.is_empty() { Cow::Borrowed(root) } else { Cow::Owned(self.root_path.clone()) }
    }

    /// The application that is mounted where `target` says; None if it has to be called.
    fn child<'py>(&self, target: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Self>>> {
        let py = target.py();
        // What the application there answers by itself goes through the middleware of this one.
        if !self.layers.is_empty() || !self.router.bind(py).getattr(intern!(py, "max_body_size"))?.is_none() {
            return Ok(None);
        }
        let known = self.children.see(py, |children| {
            let known = children.iter().find(|(own, _)| own.is(target));
            known.map(|(_, site)| site.as_ref().map(|site| site.clone_ref(py)))
        });
        let site = match known {
            Some(site) => site,
            None => {
                let site: Option<Py<Self>> =
                    self.owner.bind(py).call_method1(intern!(py, "child"), (target,))?.extract()?;
                let own = site.as_ref().map(|site| site.clone_ref(py));
                self.children.change(py, |children| children.push((target.clone().unbind(), own)));
                site
            }
        };
        Ok(site.map(|site| site.into_bound(py)))
    }

    /// The answer to a request for a path that no route is for; None if there may be a redirect, or something else.
    fn unmatched(&self, py: Python<'_>, whole: &str, root: &str) -> PyResult<Option<Py<Unmatched>>> {
        let unmatched = match self.unmatched.get(py) {
            Some(known) if known.get().facts.hold(py)? => known,
            _ => {
                let told = self.owner.bind(py).call_method0(intern!(py, "unmatched"))?;
                let (facts, redirects_slashes, answer): (Bound<'_, PyAny>, bool, Option<Answer>) = told.extract()?;
                let made = Unmatched { facts: Facts::of(&facts)?, answer, redirects_slashes };
                let made = Py::new(py, made)?;
                drop(self.unmatched.replace(py, Some(made.clone_ref(py))));
                made
            }
        };
        let path = below(whole, root);
        if unmatched.get().redirects_slashes && path != "/" {
            let other = if path.ends_with('/') {
                Cow::Borrowed(whole.trim_end_matches('/'))
            } else {
                Cow::Owned([whole, "/"].concat())
            };
            if self.table.get().may_have(below(&other, root)) {
                return Ok(None);
            }
        }
        Ok(if unmatched.get().answer.is_some() { Some(unmatched) } else { None })
    }
}

impl Destination {
    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.site)?;
        visit.call(&self.target)?;
        self.params.traverse(visit)
    }
}
