//! The shop's pins: taken out of the draft, and put at their places once the shelf is full.
//!
//! So a pinned item stands where the shop wants it, whatever fills the shelf up. Pins are
//! of items and count by works: the item that is pinned is the edition that comes.

use crate::bits::BitSet;
use crate::catalogue::Catalogue;
use crate::marks::Marks;

use super::draft::Draft;
use super::rules::Rules;
use super::trace::{Recorder, Why};
use super::{Origin, Ranked};

/// A pinned item that comes.
#[derive(Clone, Copy, Debug)]
struct Pin {
    /// Where it is wanted, counted from 1.
    place: usize,
    item: u32,
    score: f32,
}

/// Working memory: the pins of one shelf, by place, no two of one work.
#[derive(Clone, Debug, Default)]
pub(super) struct PinMemory {
    pins: Vec<Pin>,
    /// Where the pin of a work is in the list.
    works: Marks<u32>,
}

impl PinMemory {
    /// How many items come by a pin.
    pub(super) fn count(&self) -> usize {
        self.pins.len()
    }
}

/// Takes the works of pinned items out of the draft and of what is eligible, as far as a shelf
/// of so many `results` has their places. What was a candidate keeps its score.
pub(super) fn take(
    draft: &mut Draft,
    catalogue: &Catalogue,
    eligible: &mut BitSet,
    rules: &Rules,
    results: usize,
    memory: &mut PinMemory,
) {
    let PinMemory { pins, works } = memory;
    pins.clear();
    works.clear();
    for &(place, item) in rules.pins() {
        if place > results || pins.len() == results {
            break;
        }
        let work = catalogue.work(item);
        if eligible.contains(item) && !works.has(work) {
            works.set(work, pins.len() as u32);
            pins.push(Pin { place, item, score: 0.0 });
        }
    }
    if pins.is_empty() {
        return;
    }
    draft.slots.retain(|slot| {
        let Some(place) = works.get(catalogue.work(slot.item)) else { return true };
        let pin = &mut pins[place as usize];
        if pin.item == slot.item {
            pin.score = slot.score;
        }
        false
    });
    for pin in pins {
        catalogue.take_work(pin.item, eligible);
    }
}

/// Puts pinned items at their places. Of several for one place the later ones follow; where there
/// are too few other items, they come last.
pub(super) fn insert(shelf: &mut Vec<Ranked>, memory: &PinMemory, notes: &mut Recorder<'_>) {
    let mut free = 0;
    for &Pin { place, item, score } in &memory.pins {
        let at = (place - 1).max(free).min(shelf.len());
        notes.note(item, Why::Pinned(at + 1));
        let (scored, origin, reasons) = (item, Origin::Pinned, Vec::new());
        shelf.insert(at, Ranked { item, scored, score, origin, reasons });
        free = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::trace::{Note, Step, Trace};

    #[test]
    fn pins_stand_at_their_places_and_the_trace_says_where() {
        let check = |pins: &[(usize, u32)], others: u32, expected: &[u32]| {
            let pin = |&(place, item): &(usize, u32)| Pin { place, item, score: 0.0 };
            let memory =
                PinMemory { pins: pins.iter().map(pin).collect(), works: Marks::default() };
            let (origin, score) = (Origin::Popular, 0.0);
            let ranked = |item| Ranked { item, scored: item, score, origin, reasons: Vec::new() };
            let mut shelf: Vec<Ranked> = (1..=others).map(ranked).collect();
            let mut trace = Trace::default();
            let mut notes = Recorder(Some(&mut trace));
            notes.begin(Step::Pins);
            insert(&mut shelf, &memory, &mut notes);
            let found: Vec<u32> = shelf.iter().map(|ranked| ranked.item).collect();
            assert_eq!(found, expected, "{pins:?}");
            for Note { item, why } in &trace.steps[0].notes {
                let place = found.iter().position(|found| found == item).unwrap() + 1;
                assert_eq!(*why, Why::Pinned(place), "{item} of {pins:?}");
            }
        };
        check(&[], 3, &[1, 2, 3]);
        check(&[(3, 7)], 3, &[1, 2, 7, 3]);
        check(&[(1, 7), (4, 8)], 3, &[7, 1, 2, 8, 3]);
        check(&[(4, 7), (4, 8)], 3, &[1, 2, 3, 7, 8]);
        check(&[(1, 7), (1, 8), (2, 9)], 2, &[7, 8, 9, 1, 2]);
        check(&[(2, 7), (9, 8)], 1, &[1, 7, 8]);
        check(&[(5, 7)], 0, &[7]);
    }
}
