//! The few calls of CPython that PyO3 has no safe words for, and places that need no lock. The only unsafe code of ferrapi.
#![expect(unsafe_code, reason = "calls of CPython's C API, and what the GIL makes safe; each says what it relies on")]

mod attached;
mod attributes;
mod awaiting;
mod call;
mod context;
mod guard;
mod items;
mod kept;
mod text;
mod types;

pub(crate) use attached::Attached;
pub(crate) use attributes::attribute;
pub(crate) use awaiting::{Sent, close, exception, is_async_generator, is_coroutine, is_generator, resume, send};
pub(crate) use call::call_named;
pub(crate) use context::{copy_context, within};
pub(crate) use guard::guarded;
pub(crate) use items::items;
pub(crate) use kept::{KeptError, set_traceback};
pub(crate) use text::{latin1, text};
pub(crate) use types::type_version;
