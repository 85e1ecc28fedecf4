//! Benchmarks of ferrapi-wire: [`router.rs`](router.rs) and [`grammar.rs`](grammar.rs). There is nothing else in this
//! package.
