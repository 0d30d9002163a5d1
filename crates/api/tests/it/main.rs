//! What the contract promises to clients that exist already.

mod descriptor;
mod tutorial;
mod v1;
