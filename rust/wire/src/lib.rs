//! The part of ferrapi that knows HTTP and routing, and no Python.
//!
//! # One request through the crate
//!
//! Bytes arrive on a connection. [`http1::Conversation`] reads one request after the other out of them, heads and bodies,
//! and refuses what can't be understood in one way only. The path of the head is percent-encoded;
//! [`path::percent_decode`] makes it text, and [`Router::candidates`] names the routes that match it, in the order in
//! which the application registered them. The caller takes the first that serves the method, and reads what that route
//! asks for: the parts of the path that the candidate captured, [`query::pairs`], [`cookies::pairs`], header values as
//! [`latin1`] text, and the body: JSON if [`media_type::is_json`] says so, a form through [`form::urlencoded`] or
//! [`form::multipart`]. The answer is written by [`http1::response`].
//!
//! ```
//! use wire::http1::{HeadReader, Step, response};
//! use wire::{Candidates, Convertor, Pattern, RouterBuilder, Template};
//!
//! let mut builder = RouterBuilder::new();
//! for text in ["/items/new", "/items/{id:int}"] {
//!     let template = Template::parse(text, |name| (name == "int").then_some(Convertor::Int))?;
//!     builder.insert(Pattern::Route(template));
//! }
//! let router = builder.build();
//!
//! let bytes = b"GET /items/42?q=caf%C3%A9+noir HTTP/1.1\r\nHost: example.org\r\n\r\n";
//! let Step::Complete(head) = HeadReader::new(65_536).read(bytes) else { panic!("incomplete") };
//! let path = wire::path::percent_decode(head.path(bytes));
//! let mut candidates = Candidates::new();
//! router.candidates(&path, &mut candidates);
//! assert_eq!(candidates[0].index, 1);
//! assert_eq!(candidates[0].captures[0], (7, 9));
//! assert_eq!(wire::query::pairs(head.query(bytes)).next().unwrap().1, "caf\u{e9} noir");
//!
//! let mut out = Vec::new();
//! response::status_line(&mut out, 200, response::reason(200).as_bytes())?;
//! response::content_length(&mut out, 2);
//! response::end(&mut out, b"{}");
//! assert_eq!(out, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds everywhere
//!
//! * **The answers are Starlette's**, to the byte, including what is odd about them; each module lists its oddities
//!   first. They come from Python's standard library more often than from a specification. One that clients rely on is
//!   no bug to be fixed here.
//! * **No input panics.** Nothing indexes, unwraps or adds without a check outside the tests; there is no `unsafe`.
//! * **No input is slow.** Every reader takes time linear in its input, however it is cut into pieces, and holds at
//!   most what its limits allow. Nothing recurses over what a client sent.
//! * **What needs no decoding is borrowed.**
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
pub mod gzip;
pub mod http1;
pub mod json;
pub mod latin1;
pub mod media_type;
pub mod path;
pub mod query;
pub mod router;
pub mod url;

pub use path::{Convertor, Template, TemplateError, Token};
pub use router::{Candidate, Candidates, Pattern, Router, RouterBuilder, Span};
