//! The shop's own rules: pins, boosts and burying.
//!
//! Rules never make an item eligible. A pin puts one at a place; a factor multiplies standings; what
//! is buried comes last, or not at all.

use crate::bits::BitSet;
use crate::catalogue::Catalogue;

use super::draft::{Draft, Slot, Tier};
use super::trace::{Recorder, Why};
use super::{Context, Origin, Ranked};

/// What a rule is about, by the catalogue's indexes and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One item.
    Item(u32),
    /// All items by an author.
    Author(u32),
    /// All items of a series.
    Series(u32),
    /// All items of a category.
    Category(u32),
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// The item stands at this place, counted from 1, whenever it is eligible and as many items
    /// are asked for. Of two pins to one place, the later is put behind the earlier.
    Pin {
        /// The item.
        item: u32,
        /// Its place.
        place: usize,
    },
    /// Scores are multiplied; several rules for one item multiply each other, up to a million
    /// million.
    Weigh {
        /// What of.
        target: Target,
        /// By what, above 0.
        factor: f32,
    },
    /// Comes after everything else.
    Last(
        /// What does.
        Target,
    ),
    /// Does not come at all.
    Out(
        /// What does not.
        Target,
    ),
}

/// What the rules do to one target.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Effect {
    factor: f32,
    is_last: bool,
}

const NOTHING: Effect = Effect { factor: 1.0, is_last: false };

/// The largest product of factors: far from what a float holds, so that no standing is infinite.
const PRODUCT_MAX: f32 = 1e12;

impl Effect {
    fn and(self, other: Self) -> Self {
        let factor = (self.factor * other.factor).min(PRODUCT_MAX);
        Self { factor, is_last: self.is_last || other.is_last }
    }
}

/// Rules, made ready for one catalogue.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By place.
    pins: Vec<(usize, u32)>,
    items: Vec<Effect>,
    authors: Vec<Effect>,
    series: Vec<Effect>,
    categories: Vec<Effect>,
    /// Items that do not come at all, if there are any.
    out: Option<BitSet>,
}

impl Rules {
    /// No rules.
    pub const NONE: &Self = &Self {
        pins: Vec::new(),
        items: Vec::new(),
        authors: Vec::new(),
        series: Vec::new(),
        categories: Vec::new(),
        out: None,
    };

    /// Makes rules ready. Looking one item up then costs a few array reads, and leaving out what
    /// does not come at all `O(items / 64)`, however many rules there are.
    #[must_use]
    pub fn new(rules: &[Rule], catalogue: &Catalogue) -> Self {
        let mut ready = Self::default();
        for rule in rules {
            match *rule {
                Rule::Pin { item, place } => ready.pins.push((place.max(1), item)),
                Rule::Weigh { target, factor } => ready.add(target, Effect { factor, ..NOTHING }),
                Rule::Last(target) => ready.add(target, Effect { is_last: true, ..NOTHING }),
                Rule::Out(target) => ready.leave_out(target, catalogue),
            }
        }
        ready.pins.sort_by_key(|(place, _)| *place);
        ready
    }

    fn add(&mut self, target: Target, effect: Effect) {
        let (effects, number) = match target {
            Target::Item(number) => (&mut self.items, number),
            Target::Author(number) => (&mut self.authors, number),
            Target::Series(number) => (&mut self.series, number),
            Target::Category(number) => (&mut self.categories, number),
        };
        let number = number as usize;
        if number >= effects.len() {
            effects.resize(number + 1, NOTHING);
        }
        effects[number] = effects[number].and(effect);
    }

    fn leave_out(&mut self, target: Target, catalogue: &Catalogue) {
        let out = self.out.get_or_insert_with(|| BitSet::new(catalogue.item_count()));
        let items = match target {
            Target::Item(item) => return out.insert(item),
            Target::Author(author) => catalogue.by_author(author),
            Target::Series(series) => catalogue.in_series(series),
            Target::Category(category) => catalogue.in_category(category),
        };
        items.iter().for_each(|item| out.insert(*item));
    }

    fn effect(&self, catalogue: &Catalogue, item: u32) -> Effect {
        let of = |effects: &[Effect], number: u32| {
            effects.get(number as usize).copied().unwrap_or(NOTHING)
        };
        let of_all = |effects: &[Effect], numbers: &[u32]| match effects {
            [] => NOTHING,
            effects => numbers.iter().fold(NOTHING, |all, number| all.and(of(effects, *number))),
        };
        let series = catalogue.series_of(item).map_or(NOTHING, |series| of(&self.series, series));
        of(&self.items, item)
            .and(series)
            .and(of_all(&self.authors, catalogue.authors_of(item)))
            .and(of_all(&self.categories, catalogue.categories_of(item)))
    }

    /// Whether an item comes last.
    pub(super) fn is_last(&self, catalogue: &Catalogue, item: u32) -> bool {
        self.effect(catalogue, item).is_last
    }

    /// Takes out of `eligible` what is not to come at all.
    pub(super) fn withhold(&self, eligible: &mut BitSet) {
        if let Some(out) = &self.out {
            eligible.subtract(out);
        }
    }

