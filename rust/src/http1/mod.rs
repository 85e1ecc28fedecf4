//! The HTTP/1.1 protocol's native part, on top of the state machine of `wire::http1`: a connection between transport and requests,
//! requests in flight with their `receive` and `send`, and responses.

mod access;
mod answering;
mod arriving;
mod calling;
mod connection;
mod ending;
mod in_flight;
mod messages;
mod parting;
mod reading;
mod request_head;
mod response;
mod sending;
mod server;
mod site;
mod tasks;
mod timing;
mod waiters;

pub(crate) use connection::Connection;
pub(crate) use in_flight::InFlightRequest;
pub(crate) use messages::MessageCall;
pub(crate) use request_head::RequestHead;
pub(crate) use response::{Opening, Response, append, unless_closed};
pub(crate) use sending::{MUCH, bytes_of};
pub(crate) use server::Server;
pub(crate) use site::{Destination, Site};
