//! Running a request natively.
//!
//! A [`Program`] is a route's plan in the form in which it is run: how the body is read, the steps, how the result becomes a
//! response. Python makes it (`ferrapi/compile/program.py`), once, and another one for each set of dependency overrides. A
//! [`Serving`] is a coroutine: one request on its way through its program. It calls the user's functions, awaits what they
//! return, and passes on whatever they wait for to the event loop. Consecutive synchronous functions run in one hop to a worker
//! thread (`hop`). The transports ([`Transport`]) differ in where a request's parts come from and in how its response is sent.
//!
//! What only Python can say or do (the words of an error, a form with files, a response class of the user's, a handler of theirs)
//! is a call of the program's `reference`. docs/internals/architecture.md has the table of these calls.

mod asgi;
mod entrance;
mod given;
mod heartbeat;
mod hop;
mod layers;
mod machine;
mod overrides;
mod program;
mod reply;
mod serving;
mod sink;
mod transport;
mod uvicorn;

pub(crate) use asgi::program_of;
pub(crate) use entrance::Entrance;
pub(crate) use layers::{
    Adding, Compressing, Compression, Decisions, End, Flow, Front, Noting, Outlet, Passage, Ready, Short, Surroundings,
    gzip_bytes, send_whole,
};
pub(crate) use machine::Machine;
pub(crate) use program::Program;
pub(crate) use serving::{Serving, awaited};
pub(crate) use transport::{Content, Headers, HttpTransport, Transport};
