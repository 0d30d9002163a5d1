//! Reasons: what speaks for an item of a shelf, as codes with arguments.

use crate::catalogue::Catalogue;
use crate::model::{Liked, Model};

use super::series_gate::next_place;
use super::{Origin, Ranked};

/// The longest list of reasons.
pub const REASONS_MAX: usize = 3;

/// What speaks for a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// An item of the history speaks for it.
    History {
        /// Place in the history that was asked with.
        place: usize,
        /// Its part of all positive contributions to the score, 0 to 1.
        share: f64,
    },
    /// It is the volume of a series to read next; no unread one lies between.
    NextInSeries {
        /// Index of the last volume that the user has.
        after: u32,
    },
    /// It is by an author of whom the user likes another item.
    ByAuthor {
        /// The author's number in the catalogue.
        author: u32,
        /// Index of that item.
        liked: u32,
    },
}

/// Gives the personal items of a shelf their reasons from the history that was asked with.
///
/// Shares are exact. Costs `O(log row + factors)` for each item of the shelf and each of the
/// history, item by item of the history, so that its row and factors stay in the cache.
pub fn explain(model: &Model, history: &[Liked], shelf: &mut [Ranked]) {
    let personal = shelf.iter_mut().filter(|ranked| ranked.origin == Origin::Personal);
    let mut personal: Vec<(&mut Ranked, f64)> = personal
        .map(|ranked| {
            ranked.reasons = Vec::with_capacity(REASONS_MAX + 1);
            (ranked, 0.0)
        })
        .collect();
    for (place, liked) in history.iter().enumerate() {
        for (ranked, positive) in &mut personal {
            let part = f64::from(model.contribution(*liked, ranked.scored));
            if part > 0.0 {
                *positive += part;
                add(&mut ranked.reasons, place, part);
            }
        }
    }
    for (ranked, positive) in personal {
        for reason in &mut ranked.reasons {
            if let Reason::History { share, .. } = reason {
                *share /= positive;
            }
        }
    }
}

/// Adds a part of a score to the strongest, the strongest first, equals by place.
fn add(strongest: &mut Vec<Reason>, place: usize, part: f64) {
    let is_before =
        |reason: &Reason| matches!(reason, Reason::History { share, .. } if *share >= part);
    let rank = strongest.partition_point(is_before);
    if rank < REASONS_MAX {
        strongest.truncate(REASONS_MAX - 1);
        strongest.insert(rank, Reason::History { place, share: part });
    }
}

/// Adds what the catalogue says to the reasons of a shelf's personal items: the next volume
/// first, then the strongest of the history, then the author, then the rest.
///
/// `judged` is what the user said of items, `had` what they have. An author is not named with an
/// item that is among the reasons already.
pub fn explain_by_catalogue(
    catalogue: &Catalogue,
    history: &[Liked],
    judged: &[Liked],
    had: &[u32],
    shelf: &mut [Ranked],
) {
    let mut had_works: Vec<u32> = had.iter().map(|item| catalogue.work(*item)).collect();
    had_works.sort_unstable();
    for ranked in shelf.iter_mut().filter(|ranked| ranked.origin == Origin::Personal) {
        let after = volume_before(catalogue, had, ranked.item)
            .filter(|_| is_next(catalogue, had, &had_works, ranked.item));
        let is_named = |item: u32| {
            let of_history = |reason: &Reason| match reason {
                Reason::History { place, .. } => history[*place].item == item,
                _ => false,
            };
            after == Some(item) || ranked.reasons.iter().take(1).any(of_history)
        };
        if let Some(reason) = by_author(catalogue, judged, ranked.item, is_named) {
            ranked.reasons.insert(ranked.reasons.len().min(1), reason);
        }
        if let Some(after) = after {
            ranked.reasons.insert(0, Reason::NextInSeries { after });
        }
        ranked.reasons.truncate(REASONS_MAX);
    }
}

/// The last volume before an item's that the user has, of the same series.
fn volume_before(catalogue: &Catalogue, had: &[u32], item: u32) -> Option<u32> {
    let own = catalogue.volume(item)?;
    let place = |item: u32| {
        let volume = catalogue.volume(item).filter(|volume| volume.series == own.series)?;
        (volume.place < own.place).then_some(volume.place)
    };
    let before = had.iter().filter_map(|item| Some((place(*item)?, *item)));
    let last = before.max_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(&left.1)));
    last.map(|(_, item)| item)
}

/// Whether an item is the volume of its series to read next, as the series gate counts: none that
/// the shop has lies between, be it sold out. `had_works` ascend.
fn is_next(catalogue: &Catalogue, had: &[u32], had_works: &[u32], item: u32) -> bool {
    let Some(own) = catalogue.volume(item) else { return false };
    let editions = had.iter().flat_map(|item| catalogue.editions(*item));
    let volumes = editions.filter_map(|item| catalogue.volume(*item));
    let places = volumes.filter(|volume| volume.series == own.series).map(|volume| volume.place);
    let reached = places.fold(f32::NEG_INFINITY, f32::max);
    let is_had = |work: u32| had_works.binary_search(&work).is_ok();
    next_place(catalogue, own.series, reached, is_had) == Some(own.place)
}

/// The item by one of an item's authors that the user likes best.
fn by_author(
    catalogue: &Catalogue,
    judged: &[Liked],
    item: u32,
    is_named: impl Fn(u32) -> bool,
) -> Option<Reason> {
    let authors = catalogue.authors_of(item);
    let shared = |liked: &Liked| {
        let of = catalogue.authors_of(liked.item);
        authors.iter().copied().find(|author| of.contains(author))
    };
    let liked = judged.iter().filter(|liked| liked.weight > 0.0 && !is_named(liked.item));
    let best = liked.filter_map(|liked| Some((liked, shared(liked)?))).max_by(|left, right| {
        left.0.weight.total_cmp(&right.0.weight).then(right.0.item.cmp(&left.0.item))
    });
    best.map(|(liked, author)| Reason::ByAuthor { author, liked: liked.item })
}
