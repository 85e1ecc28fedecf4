//! The route index: which of the registered patterns match a path, in the order of their registration.
//!
//! **The contract is Starlette's**: an application asks its routes one after the other and the first that matches fully
//! wins, so `/users/{name}` registered before `/users/me` hides it. A tree that prefers static segments would answer
//! differently; this one therefore answers *all* candidates, smallest registration index first, and the caller walks
//! them as it would have walked the list of routes (which is how a method that doesn't fit becomes a 405 and not a
//! 404).
//!
//! **It is a filter, never a second semantics.** A candidate whose [`Candidate::exact`] is `true` matches the way its
//! pattern's regular expression would, with the same captures. One whose `exact` is `false` may match; the route itself
//! has to be asked. A pattern that is not among the candidates does not match.
//!
//! **Oddities kept on purpose**, each a consequence of Python's `re`:
//!
//! * A pattern ends in `$`, which also matches *before* a newline that ends the path: `/a\n` (sent as `/a%0A`) matches
//!   the route `/a`, and `{n:int}` matches `1\n` and captures `1`. FastAPI 0.165 does so. `[^/]+` is greedy and
//!   captures that newline.
//! * `{x:path}` does not cross a newline.
//! * `/a//b` has an empty segment in the middle and `/a/` one at the end; neither is the same as `/a/b` or `/a`.
//!
//! **Cost.** One hash lookup per segment for the static children of a node plus one check for each kind of parameter
//! that was registered there, whatever the number of routes. A template that a segment tree can't see into (`{a}.{b}`,
//! a `{x:path}` that is not the last segment, a custom convertor) hangs, as a regular expression for the rest of the
//! path, at the node where its plain segments end, behind a comparison with the literal text that it begins and ends
//! with. Nothing recurses.

mod build;
mod found;
mod tail;
mod tree;

pub use build::{Pattern, RouterBuilder};
pub use found::{Candidate, Candidates, Span};
pub use tree::Router;

#[cfg(test)]
mod tests;
