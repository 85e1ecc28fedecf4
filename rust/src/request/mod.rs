//! Reading a request: declared parameters in one call, and the texts that Python asks for one by one.

pub(crate) mod form;
pub(crate) mod limits;
pub(crate) mod path;
pub(crate) mod reader;
mod sent;
mod sources;
pub(crate) mod text;
pub(crate) mod url;
