//! `Facts`: what has to be as it was, for something that was found out to be true still.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// What was true of some dictionaries and lists, which nobody announces edits of.
pub(crate) struct Facts {
    /// What is in a dictionary under a key: that very object.
    items: Vec<(Py<PyDict>, Py<PyAny>, Py<PyAny>)>,
    /// The first object in a list.
    firsts: Vec<(Py<PyList>, Py<PyAny>)>,
    /// How many items there are in a dictionary.
    sizes: Vec<(Py<PyDict>, usize)>,
    /// How many there are in a list.
    lengths: Vec<(Py<PyList>, usize)>,
}

impl Facts {
    /// Takes them from `ferrapi._facts.Facts`.
    pub(crate) fn of(facts: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            items: facts.getattr("items")?.extract()?,
            firsts: facts.getattr("firsts")?.extract()?,
            sizes: facts.getattr("sizes")?.extract()?,
            lengths: facts.getattr("lengths")?.extract()?,
        })
    }

    /// Whether all of it is still true.
    pub(crate) fn hold(&self, py: Python<'_>) -> PyResult<bool> {
        if self.sizes.iter().any(|(dict, size)| dict.bind(py).len() != *size)
            || self.lengths.iter().any(|(list, length)| list.bind(py).len() != *length)
        {
            return Ok(false);
        }
        for (dict, key, value) in &self.items {
            if !dict.bind(py).get_item(key)?.is_some_and(|own| own.is(value)) {
                return Ok(false);
            }
        }
        Ok(self.firsts.iter().all(|(list, first)| list.bind(py).get_item(0).is_ok_and(|own| own.is(first))))
    }

    /// Shows the garbage collector what this holds.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        for (dict, key, value) in &self.items {
            visit.call(dict)?;
            visit.call(key)?;
            visit.call(value)?;
        }
        for (list, first) in &self.firsts {
            visit.call(list)?;
            visit.call(first)?;
        }
        self.sizes.iter().try_for_each(|(dict, _)| visit.call(dict))?;
        self.lengths.iter().try_for_each(|(list, _)| visit.call(list))
    }
}
