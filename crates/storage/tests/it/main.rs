//! The store, snapshots and the model folder, used as the server uses them.

mod conformance;
mod models;
mod opening;
mod postgres;
mod snapshot;
mod speed;
mod support;
