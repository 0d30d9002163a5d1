//! Learning: from interactions to what a model is made of, one file a part.
//!
//! [`ridge`] explains each item by its neighbours and keeps sparse weights; [`low_pass`] adds
//! what all users' tastes have in common, as a few hundred numbers an item. Both are item–item
//! models, linear in a user's history, and so is their sum: a new event needs no training.

mod cholesky;
pub mod content;
pub mod gram;
pub mod lately;
pub mod low_pass;
pub mod popularity;
pub mod ridge;
pub mod rise;
mod rows;

use crate::interactions::Interactions;
use crate::watch::{Cancelled, Watch};

use gram::Gram;
use low_pass::{LowPass, LowPassSettings};
use ridge::{Columns, ItemWeights, RidgeSettings};

/// What a model is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearnSettings {
    /// The sparse part.
    pub ridge: RidgeSettings,
    /// The low-rank part.
    pub low_pass: LowPassSettings,
}

/// An item–item model: a sparse and a low-rank part, to be added.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    /// The sparse part.
    pub weights: ItemWeights,
    /// The low-rank part.
    pub low_pass: LowPass,
}

/// Learns an item–item model on the current rayon pool.
///
/// Costs what [`ridge`] and [`low_pass`] cost; their memory is not held at one time.
/// Bit-identical for any number of threads.
///
/// # Errors
///
/// [`Cancelled`] if `watch` says so.
pub fn learn(
    interactions: &Interactions,
    settings: &LearnSettings,
    watch: &Watch<'_>,
) -> Result<Learnt, Cancelled> {
    let by_item = interactions.by_item();
    let low_pass = low_pass::fit(interactions, &by_item, &settings.low_pass, watch)?;
    let gram = Gram::with_items(interactions, by_item, &settings.ridge.gram, watch)?;
    let columns = Columns::solve(interactions, &gram, &settings.ridge, watch)?;
    drop(gram);
    Ok(Learnt { weights: columns.into_weights(), low_pass })
}
