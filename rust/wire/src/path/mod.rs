//! Paths: what a route's template says ([`Template`]), what one of its parameters may contain ([`Convertor`]) and how
//! the path of a request line becomes text ([`percent_decode`]).

mod convertor;
mod decode;
mod template;

pub use convertor::Convertor;
pub(crate) use decode::form_decode;
pub use decode::percent_decode;
pub use template::{Template, TemplateError, Token};
