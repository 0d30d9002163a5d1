//! What the user dislikes: authors and series that more of the history speaks against than for.
//!
//! The model lowers what is read by the same people as a disliked book; this step keeps the
//! book's own siblings, which it may hardly know, from leading the shelf, even where nothing else
//! has a score: popular items come before them.

use crate::catalogue::Catalogue;
use crate::marks::Marks;
use crate::model::Liked;

use super::draft::{Draft, Tier};
use super::trace::{Recorder, Why};

/// Working memory: what the history says, summed up.
#[derive(Clone, Debug, Default)]
pub(super) struct Opinions {
    authors: Marks<f32>,
    series: Marks<f32>,
}

impl Opinions {
    fn read(&mut self, catalogue: &Catalogue, judged: &[Liked]) {
        self.authors.clear();
        self.series.clear();
        for liked in judged {
            for &author in catalogue.authors_of(liked.item) {
                add(&mut self.authors, author, liked.weight);
            }
            if let Some(series) = catalogue.series_of(liked.item) {
                add(&mut self.series, series, liked.weight);
            }
        }
    }

    fn against(&self, catalogue: &Catalogue, item: u32) -> Option<Why> {
        let disliked =
            |sums: &Marks<f32>, number: u32| sums.get(number).is_some_and(|sum| sum < 0.0);
        let series = catalogue.series_of(item).filter(|series| disliked(&self.series, *series));
        let mut authors = catalogue.authors_of(item).iter();
        let mut author = || authors.find(|author| disliked(&self.authors, **author));
        series.map(Why::DislikedSeries).or_else(|| author().copied().map(Why::DislikedAuthor))
    }
}

fn add(sums: &mut Marks<f32>, number: u32, weight: f32) {
    sums.set(number, sums.get(number).unwrap_or(0.0) + weight);
}

/// Whether the user dislikes anything.
pub(super) fn any(judged: &[Liked]) -> bool {
    judged.iter().any(|liked| liked.weight < 0.0)
}

/// Puts behind what fills the shelf up what is by an author or of a series whose weights add up to less than zero.
pub(super) fn apply(
    draft: &mut Draft,
    catalogue: &Catalogue,
    judged: &[Liked],
    opinions: &mut Opinions,
    notes: &mut Recorder<'_>,
) {
    if !any(judged) {
        return;
    }
    opinions.read(catalogue, judged);
    for slot in &mut draft.slots {
        if let Some(why) = opinions.against(catalogue, slot.item) {
            notes.note(slot.item, why);
            slot.tier = slot.tier.max(Tier::Disliked);
        }
    }
    draft.part_tiers();
}
