//! What the `receive`s and `send`s of native layers are called: like the functions of Starlette's that they stand for.
//!
//! Tools that trace messages name them by the callable that took them (`__qualname__`).

/// The `send` of Starlette's way to handle exceptions.
pub(super) const SENDER: &str = "wrap_app_handling_exceptions.<locals>.wrapped_app.<locals>.sender";
/// That of the layer for server errors.
pub(super) const OUTERMOST: &str = "ServerErrorMiddleware.__call__.<locals>._send";
/// That of a middleware with a `dispatch`.
pub(super) const SEND_NO_ERROR: &str = "BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.send_no_error";
/// Its `receive`.
pub(super) const RECEIVE_OR_DISCONNECT: &str =
    "BaseHTTPMiddleware.__call__.<locals>.call_next.<locals>.receive_or_disconnect";
/// That of GZip.
pub(super) const COMPRESSING: &str = "IdentityResponder.send_with_compression";

/// The last part of a name.
pub(super) fn last_part(name: &'static str) -> &'static str {
    name.rsplit('.').next().unwrap_or(name)
}
