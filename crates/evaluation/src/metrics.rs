//! Metrics: what lists are worth, what they show, for whom, and how sure that is.
//!
//! 1. [`recommender::quality`]: finds again, list by list: recall, NDCG, reciprocal rank, hit;
//! 2. [`exposure`]: what all lists together show: coverage, novelty, popularity, inequality;
//! 3. [`segments`]: the same for users of short and long histories, for popular and rare items;
//! 4. [`bootstrap`]: intervals, of means and of differences between models.

pub mod bootstrap;
pub mod exposure;
pub mod segments;
