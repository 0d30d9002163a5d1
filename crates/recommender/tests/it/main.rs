//! The engine as its users see it: from interactions to a shelf.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod determinism;
mod model_file;
mod popular_by_hand;
mod rerank_by_hand;
mod rerank_properties;
mod shelf_by_hand;
mod shelf_properties;
mod shop;
