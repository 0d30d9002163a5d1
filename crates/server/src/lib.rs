//! Joins engine, store and contract into a service: what a command does, a function
//! here does.
//!
//! - [`settings`] and [`data_folder`]: what everything starts from;
//! - [`import`], [`demo`] and [`train`]: filling the store, and learning from it;
//!   [`model_file`], how a model is written;
//! - [`generation`], [`rules`] and [`live`]: what is being served, renewed without a pause;
//!   [`opening`], to measure how a model's file is opened;
//! - [`recommend`]: questions and answers, without protobuf;
//! - [`grpc`] and [`serve`]: the same over the network;
//! - [`methods`], [`access`] and [`layers`]: what is served to whom, and what happens around it;
//! - [`telemetry`] and [`admin`]: what an operator sees of it;
//! - [`ask`]: asking a running server, or the store;
//! - [`backup`]: the whole shop in a file, and back;
//! - [`certificates`]: to try TLS with.

pub mod access;
pub mod admin;
pub mod ask;
pub mod backup;
mod blocking;
pub mod certificates;
mod clock;
pub mod data_folder;
pub mod demo;
pub mod generation;
pub mod grpc;
pub mod import;
pub mod layers;
pub mod live;
pub mod methods;
pub mod model_file;
pub mod opening;
pub mod progress;
pub mod rates;
pub mod recommend;
mod repeat;
pub mod rules;
pub mod serve;
pub mod settings;
pub mod telemetry;
pub mod train;
