//! Integration tests of `transport`: connections as their peers see them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod certificates;
mod health;
mod reflection;
mod serving;
mod support;
mod tls;
mod web;
