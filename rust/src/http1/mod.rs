//! The HTTP/1.1 door's native part: request heads read with `wire::http1`, what is in flight, and whole responses in one buffer.
//!
//! What is held back or handed over to uvicorn is known to `ferrapi/server/_protocol.py` alone.

mod connection;
mod cycle;
mod head;
mod response;
mod sending;
mod server;
mod site;
mod tasks;

pub(crate) use connection::Connection;
pub(crate) use cycle::Cycle;
pub(crate) use head::{Head, HeadReader};
pub(crate) use response::{Opening, Response, unless_closed};
pub(crate) use server::Server;
pub(crate) use site::Site;
