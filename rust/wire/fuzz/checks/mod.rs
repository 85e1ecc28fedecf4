//! What each fuzz target asserts about one input. The tests of the crate run the same functions on generated inputs
//! (`tests/grammars.rs`), so that stable Rust checks every grammar too.
#![allow(dead_code, unreachable_pub, reason = "each target uses one of these modules")]

pub mod content_type;
pub mod conversation;
pub mod cookies;
pub mod head;
pub mod multipart;
pub mod path_template;
pub mod paths;
pub mod query;
pub mod router;
pub mod urlencoded;
