//! `Reader`: the declared parameters of a route, read and validated in one call.
//!
//! The values of each callable are collected into a dictionary that its pydantic-core validator (a typed dictionary) checks. Its
//! result *is* the keyword arguments. Anything that isn't plainly right is left to Python, which says what
//! is wrong with it: `read` then answers None.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use smallvec::SmallVec;

use super::path::PathParams;
use super::sent::read_group;
use super::sources::Sources;
use crate::http1::RequestHead;
use crate::plan::Group;

/// The parameters of a route's callables, in the order in which these run.
///
/// It never changes, so it has no `__clear__`. See `RouteTable`.
#[pyclass(frozen, module = "ferrapi._native")]
pub(crate) struct Reader {
    groups: Vec<Option<Group>>,
}

#[pymethods]
impl Reader {
    #[new]
    fn new(plans: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut groups = Vec::new();
        for plan in plans.try_iter()? {
            let plan = plan?;
            groups.push(if plan.is_none() { None } else { Some(Group::new(&plan.cast_into::<PyDict>()?)?) });
        }
        Ok(Self { groups })
    }

    /// Read the parameters from `scope`.
    ///
    /// Returns a list with the keyword arguments of each callable (None for one that the plan leaves out), or None if any
    /// parameter is missing or invalid. Raises `LimitExceeded`.
    fn read<'py>(&self, scope: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyList>>> {
        self.read_groups_of_scope(scope)?.map(|groups| PyList::new(scope.py(), groups)).transpose()
    }

    /// Read the parameters from a head and the path parameters that routing found. As `read`.
    fn read_head<'py>(&self, head: &RequestHead, params: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyList>>> {
        let groups = self.read_groups_of_head(params.py(), head, &PathParams::of_dict(params))?;
        groups.map(|groups| PyList::new(params.py(), groups)).transpose()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for group in self.groups.iter().flatten() {
            group.traverse(&visit)?;
        }
        Ok(())
    }
}

/// The keyword arguments of each callable; None for one that the plan leaves out.
pub(crate) type Groups<'py> = SmallVec<[Option<Bound<'py, PyDict>>; 2]>;

impl Reader {
    /// The parameters in an ASGI scope; None if any is missing or invalid.
    pub(crate) fn read_groups_of_scope<'py>(&self, scope: &Bound<'py, PyDict>) -> PyResult<Option<Groups<'py>>> {
        self.read_from(scope.py(), Sources::of_scope(scope))
    }

    /// The same, in a head and among the path parameters that routing found.
    pub(crate) fn read_groups_of_head<'py>(
        &self,
        py: Python<'py>,
        head: &RequestHead,
        params: &PathParams,
    ) -> PyResult<Option<Groups<'py>>> {
        self.read_from(py, Sources::of_head(py, head, params))
    }

    fn read_from<'py>(&self, py: Python<'py>, mut sources: Sources<'_, 'py>) -> PyResult<Option<Groups<'py>>> {
        let mut results = Groups::new();
        for group in &self.groups {
            match group {
                None => results.push(None),
                Some(group) => match read_group(py, group, &mut sources)? {
                    Some(values) => results.push(Some(values.cast_into::<PyDict>()?)),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(results))
    }
}
