//! The calling side, against real peers.

mod deadlines;
mod peers;
