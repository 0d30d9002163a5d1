//! A reader as one generation sees them: what is known of them, in indexes of its catalogue.

use std::sync::Arc;

use recommender::model::Liked;
use recommender::shelf::{Arrangement, Impression, ShelfSettings};
use recommender::{Evidence, ItemNumber};

use super::known::{KnownReader, had_and_settled, impressions};
use super::{BookFilter, Fallback};
use crate::generation::Generation;

/// A reader in the terms of one generation. The default is nobody.
#[derive(Default)]
pub(super) struct PlacedReader {
    /// What the reader said of books, those that the model does not know included.
    pub(super) judged: Vec<Liked>,
    /// What the model scores from.
    pub(super) history: Vec<Liked>,
    /// What the places in reasons stand for: first that of `history`, in its order; then the rest.
    pub(super) evidence: Arc<[Evidence]>,
    /// The books that the reader has.
    pub(super) had: Vec<u32>,
    /// The books that are not to be shown to them again.
    settled: Vec<u32>,
    shown: Vec<Impression>,
    /// Stands for the reader where popular books change places.
    pub(super) seed: Option<u64>,
    /// What was missing about them from the beginning.
    pub(super) fallback: Option<Fallback>,
    pub(super) revision: i64,
    pub(super) is_stale: bool,
}

impl PlacedReader {
    pub(super) fn new(known: &KnownReader, generation: &Generation, steps: &ShelfSettings) -> Self {
        let index = |item: ItemNumber| generation.index_of(item);
        let indexes = |items: &[ItemNumber]| -> Vec<u32> {
            items.iter().filter_map(|item| index(*item)).collect()
        };
        let (had, settled) = had_and_settled(known);
        let (judged, evidence): (Vec<Liked>, Vec<Evidence>) = known
            .evidence
            .iter()
            .filter(|evidence| evidence.weight != 0.0)
            .filter_map(|evidence| {
                Some((Liked { item: index(evidence.item)?, weight: evidence.weight }, *evidence))
            })
            .unzip();
        let items = generation.model().map_or(0, |model| model.model.item_count());
        let (history, evidence) = scored_by(items, &judged, &evidence);
        Self {
            history,
            evidence: evidence.into(),
            had: indexes(&had),
            settled: indexes(&settled),
            shown: impressions(known, steps, index),
            judged,
            seed: known.seed,
            fallback: known.fallback,
            revision: known.revision,
            is_stale: known.is_stale,
        }
    }

    /// The works that are not to be shown: the reader's, and those that the filter leaves out.
    pub(super) fn settled(&self, generation: &Generation, filter: &BookFilter) -> Vec<u32> {
        let mut settled = excluded(generation, filter);
        settled.extend(&self.settled);
        settled
    }

    /// Has these books settled for the reader as well.
    pub(super) fn settle(&mut self, items: impl IntoIterator<Item = u32>) {
        self.settled.extend(items);
    }

    /// How the shelf of a surface is arranged, with what is known of the reader.
    pub(super) fn arrange<'a>(&'a self, arrangement: Arrangement<'a>) -> Arrangement<'a> {
        Arrangement {
            judged: &self.judged,
            had: &self.had,
            impressions: &self.shown,
            ..arrangement
        }
    }
}

/// The books that a filter leaves out by name.
pub(crate) fn excluded(generation: &Generation, filter: &BookFilter) -> Vec<u32> {
    let excluded = filter.excluded.iter().filter_map(|id| generation.index_of_id(id));
    let shown = filter.shown.items().iter().filter_map(|item| generation.index_of(*item));
    excluded.chain(shown).collect()
}

/// What the model can score from: books that it knows, if any of them was liked. The evidence
/// for these comes first, in their order, so that reasons find it; the rest follows.
fn scored_by(items: usize, judged: &[Liked], evidence: &[Evidence]) -> (Vec<Liked>, Vec<Evidence>) {
    let is_known = |pair: &(&Liked, &Evidence)| (pair.0.item as usize) < items;
    let (known, rest): (Vec<_>, Vec<_>) = judged.iter().zip(evidence).partition(is_known);
    let is_liked = known.iter().any(|(liked, _)| liked.weight > 0.0);
    let scored = known.iter().filter(|_| is_liked).map(|(liked, _)| **liked).collect();
    (scored, known.iter().chain(&rest).map(|(_, evidence)| **evidence).collect())
}
