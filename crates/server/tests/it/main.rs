//! The service as its clients and operators see it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod compression;
mod contract;
mod executor;
mod health;
mod import;
mod opening;
mod own_layer;
mod renewal;
mod running;
mod secured;
