//! The shop's own rules: factors, burying, and which items are pinned; `pins.rs` places these.
//!
//! Rules never make an item eligible. A factor multiplies standings; what is buried comes last, or
//! not at all. A rule for an item is one for its work: of what nobody is to see, another edition
//! does not come instead.

use crate::bits::BitSet;
use crate::catalogue::Catalogue;

use super::draft::{Draft, Tier};
use super::trace::{Recorder, Why};

/// What a rule is about, by the catalogue's indexes and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// One item, in all its editions.
    Item(u32),
    /// All items by an author.
    Author(u32),
    /// All items of a series.
    Series(u32),
    /// All items of a category.
    Category(u32),
}

impl Target {
    /// The items that it stands for.
    ///
    /// # Panics
    ///
    /// If the catalogue has no such index or number.
    #[must_use]
    pub fn items(self, catalogue: &Catalogue) -> &[u32] {
        match self {
            Self::Item(item) => catalogue.editions(item),
            Self::Author(author) => catalogue.by_author(author),
            Self::Series(series) => catalogue.in_series(series),
            Self::Category(category) => catalogue.in_category(category),
        }
    }
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
    /// Standings are multiplied; several rules for one item multiply each other, in whatever
    /// order, up to 2^40 and down to 2^−40.
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

/// What factors multiply to, as a binary logarithm: a product of a thousand of them may be beyond
/// what a float holds on the way, and within it in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Weighting(f64);

/// The logarithm of the largest product, and but for its sign that of the smallest: far from
/// what a float holds, so that no standing becomes infinite or nothing.
const PRODUCT_LOG2_MAX: f64 = 40.0;

impl Weighting {
    fn of(factor: f32) -> Self {
        Self(f64::from(factor).log2())
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    fn factor(self) -> f32 {
        self.0.clamp(-PRODUCT_LOG2_MAX, PRODUCT_LOG2_MAX).exp2() as f32
    }
}

/// Rules, made ready for one catalogue.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By place.
    pins: Vec<(usize, u32)>,
    works: Vec<Weighting>,
    authors: Vec<Weighting>,
    series: Vec<Weighting>,
    categories: Vec<Weighting>,
    /// Items that come last, if there are any.
    last: Option<BitSet>,
    /// Items that do not come at all, if there are any.
    out: Option<BitSet>,
}

impl Rules {
    /// No rules.
    pub const NONE: &Self = &Self {
        pins: Vec::new(),
        works: Vec::new(),
        authors: Vec::new(),
        series: Vec::new(),
        categories: Vec::new(),
        last: None,
        out: None,
    };

    /// Makes rules ready, at the cost of the items that they bury; those of one target are gone
    /// through once, however many rules bury it. Looking one item up then costs a few array reads,
    /// and leaving out what does not come at all `O(items / 64)`.
    #[must_use]
    pub fn new(rules: &[Rule], catalogue: &Catalogue) -> Self {
        let mut ready = Self::default();
        let (mut last, mut out) = (Vec::new(), Vec::new());
        for rule in rules {
            match *rule {
                Rule::Pin { item, place } => ready.pins.push((place.max(1), item)),
                Rule::Weigh { target, factor } => {
                    ready.add(target, Weighting::of(factor), catalogue);
                }
                Rule::Last(target) => last.push(target),
                Rule::Out(target) => out.push(target),
            }
        }
        ready.pins.sort_by_key(|(place, _)| *place);
        ready.last = items_of(last, catalogue);
        ready.out = items_of(out, catalogue);
        ready
    }

    fn add(&mut self, target: Target, weighting: Weighting, catalogue: &Catalogue) {
        let (weightings, number) = match target {
            Target::Item(item) => (&mut self.works, catalogue.work(item)),
            Target::Author(number) => (&mut self.authors, number),
            Target::Series(number) => (&mut self.series, number),
            Target::Category(number) => (&mut self.categories, number),
        };
        let number = number as usize;
        if number >= weightings.len() {
            weightings.resize(number + 1, Weighting::default());
        }
        weightings[number] = weightings[number].and(weighting);
    }

