//! The service as its clients and operators see it.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod access;
mod admin;
mod backup;
mod browsing;
mod catalogue;
mod compression;
mod contract;
mod crowd;
mod events;
mod executor;
mod health;
mod import;
mod insight;
mod json;
mod libraries;
mod log;
mod metrics;
mod models;
mod opening;
mod operator;
mod own_layer;
mod page;
mod reading_lists;
mod renewal;
mod replicas;
mod retraining;
mod rules;
mod running;
mod secured;
mod traces;
mod users;
