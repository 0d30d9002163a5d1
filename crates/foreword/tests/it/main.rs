//! The program as its users meet it: arguments in, text and exit codes out.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod adopting;
mod backup;
mod bench;
mod certs;
mod clients;
mod compare;
mod demo;
mod demo_books;
mod deployed;
mod durability;
mod errors;
mod evaluate;
mod help;
mod import;
mod keys;
mod log;
mod migrate;
mod model_file;
mod needs;
mod openapi;
mod opening;
mod operations;
mod process;
mod program;
mod python;
mod real_data;
mod reload;
#[cfg(target_os = "linux")]
mod retraining;
mod serve;
mod settings;
mod shell;
mod shop;
mod together;
mod web_shop;