    fn weighs(&self) -> bool {
        let lists = [&self.items, &self.authors, &self.series, &self.categories];
        lists.iter().any(|effects| !effects.is_empty())
    }
}

/// Multiplies standings and buries, and orders anew.
pub(super) fn weigh(
    draft: &mut Draft,
    catalogue: &Catalogue,
    rules: &Rules,
    notes: &mut Recorder<'_>,
) {
    if !rules.weighs() {
        return;
    }
    for slot in &mut draft.slots {
        let effect = rules.effect(catalogue, slot.item);
        if effect.factor != 1.0 {
            slot.standing *= effect.factor;
            notes.note(slot.item, Why::Factor(effect.factor));
        }
        if effect.is_last {
            slot.tier = Tier::Buried;
            notes.note(slot.item, Why::Buried);
        }
    }
    draft.sort();
}

/// Puts pinned items that are eligible at their places, wherever they come from, as far as a
/// shelf of so many `results` has these places.
pub(super) fn pin(
    draft: &mut Draft,
    context: &Context<'_>,
    rules: &Rules,
    results: usize,
    pins: &mut Vec<(usize, Slot)>,
    notes: &mut Recorder<'_>,
) {
    let catalogue = context.shop.catalogue;
    pins.clear();
    for &(place, item) in rules.pins.iter().take_while(|(place, _)| *place <= results) {
        let work = catalogue.work(item);
        let is_work = |slot: &Slot| catalogue.work(slot.item) == work;
        if !context.eligible.contains(item) || pins.iter().any(|(_, slot)| is_work(slot)) {
            continue;
        }
        let found = draft.slots.iter().position(is_work).map(|found| draft.slots.remove(found));
        let score = found.filter(|slot| slot.item == item).map_or(0.0, |slot| slot.score);
        pins.push((place, Slot { is_pinned: true, ..Slot::new(item, score) }));
    }
    let shown = draft.shown();
    for (already, (place, mut slot)) in pins.drain(..).enumerate() {
        let mut at = (place - 1).min(shown + already);
        while draft.slots.get(at).is_some_and(|slot| slot.is_pinned) {
            at += 1;
        }
        // The standing of the one before, so that the order is that of the standings.
        let before = at.checked_sub(1).and_then(|before| draft.slots.get(before));
        let neighbour = before.or(draft.slots.first());
        slot.standing = neighbour.map_or(0.0, |slot| slot.standing);
        notes.note(slot.item, Why::Pinned(at + 1));
        draft.slots.insert(at, slot);
    }
}

/// Puts pinned items at their places again on a shelf that was filled up behind them.
pub(super) fn keep_places(shelf: &mut Vec<Ranked>, rules: &Rules) {
    if rules.pins.is_empty() {
        return;
    }
    let is_pinned = |ranked: &mut Ranked| ranked.origin == Origin::Pinned;
    let pinned: Vec<Ranked> = shelf.extract_if(.., is_pinned).collect();
    let mut free = 0;
    for ranked in pinned {
        let place = rules.pins.iter().find(|(_, item)| *item == ranked.item).map_or(1, |pin| pin.0);
        let at = (place - 1).max(free).min(shelf.len());
        shelf.insert(at, ranked);
        free = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_factors_for_one_item_are_still_a_number() {
        let rule = Rule::Weigh { target: Target::Item(0), factor: 100.0 };
        let rules = Rules::new(&[rule; 1000], &Catalogue::default());
        assert_eq!(rules.items, [Effect { factor: PRODUCT_MAX, ..NOTHING }]);
    }

    #[test]
    fn what_fills_a_shelf_up_comes_before_the_places_of_later_pins() {
        let pin = |(item, place): &(u32, usize)| Rule::Pin { item: *item, place: *place };
        let check = |pins: &[(u32, usize)], shelf: &[u32], expected: &[u32]| {
            let rules =
                Rules::new(&pins.iter().map(pin).collect::<Vec<_>>(), &Catalogue::default());
            let is_pinned = |item: u32| pins.iter().any(|pin| pin.0 == item);
            let ranked = |item: &u32| Ranked {
                item: *item,
                scored: *item,
                score: 0.0,
                origin: if is_pinned(*item) { Origin::Pinned } else { Origin::Popular },
                reasons: Vec::new(),
            };
            let mut shelf: Vec<Ranked> = shelf.iter().map(ranked).collect();
            keep_places(&mut shelf, &rules);
            let found: Vec<u32> = shelf.iter().map(|ranked| ranked.item).collect();
            assert_eq!(found, expected, "{pins:?}");
        };
        check(&[], &[1, 2, 3], &[1, 2, 3]);
        check(&[(7, 3)], &[7, 1, 2, 3], &[1, 2, 7, 3]);
        check(&[(7, 1), (8, 4)], &[7, 8, 1, 2, 3], &[7, 1, 2, 8, 3]);
        check(&[(7, 4), (8, 4)], &[1, 7, 8, 2, 3], &[1, 2, 3, 7, 8]);
        check(&[(7, 2), (8, 9)], &[7, 8, 1], &[1, 7, 8]);
    }
}
