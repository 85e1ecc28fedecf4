//! Finding the route of a request: `wire`'s router says which routes may match, this module walks them as Starlette would.

mod table;

pub(crate) use table::{Found, Place, RouteTable, below};
