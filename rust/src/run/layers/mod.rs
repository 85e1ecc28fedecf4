//! What stands in an application's middleware stack and is native: the outermost layer, and the `send` of layers that add headers.
//!
//! A response that the engine made goes through those `send`s whole, as far as they are known ([`deliver`]); where code of the
//! user's stands in between, it goes in messages, which [`Outlet`] puts together again in front of the server.

mod around;
mod compressing;
mod delivery;
mod flow;
mod front;
mod named;
mod noting;
mod outlet;
mod passage;
mod ready;
mod short;

pub(super) use compressing::Piece;
pub(crate) use compressing::{Compressing, Compression, gzip_bytes};
pub(crate) use delivery::send_whole;
pub(super) use delivery::{Delivery, Opened, Rest, deliver, goes_unseen, open, open_with};
pub(crate) use flow::Flow;
pub(crate) use front::{End, Front};
pub(crate) use noting::Noting;
pub(crate) use outlet::{Outlet, Surroundings};
pub(crate) use passage::{Passage, PassageSend, noting_taker};
pub(crate) use ready::Ready;
use short::enter;
pub(crate) use short::{Adding, Decisions, Short};
