//! The store, snapshots and the model folder, used as the server uses them.

mod compacting;
mod conformance;
mod migrating;
mod models;
mod opening;
mod postgres;
mod recording;
mod snapshot;
mod speed;
mod support;