    /// What an item's standing is multiplied by.
    fn factor(&self, catalogue: &Catalogue, item: u32) -> f32 {
        let of = |weightings: &[Weighting], numbers: &[u32]| {
            let found = numbers.iter().filter_map(|number| weightings.get(*number as usize));
            found.fold(Weighting::default(), |all, one| all.and(*one))
        };
        of(&self.works, &[catalogue.work(item)])
            .and(of(&self.series, catalogue.series_of(item).as_slice()))
            .and(of(&self.authors, catalogue.authors_of(item)))
            .and(of(&self.categories, catalogue.categories_of(item)))
            .factor()
    }

    /// Pinned items by place.
    pub(super) fn pins(&self) -> &[(usize, u32)] {
        &self.pins
    }

    /// Whether an item comes last.
    pub(super) fn is_last(&self, item: u32) -> bool {
        self.last.as_ref().is_some_and(|last| last.contains(item))
    }

    /// How many of these items do not come last.
    pub(super) fn count_not_last(&self, items: &BitSet) -> u32 {
        let last = self.last.as_ref().map_or(&[][..], BitSet::words).iter();
        let words = items.words().iter().zip(last.chain(std::iter::repeat(&0)));
        words.map(|(items, last)| (items & !last).count_ones()).sum()
    }

    /// Takes out of `eligible` what is not to come at all.
    pub(super) fn withhold(&self, eligible: &mut BitSet) {
        if let Some(out) = &self.out {
            eligible.subtract(out);
        }
    }

    fn weighs(&self) -> bool {
        let lists = [&self.works, &self.authors, &self.series, &self.categories];
        lists.iter().any(|weightings| !weightings.is_empty())
    }
}

/// The items of all targets; `None` if there are none of these.
fn items_of(mut targets: Vec<Target>, catalogue: &Catalogue) -> Option<BitSet> {
    targets.sort_unstable();
    targets.dedup();
    if targets.is_empty() {
        return None;
    }
    let mut set = BitSet::new(catalogue.item_count());
    for target in targets {
        target.items(catalogue).iter().for_each(|item| set.insert(*item));
    }
    Some(set)
}

/// Multiplies standings and buries, and orders anew.
pub(super) fn weigh(
    draft: &mut Draft,
    catalogue: &Catalogue,
    rules: &Rules,
    notes: &mut Recorder<'_>,
) {
    let weighs = rules.weighs();
    if !weighs && rules.last.is_none() {
        return;
    }
    for slot in &mut draft.slots {
        let factor = if weighs { rules.factor(catalogue, slot.item) } else { 1.0 };
        if factor != 1.0 {
            slot.standing *= factor;
            notes.note(slot.item, Why::Factor(factor));
        }
        if rules.is_last(slot.item) {
            slot.tier = Tier::Buried;
            notes.note(slot.item, Why::Buried);
        }
    }
    draft.sort();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(factors: impl Iterator<Item = f32>) -> f32 {
        factors.map(Weighting::of).fold(Weighting::default(), Weighting::and).factor()
    }

    #[test]
    fn a_product_of_factors_is_theirs_in_any_order_and_bounded_in_the_end() {
        let small = || std::iter::repeat_n(1.0 / 64.0, 500);
        let large = || std::iter::repeat_n(64.0, 500);
        assert_eq!(product([1.5].into_iter()), 1.5);
        assert_eq!(product(small().chain(large())), 1.0);
        assert_eq!(product(large().chain(small())), 1.0);
        assert_eq!(product(large()), 2_f32.powi(40));
        assert_eq!(product(small()), 2_f32.powi(-40));
        assert_eq!(product([f32::MIN_POSITIVE].into_iter()), 2_f32.powi(-40));
    }
}
