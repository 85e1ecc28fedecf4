//! The HTTP/1.1 door's native part: request heads read with `wire::http1`, and whole responses in one buffer.
//!
//! The connection itself (what is in flight, what is handed over to uvicorn) is `ferrapi/server.py`'s.

mod head;
mod response;

pub(crate) use head::{Head, HeadReader};
pub(crate) use response::response_bytes;
