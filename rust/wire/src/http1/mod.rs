//! HTTP/1.1 messages: reading a request's head ([`HeadReader`]) and writing a response ([`response`]).

mod framing;
mod head;
pub mod response;

pub use framing::{Framing, FramingError};
pub use head::{Head, HeadReader, MAX_HEADERS, Method, Step, read_whole};
