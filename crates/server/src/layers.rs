//! What happens to every call before and after its handler, as tower layers.
//!
//! From the outside in; each sees the answers of all below it:
//!
//! | layer | what it does |
//! | --- | --- |
//! | guard (`transport`) | refuses what is no proper request |
//! | gRPC-Web, JSON (`transport`) | make gRPC of other ways to ask, and refuse what is none; documents |
//! | health (`transport`) | answers health calls, to everybody |
//! | [`request_id`] | names the call; the name goes back as `x-request-id` |
//! | [`trace_context`] | joins the caller's trace (W3C `traceparent`), or begins one |
//! | [`metrics`] | counts and times by method and status |
//! | [`access_log`] | one line for each call |
//! | [`authentication`] | whose call it is, and whether they may |
//! | [`rate_limit`] | so many calls a second for each identity |
//! | [`load_shed`] | so many calls at one time, in all and for each identity |
//! | [`deadline`] | a time limit for calls that come without one, and a longest |
//! | [`mod@panic`] | a panic in a layer below costs that call only |
//! | `unstall` | what is below as a job of the executor, with the deadline |
//! | [`log_context`] | lines that a handler logs carry the call's name |
//! | JSON (`transport`) | parses what came as JSON |
//! | compression (`transport`) | answers as the request was |
//! | a shop's own | see `examples/choose_model` |
//!
//! The layers above `unstall` run on threads that move bytes, so none of them waits or computes
//! for long; those below may. What they share of a call is a [`Call`] in the request's
//! extensions. From request id to panic they are put together in `stack.rs`, the others around
//! them in `serve/ways_in.rs`.

pub mod access_log;
pub mod admit;
pub mod authentication;
mod call;
pub mod deadline;
pub mod load_shed;
pub mod log_context;
pub mod metrics;
mod outcome;
pub mod panic;
mod permit;
pub mod rate_limit;
pub mod request_id;
mod stack;
pub mod trace_context;
mod watch;

pub use call::Call;
pub use outcome::Outcome;
pub(crate) use permit::Permit;
pub use stack::Stack;
pub use watch::{Done, Watched, Watching, watch};
