//! What goes out: JSON bytes, and the check of a response's head.

pub(crate) mod checks;
pub(crate) mod exception;
pub(crate) mod json;
pub(crate) mod shape;
