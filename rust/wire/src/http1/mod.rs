//! HTTP/1.1 messages: one connection's requests ([`Conversation`]), a request's head ([`HeadReader`]), and writing a response
//! ([`response`], [`Answer`]).

mod answer;
mod chunks;
mod conversation;
mod framing;
mod head;
mod method;
mod refusal;
pub mod response;

pub use answer::{Answer, AnswerError};
pub use conversation::{Conversation, Event, Limits};
pub use framing::{Framing, FramingError};
pub use head::{BodyLength, Head, HeadReader, MAX_HEADERS, Step, Upgrade, Version, read_whole};
pub use method::Method;
pub use refusal::Refusal;
