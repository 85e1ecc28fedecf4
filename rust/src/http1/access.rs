//! What the access log says of a request of which there is no scope.

use pyo3::prelude::*;

use super::request_head::RequestHead;
use crate::access_log::{AccessLog, Line, shown_client, shown_path};

/// Logs the response to it.
pub(super) fn log_head(
    log: &Bound<'_, AccessLog>,
    client: &Bound<'_, PyAny>,
    head: &RequestHead,
    root_path: &str,
    status: u16,
) -> PyResult<()> {
    let py = log.py();
    let decoded = wire::path::percent_decode(head.path_bytes(py));
    let query = head.query_bytes(py);
    let path = if root_path.is_empty() {
        shown_path(&decoded, query)
    } else {
        shown_path(&[root_path, &decoded].concat(), query)
    };
    let (client, method, version) = (shown_client(client)?, head.method_name(), head.version());
    AccessLog::log(log, &Line { client: &client, method, path: &path, version, status })
}
