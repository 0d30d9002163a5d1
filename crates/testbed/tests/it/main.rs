//! The testbed against the real things: PostgreSQL's programs, files, processes that die.

mod child;
mod postgres;
