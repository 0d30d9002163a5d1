//! Quality: how well a model ranks.

use serde::{Deserialize, Serialize};

/// How well a model of the same settings, learnt from what was liked before one moment, ranked what
/// the same readers came to like after it; means over the readers, each 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Quality {
    /// Normalised discounted cumulative gain of the first 10 books.
    pub ndcg_at_10: f64,
    /// The share of what readers came to like that is among the first 10 books.
    pub recall_at_10: f64,
    /// The NDCG of the most popular books, without what each reader had: what is to be beaten.
    pub popularity_ndcg_at_10: f64,
    /// Readers judged.
    pub readers: u32,
    /// When it was measured, in milliseconds since 1970: before this training, or before an earlier
    /// one with the same settings.
    pub measured_ms: i64,
}
