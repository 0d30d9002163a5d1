//! The calling side, against real peers.

mod deadlines;
mod endpoints;
mod names;
mod peers;
mod retries;
mod tls;
