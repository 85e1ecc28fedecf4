//! `ferrapi._native`: the compiled half of ferrapi, and the only crate that knows Python.
//!
//! Something crosses between Python and Rust at two moments:
//!
//! * **A plan goes in, once per route.** `RouteTable` takes a list of `RoutePlan`s, `Reader` a list of `GroupPlan`s (both typed
//!   dictionaries of `ferrapi/compile/boundary.py`, taken apart in [`plan`]). Mistakes in them are a `PlanError` there and then.
//! * **A request goes in, and a coroutine that serves it comes out.** [`routing`] finds the route, [`request`] reads declared
//!   parameters, [`run`] runs the route's program, [`response`] turns a value into JSON bytes and checks what goes out. [`http1`]
//!   is a connection's side of the HTTP/1.1 protocol.
//!
//! What decides an answer and needs no Python (the grammar of paths, queries, cookies, content types) is in `rust/wire`.
//!
//! Nothing here panics on request data, recurses over it, or keeps global state. A panic would still become an exception: the
//! crate unwinds.
#![deny(unsafe_op_in_unsafe_fn, unsafe_code)]

mod access_log;
mod facts;
mod http1;
mod plan;
mod py;
mod registry;
mod request;
mod response;
mod routing;
mod run;
mod version_counter;
mod watch;

use pyo3::prelude::*;

/// The compiled half of ferrapi. Not a public interface: import from `ferrapi`.
#[pymodule(gil_used = true)]
mod _native {
    #[pymodule_export]
    use crate::access_log::AccessLog;
    #[pymodule_export]
    use crate::http1::{Connection, InFlightRequest, MessageCall, RequestHead, Server, Site};
    #[pymodule_export]
    use crate::plan::PlanError;
    #[pymodule_export]
    use crate::registry::Registry;
    #[pymodule_export]
    use crate::request::form::{FormParser, FormReader, FormRefused};
    #[pymodule_export]
    use crate::request::limits::LimitExceeded;
    #[pymodule_export]
    use crate::request::reader::Reader;
    #[pymodule_export]
    use crate::request::text::{has_long_number, is_json_content_type, parse_cookies, parse_query};
    #[pymodule_export]
    use crate::request::url::plain_url;
    #[pymodule_export]
    use crate::response::checks::{describes_body, response_head_problem};
    #[pymodule_export]
    use crate::response::exception::answer_http_exception;
    #[pymodule_export]
    use crate::response::json::{encode_json, to_jsonable};
    #[pymodule_export]
    use crate::routing::RouteTable;
    #[pymodule_export]
    use crate::run::{
        Adding, Compressing, Compression, Decisions, End, Entrance, Front, Noting, Outlet, Passage, Program, Ready,
        Serving, Short, Surroundings, gzip_bytes, send_whole,
    };
    #[pymodule_export]
    use crate::version_counter::VersionCounter;
    #[pymodule_export]
    use crate::watch::TypeWatch;
}
