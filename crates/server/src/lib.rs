//! Joins engine, store and contract into a service: what a command does, a function
//! here does.
//!
//! - [`settings`] and [`data_folder`]: what everything starts from;
//! - [`import`], [`demo`] and [`train`]: filling the store, and learning from it;
//!   [`model_file`], how a model is written; `models_exchange`, how replicas share it;
//!   `retrain`, the same by itself while the service runs;
//! - [`generation`], [`rules`] and [`live`]: what is being served, renewed without a pause;
//!   [`opening`], to measure how a model's file is opened; [`made_up`], a large store to measure on;
//! - [`recommend`]: questions and answers, without protobuf; `histories`, what is known of users;
//!   `categories`, `book_list` and `related`, the catalogue to leaf through;
//! - [`users`] and `library`: users as a whole, and what one of them did, book by book;
//! - [`ingest`]: events on their way into the store;
//! - [`grpc`] and [`serve`]: the same over the network;
//! - [`methods`], [`access`] and [`layers`]: what is served to whom, and what happens around it;
//! - [`telemetry`] and [`admin`]: what an operator sees of it;
//! - [`ask`]: asking a running server, or the store;
//! - [`backup`]: the whole shop in a file, and back;
//! - [`certificates`]: to try TLS with.

pub mod access;
pub mod admin;
pub mod ask;
mod backoff;
pub mod backup;
mod blocking;
mod book_list;
pub mod books;
mod categories;
pub mod certificates;
mod clock;
pub mod data_folder;
pub mod demo;
pub mod generation;
pub mod grpc;
mod histories;
mod idle;
pub mod import;
pub mod ingest;
pub mod layers;
mod library;
pub mod live;
pub mod made_up;
pub mod methods;
pub mod model_file;
mod models_exchange;
pub mod opening;
pub mod progress;
pub mod rates;
pub mod recommend;
mod related;
mod repeat;
mod retrain;
pub mod rules;
pub mod serve;
pub mod settings;
pub mod telemetry;
pub mod train;
pub mod users;
