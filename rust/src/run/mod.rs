//! Running a request natively: what the reference path in Python does, for the requests in which all is as it usually is.
//!
//! A [`Program`] is a route's plan in the form in which it is run: what is read before anything runs, the steps, how the result
//! becomes a response. Python makes it (`ferrapi/routing/_program.py`), once, from the plan that the reference path runs. A
//! [`Serving`] is a coroutine: one request on its way through its program. It calls the user's functions, awaits what they
//! return, and passes on whatever they wait for to the event loop. The doors ([`Door`]) differ in where a request's parts come
//! from and in how its response is sent.
//!
//! What is not as usual (an invalid parameter, an exception that takes a handler of the user's, overridden dependencies, a
//! response object) goes on in Python: the exchange is made then, and the coroutine that answers is awaited in place of all
//! that would have followed. So nothing here decides an answer that Python would not have given.

mod asgi;
mod door;
mod hop;
mod machine;
mod overrides;
mod program;
mod reply;
mod serving;
mod uvicorn;

pub(crate) use asgi::{Entrance, program_of};
pub(crate) use door::{Content, Door, Headers, HttpDoor};
pub(crate) use machine::Machine;
pub(crate) use program::Program;
pub(crate) use serving::Serving;
