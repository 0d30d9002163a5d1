//! Impression decay: what was shown and not taken up sinks.
//!
//! Lee, Lakshmanan, Tiwari and Shah (2014), *Modeling impression discounting in large-scale
//! recommender systems*: an item's score falls with each time it was seen without effect.
//! Here it is multiplied by `factor^n`, where each of the `n` showings counts
//! `2^(−age / half-life)`.

use crate::catalogue::Catalogue;
use crate::marks::Marks;

use super::draft::Draft;
use super::steps::ImpressionDecay;
use super::trace::{Recorder, Why};

/// An item was shown to the user, who did nothing about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impression {
    /// Index of the item.
    pub item: u32,
    /// How long ago, in milliseconds. The caller has the clock.
    pub age_ms: i64,
}

/// Lowers the standing of works that were shown, and orders anew.
pub(super) fn apply(
    draft: &mut Draft,
    catalogue: &Catalogue,
    settings: ImpressionDecay,
    impressions: &[Impression],
    counts: &mut Marks<f32>,
    notes: &mut Recorder<'_>,
) {
    if impressions.is_empty() {
        return;
    }
    counts.clear();
    for shown in impressions {
        let work = catalogue.work(shown.item);
        // Ages beyond 2^53 ms do not matter to a half-life.
        let half_lives = shown.age_ms.max(0) as f64 / settings.half_life_ms;
        counts.set(work, counts.get(work).unwrap_or(0.0) + (-half_lives).exp2() as f32);
    }
    for slot in &mut draft.slots {
        if let Some(count) = counts.get(catalogue.work(slot.item)) {
            slot.standing *= settings.factor.powf(count);
            notes.note(slot.item, Why::Shown(count));
        }
    }
    draft.sort();
}
