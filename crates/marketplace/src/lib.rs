//! The web shop: a small online bookshop in front of Foreword, and an example of one.
//!
//! It knows the contract (`api`) and how to reach it (`transport`), and nothing else of Foreword.
//! Pages are written on the server and work without scripts; htmx replaces parts of them where
//! there are scripts. The shop keeps nothing: what it knows of a visitor is in a signed cookie,
//! and everything else is Foreword's.
//!
//! A request goes one way: `visitor` (whose is it) → a page (`pages/`) → the service
//! (at most two calls, each with a deadline) → views (`view/`) → a template (`templates/`) → the
//! frame around it (`frame`). What was served is remembered, and comes again when the service is
//! slow or away.

mod acts;
mod assets;
mod bare;
mod chart;
mod console;
mod cover;
mod done;
mod frame;
mod headers;
mod language;
mod links;
mod outbox;
mod own_host;
mod pages;
mod random;
mod remembered;
mod run;
mod service;
mod session;
pub mod settings;
mod shelves;
mod shop;
mod view;
mod visit;
mod visitor;

pub use run::{Marketplace, MarketplaceError, Openness};
