//! Limits of what one request may carry in parameters. Each is linear to check and far above what clients send.
//!
//! FastAPI has none. The environment variable `FERRAPI_PARAMETER_LIMITS=off` switches back; it is read once.

use std::sync::OnceLock;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(ferrapi._native, LimitExceeded, PyException, "A request carries more parameters than ferrapi reads.");

/// Query parameters (Go's `net/url` has the same limit).
pub(crate) const MAX_QUERY_PARAMETERS: usize = 10_000;
/// Bytes of all `Cookie` headers together.
pub(crate) const MAX_COOKIE_BYTES: usize = 64 * 1024;
/// Cookies.
pub(crate) const MAX_COOKIES: usize = 1_000;

/// Whether the limits apply: a constant of the process, read from its environment when it is first needed.
fn apply() -> bool {
    static APPLY: OnceLock<bool> = OnceLock::new();
    *APPLY.get_or_init(|| std::env::var_os("FERRAPI_PARAMETER_LIMITS").is_none_or(|value| value != "off"))
}

/// Checks the number of query parameters.
pub(crate) fn check_query(query: &[u8]) -> PyResult<()> {
    // Each parameter takes a byte at least.
    if query.len() >= MAX_QUERY_PARAMETERS && apply() && wire::query::count(query) > MAX_QUERY_PARAMETERS {
        return Err(LimitExceeded::new_err(format!(
            "Too many query parameters. The maximum is {MAX_QUERY_PARAMETERS}."
        )));
    }
    Ok(())
}

/// Checks the size and number of cookies.
pub(crate) fn check_cookies<'h>(headers: impl Iterator<Item = &'h [u8]> + Clone) -> PyResult<()> {
    let bytes: usize = headers.clone().map(<[u8]>::len).sum();
    if bytes < MAX_COOKIES || !apply() {
        return Ok(()); // each cookie takes a byte at least
    }
    let cookies: usize = headers.map(|header| wire::cookies::raw_pairs(header).count()).sum();
    if bytes > MAX_COOKIE_BYTES {
        return Err(LimitExceeded::new_err(format!(
            "Cookie header too large. The maximum is {MAX_COOKIE_BYTES} bytes."
        )));
    }
    if cookies > MAX_COOKIES {
        return Err(LimitExceeded::new_err(format!("Too many cookies. The maximum is {MAX_COOKIES}.")));
    }
    Ok(())
}
