//! The part of ferrapi that knows HTTP and routing and no Python.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::arithmetic_side_effects,
        clippy::type_complexity,
        reason = "a test that fails may panic, and a table of rows has the type that it has"
    )
)]

mod bytes;

pub mod cookies;
pub mod form;
pub mod http1;
pub mod latin1;
pub mod media_type;
pub mod path;
pub mod query;
pub mod router;
pub mod sse;

pub use path::{Convertor, Template, TemplateError, Token};
pub use router::{Candidate, Pattern, Router, RouterBuilder, Span};
