//! The engine: turns interactions into ranked items.
//!
//! Pure by design: no IO, no clock, no async, no randomness of its own. The same
//! interactions, settings and CPU features give a bit-identical model, whatever
//! the number of threads.
//!
//! The way of the data, one module a step:
//!
//! 1. [`event`] and [`history`]: what users did, and what it says about items;
//! 2. [`interactions`]: users × items, as a sparse matrix;
//! 3. [`learn`]: the item–item weights, and what users liked lately, learnt from it;
//! 4. [`model`]: these and each item's popularity, as arrays that can live in a memory-mapped file;
//! 5. [`catalogue`]: the items of the shop, and what they are filtered by;
//! 6. [`shelf`]: the ranked answer, with reasons;
//! 7. [`quality`]: what a model is worth, on what it was not learnt from.

pub mod array;
pub mod bits;
pub mod catalogue;
pub mod chunks;
pub mod event;
pub mod history;
pub mod id;
pub mod interactions;
pub mod learn;
mod marks;
mod mix;
pub mod model;
pub mod offer;
pub mod quality;
pub mod shelf;
pub mod watch;

pub use catalogue::Catalogue;
pub use event::{EventKind, Rating};
pub use history::{Event, EventWeights, Evidence};
pub use id::{IdError, ItemNumber, ShopId, UserNumber};
pub use interactions::Interactions;
pub use model::Model;
pub use shelf::filter::Filter;
