//! The series gate: of each series only the volume to read next.
//!
//! Volumes come in this order: those after the last one that the user has, from the
//! first on; then those that they left out; then prequels, whose place is below 1, so that
//! these never stand in the way of volume 1. Within each part they ascend. The first of them that the
//! shop has and the user has not is *next*. It stands where the best-ranked volume
//! of its series stood, with that one's score if it has none itself; all others are held back. If
//! no edition of it is eligible, the whole series is held back.
//!
//! Items without a place in a series are never touched, and a series is counted by its works: an
//! edition that the user has counts in every series that any edition of the work is in.

use crate::catalogue::{Catalogue, Volume};
use crate::marks::Marks;

use super::draft::{Draft, Slot, Tier};
use super::trace::{Recorder, Why};
use super::{Context, popularity};

/// What is known of a series while its candidates are looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Series {
    /// The place that is next.
    next: f32,
    /// The slot of the best-ranked volume.
    first: u32,
    /// The slot of the next volume, or `NOWHERE`.
    next_slot: u32,
}

const NOWHERE: u32 = u32::MAX;

/// Working memory of the gate.
#[derive(Clone, Debug, Default)]
pub(super) struct GateMemory {
    had_works: Marks<()>,
    /// The last place that the user has, by series.
    reached: Marks<f32>,
    series: Marks<Series>,
    works: Marks<()>,
    passed: Vec<Slot>,
}

impl GateMemory {
    /// Learns which works the user has.
    pub(super) fn read_history(&mut self, catalogue: &Catalogue, had: &[u32]) {
        self.had_works.clear();
        self.reached.clear();
        for &item in had {
            let work = catalogue.work(item);
            if self.had_works.has(work) {
                continue;
            }
            self.had_works.set(work, ());
            for volume in catalogue.editions(item).iter().filter_map(|item| catalogue.volume(*item))
            {
                let reached = self.reached.get(volume.series).unwrap_or(f32::NEG_INFINITY);
                self.reached.set(volume.series, reached.max(volume.place));
            }
        }
    }

    /// The place of a series that is to be read next, if any volume is left.
    pub(super) fn next(&self, catalogue: &Catalogue, series: u32) -> Option<f32> {
        let reached = self.reached.get(series).unwrap_or(f32::NEG_INFINITY);
        next_place(catalogue, series, reached, |work| self.had_works.has(work))
    }
}

/// The place of a series that is to be read next after `reached`, if any volume is left. A volume
/// that is merely sold out counts.
pub(super) fn next_place(
    catalogue: &Catalogue,
    series: u32,
    reached: f32,
    is_had: impl Fn(u32) -> bool,
) -> Option<f32> {
    let (mut left_out, mut prequel) = (None, None);
    for &item in catalogue.volumes(series) {
        if !catalogue.available().contains(item) || is_had(catalogue.work(item)) {
            continue;
        }
        match catalogue.volume(item).map(|volume| volume.place) {
            Some(place) if place < 1.0 => prequel = prequel.or(Some(place)),
            Some(place) if place <= reached => left_out = left_out.or(Some(place)),
            later => return later,
        }
    }
    left_out.or(prequel)
}

/// Lets the next volume of each series through and holds the others back.
pub(super) fn apply(
    draft: &mut Draft,
    context: &Context<'_>,
    memory: &mut GateMemory,
    notes: &mut Recorder<'_>,
) {
    let catalogue = context.shop.catalogue;
    survey(draft, catalogue, memory);
    let mut passed = std::mem::take(&mut memory.passed);
    passed.clear();
    for (place, slot) in draft.slots.iter().enumerate() {
        let Some(volume) = catalogue.volume(slot.item) else {
            passed.push(*slot);
            continue;
        };
        let series = memory.series.get(volume.series).unwrap_or_default();
        let is_next = series.next_slot == place as u32;
        if series.first == place as u32 {
            let chosen = match series.next_slot {
                NOWHERE => stand_in(context, memory, volume.series, series.next, slot),
                next => Some(Slot { standing: slot.standing, ..draft.slots[next as usize] }),
            };
            if let Some(chosen) = chosen {
                if !is_next {
                    notes.note(chosen.item, Why::InPlaceOf { sibling: slot.item });
                }
                passed.push(chosen);
            }
            let next = chosen.map(|chosen| chosen.item);
            if !is_next {
                notes.note(slot.item, Why::NotNext { next });
                passed.push(Slot { tier: Tier::HeldBack, ..*slot });
            }
        } else if !is_next {
            notes.note(slot.item, Why::SeriesTaken);
            passed.push(Slot { tier: Tier::HeldBack, ..*slot });
        }
    }
    std::mem::swap(&mut draft.slots, &mut passed);
    memory.passed = passed;
    draft.part_tiers();
}

/// Finds the first and the next volume of each series among the slots.
fn survey(draft: &Draft, catalogue: &Catalogue, memory: &mut GateMemory) {
    memory.series.clear();
    memory.works.clear();
    for (place, slot) in draft.slots.iter().enumerate() {
        memory.works.set(catalogue.work(slot.item), ());
        let Some(Volume { series: number, place: own }) = catalogue.volume(slot.item) else {
            continue;
        };
        let mut series = memory.series.get(number).unwrap_or_else(|| Series {
            next: memory.next(catalogue, number).unwrap_or(own),
            first: place as u32,
            next_slot: NOWHERE,
        });
        if series.next_slot == NOWHERE && own.total_cmp(&series.next).is_eq() {
            series.next_slot = place as u32;
        }
        memory.series.set(number, series);
    }
}

/// The most popular eligible edition of the next volume, with the score of the slot whose place
/// it takes.
fn stand_in(
    context: &Context<'_>,
    memory: &mut GateMemory,
    series: u32,
    next: f32,
    slot: &Slot,
) -> Option<Slot> {
    let catalogue = context.shop.catalogue;
    let is_next = |item: &u32| {
        catalogue.volume(*item).is_some_and(|volume| volume.place.total_cmp(&next).is_eq())
            && context.eligible.contains(*item)
            && !memory.works.has(catalogue.work(*item))
    };
    let by_popularity = |left: &u32, right: &u32| {
        let popularity = |item: &u32| popularity(context.shop, *item);
        popularity(left).total_cmp(&popularity(right)).then(right.cmp(left))
    };
    let next = catalogue.volumes(series).iter().copied().filter(is_next).max_by(by_popularity)?;
    memory.works.set(catalogue.work(next), ());
    Some(Slot { item: next, ..*slot })
}
