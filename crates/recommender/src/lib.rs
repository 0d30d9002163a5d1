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
//! 3. [`gram`] and [`ridge`]: the item–item weights, learnt from it;
//!    [`trend`]: what users liked lately;
//! 4. [`model`]: these and each item's popularity, as arrays that can live in a memory-mapped file;
//! 5. [`catalogue`] and [`filter`]: which items may be shown at all;
//! 6. [`shelf`]: the ranked answer, with reasons.

pub mod array;
pub mod bits;
pub mod catalogue;
mod cholesky;
pub mod event;
pub mod filter;
pub mod gram;
pub mod history;
pub mod id;
pub mod interactions;
pub mod model;
pub mod ridge;
pub mod shelf;
mod top;
pub mod trend;
pub mod watch;

pub use catalogue::Catalogue;
pub use event::{EventKind, Rating};
pub use filter::Filter;
pub use history::{Event, EventWeights, Evidence};
pub use id::{IdError, ItemNumber, ShopId, UserNumber};
pub use interactions::Interactions;
pub use model::Model;
