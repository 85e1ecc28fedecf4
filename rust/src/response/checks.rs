//! User code may put anything into a status or a header. Servers differ in what they do then (some die), so it is checked here.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use wire::http1::response::{is_bodiless, is_header_value};

/// What is wrong with a status and raw headers (a list of pairs of bytes); None if HTTP can carry them.
///
/// The rules are RFC 9110's: a status from 100 to 999, a header name that is a token, a value without control characters other
/// than the tab.
#[pyfunction]
pub(crate) fn response_head_problem(
    status: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyList>,
) -> PyResult<Option<String>> {
    match status.extract::<i64>() {
        Ok(100..=999) => {}
        Ok(status) => return Ok(Some(format!("The status code {status} is not between 100 and 999"))),
        Err(_) => return Ok(Some(format!("The status code {} is not a number", status.repr()?))),
    }
    for pair in headers.iter() {
        let problem = || -> PyResult<String> { Ok(format!("The header {} is not a pair of bytes", pair.repr()?)) };
        let Some((name, value)) = pair_of_bytes(&pair) else { return problem().map(Some) };
        if !is_token(name.as_bytes()) {
            return Ok(Some(format!("The header name {} is not a token", name.repr()?)));
        }
        if !is_header_value(value.as_bytes()) {
            return Ok(Some(format!("The header {} has a control character in its value", name.repr()?)));
        }
    }
    Ok(None)
}

/// Whether the head of a response says how long its body is, and leaves the connection to the server.
#[pyfunction]
pub(crate) fn describes_body(status: u16, headers: &Bound<'_, PyList>, length: usize) -> bool {
    let mut said = None;
    for pair in headers.iter() {
        if !pair.is_exact_instance_of::<PyTuple>() {
            return false;
        }
        let Some((name, value)) = pair_of_bytes(&pair) else { return false };
        let name = name.as_bytes();
        if name.eq_ignore_ascii_case(b"content-length") {
            if said.is_some() {
                return false;
            }
            said = Some(value);
        } else if name.eq_ignore_ascii_case(b"connection") || name.eq_ignore_ascii_case(b"transfer-encoding") {
            return false;
        }
    }
    if is_bodiless(status.into()) {
        return said.is_none() && length == 0;
    }
    let digits = itoa::Buffer::new().format(length).to_owned();
    status >= 200 && said.is_some_and(|said| said.as_bytes() == digits.as_bytes())
}

/// Name and value of a header, which is a tuple or a list of both.
pub(crate) fn pair_of_bytes<'py>(pair: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    match pair.cast::<PyList>() {
        Ok(list) => list.to_tuple().extract().ok(),
        Err(_) => pair.extract().ok(),
    }
}

/// The value of the first header called `name`, if there is one; None if these are no pairs of bytes.
pub(crate) fn first_header<'py>(headers: &Bound<'py, PyList>, name: &[u8]) -> Option<Option<Bound<'py, PyBytes>>> {
    for pair in headers.iter() {
        let (own, value) = pair_of_bytes(&pair)?;
        if own.as_bytes() == name {
            return Some(Some(value));
        }
    }
    Some(None)
}

/// Whether a header says how the body is framed, or what becomes of the connection.
pub(crate) fn is_framing(name: &[u8]) -> bool {
    let framing: [&[u8]; 3] = [b"content-length", b"connection", b"transfer-encoding"];
    framing.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// A `token` of RFC 9110, section 5.6.2.
pub(super) fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
