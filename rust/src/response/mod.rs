//! What goes out: JSON bytes, and the check of a response's head.

pub(crate) mod exception;
pub(crate) mod head;
pub(crate) mod json;
pub(crate) mod shape;
