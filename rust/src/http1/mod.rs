//! The HTTP/1.1 protocol's native part, on top of the state machine of `wire::http1`: a connection between transport and requests,
//! requests in flight with their `receive` and `send`, and responses.

mod access;
mod connection;
mod cycle;
mod head;
mod messages;
mod reading;
mod response;
mod sending;
mod server;
mod site;
mod tasks;
mod waiters;

pub(crate) use connection::Connection;
pub(crate) use cycle::Cycle;
pub(crate) use head::Head;
pub(crate) use messages::MessageCall;
pub(crate) use response::{Opening, Response, unless_closed};
pub(crate) use server::Server;
pub(crate) use site::Site;
