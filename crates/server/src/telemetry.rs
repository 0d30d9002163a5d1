//! What an operator sees of the service: the log, metrics, traces, and the last stalls.

pub mod log;
pub mod metrics;
mod observer;
mod per_second;
mod phase;
mod stalls;
pub mod trace_parent;
pub mod traces;

pub use observer::ExecutorObserver;
pub use phase::{Phase, Phases};
pub use stalls::{KEPT, RecentStalls, Reported};
