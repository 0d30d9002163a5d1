//! The shop as its visitors meet it: pages over HTTP, with a real service behind, through a
//! connection that can fail.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod acting;
mod attacks;
mod away;
mod browser;
mod certificates;
mod console;
mod faults;
mod importing;
mod pages;
mod proxy;
mod routes;
mod shop;
mod signing_in;
mod texts;
mod try_it;
mod uploads;
mod wire;
