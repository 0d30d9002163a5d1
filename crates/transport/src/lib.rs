#![doc = include_str!("../README.md")]

pub mod development;
pub mod health;
pub mod tls;
pub mod web;
