//! The HTTP/1.1 door's native part: request heads read with `wire::http1`, and whole responses in one buffer.
//!
//! What is in flight, held back or handed over to uvicorn is known to `ferrapi/server/_protocol.py` alone.

mod connection;
mod head;
mod response;

pub(crate) use connection::Connection;
pub(crate) use head::{Head, HeadReader};
