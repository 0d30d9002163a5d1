//! The store, snapshots and the model folder, used as the server uses them.

mod api_keys;
mod books;
mod events;
mod ids;
mod models;
mod opening;
mod postgres;
mod rules;
mod snapshot;
mod speed;
mod support;
mod writing;
