//! Diversity: maximal marginal relevance.
//!
//! Carbonell and Goldstein (1998), *The use of MMR, diversity-based reranking for reordering
//! documents and producing summaries*: each place goes to the item with the highest
//! `λ·relevance − (1 − λ)·similarity to the most similar item before it`. Relevance is the
//! standing, as a part of the highest. Two items of one series are alike by 1; others by half the
//! Jaccard index of their categories and another half if they share an author.

use crate::catalogue::Catalogue;
use crate::marks::Marks;

use super::draft::Draft;
use super::steps::Diversity;
use super::trace::{Recorder, Why};

/// What an item is compared by. Authors and categories are bits, numbered as they first come;
/// those after the first 128 of a shelf are left out of the comparison.
#[derive(Clone, Copy, Debug, Default)]
struct Features {
    authors: u128,
    categories: u128,
    /// The series + 1, or 0.
    series: u32,
    /// Similarity to the most similar item chosen, and that item's slot.
    similarity: f32,
    like: u32,
}

/// Working memory of [`apply`].
#[derive(Clone, Debug, Default)]
pub(super) struct DiversityMemory {
    bits: Bits,
    other_bits: Bits,
    features: Vec<Features>,
    chosen: Vec<u32>,
    left: Vec<u32>,
}

/// Gives numbers bits in the order in which they come.
#[derive(Clone, Debug, Default)]
struct Bits {
    known: Marks<u32>,
    next: u32,
}

impl Bits {
    fn clear(&mut self) {
        self.known.clear();
        self.next = 0;
    }

    fn mask(&mut self, numbers: &[u32]) -> u128 {
        let mut mask = 0;
        for &number in numbers {
            let bit = self.known.get(number).unwrap_or_else(|| {
                self.known.set(number, self.next);
                self.next += 1;
                self.next - 1
            });
            mask |= 1_u128.checked_shl(bit).unwrap_or(0);
        }
        mask
    }
}

fn similarity(left: &Features, right: &Features) -> f32 {
    if left.series != 0 && left.series == right.series {
        return 1.0;
    }
    let shared = (left.categories & right.categories).count_ones() as f32;
    let all = (left.categories | right.categories).count_ones().max(1) as f32;
    let author = if left.authors & right.authors == 0 { 0.0 } else { 0.5 };
    author + 0.5 * shared / all
}

/// Reorders the first shown items.
pub(super) fn apply(
    draft: &mut Draft,
    catalogue: &Catalogue,
    settings: Diversity,
    memory: &mut DiversityMemory,
    notes: &mut Recorder<'_>,
) {
    let count = settings.places.min(draft.shown());
    let best = draft.slots.first().map_or(0.0, |slot| slot.standing);
    if count < 2 || best <= 0.0 {
        return;
    }
    read_features(draft, catalogue, count, memory);
    let DiversityMemory { features, chosen, left, .. } = memory;
    let (weight, scale) = (settings.weight, (1.0 - settings.weight) / best);
    let relevance = |place: u32| scale * draft.slots[place as usize].standing;
    while !left.is_empty() {
        let mut winner = (0, f32::NEG_INFINITY);
        for (index, place) in left.iter().enumerate() {
            let value = relevance(*place) - weight * features[*place as usize].similarity;
            if value > winner.1 {
                winner = (index, value);
            }
        }
        // The others stay in their order, so that the first of equals wins.
        let place = left.remove(winner.0);
        chosen.push(place);
        let newest = features[place as usize];
        for other in left.iter() {
            let other = &mut features[*other as usize];
            let similarity = similarity(&newest, other);
            if similarity > other.similarity {
                (other.similarity, other.like) = (similarity, place);
            }
        }
    }
    for (to, from) in chosen.iter().enumerate() {
        let features = &features[*from as usize];
        if to > *from as usize && features.similarity > 0.0 {
            let other = draft.slots[features.like as usize].item;
            notes.note(draft.slots[*from as usize].item, Why::Like { other });
        }
    }
    draft.reorder(chosen);
}

fn read_features(draft: &Draft, catalogue: &Catalogue, count: usize, memory: &mut DiversityMemory) {
    let DiversityMemory { bits, other_bits, features, chosen, left } = memory;
    bits.clear();
    other_bits.clear();
    features.clear();
    chosen.clear();
    left.clear();
    left.extend(0..count as u32);
    features.extend(draft.slots[..count].iter().map(|slot| Features {
        authors: bits.mask(catalogue.authors_of(slot.item)),
        categories: other_bits.mask(catalogue.categories_of(slot.item)),
        series: catalogue.series_of(slot.item).map_or(0, |series| series + 1),
        ..Features::default()
    }));
}
