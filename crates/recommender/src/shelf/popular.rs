//! Popular items, for users of whom nothing is known and where the model is silent.
//!
//! With several categories asked for, an item weighs what it is in its own, so that a large
//! category does not crowd out a small one: its share of what was liked in the category, shrunk to
//! its share of the whole shop by a prior of `k` (as in Dirichlet smoothing; Zhai and
//! Lafferty 2004, *A study of smoothing methods for language models*):
//!
//! `(p + k·p / P) / (P_c + k)`, where `p` is its popularity, `P_c` that of the category and `P` that
//! of the shop. Of several categories of an item that were asked for, the best counts.
//!
//! With a seed, items of one band of popularity change places, so that not everybody sees the same
//! ten each time: band `b` holds those above `band^b`, and the order within it is that of a hash
//! of seed and item number (the finaliser of Steele, Lea and Flood 2014, *Fast splittable
//! pseudorandom number generators*).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::bits::BitSet;
use crate::catalogue::Catalogue;
use crate::marks::Marks;

use super::draft::Draft;
use super::filter::Filter;
use super::rules::Rules;
use super::steps::{Blend, Rotation};
use super::{Shop, popularity};

/// Working memory of [`candidates`].
#[derive(Clone, Debug, Default)]
pub(super) struct PopularMemory {
    pub(super) found: Vec<(u32, f32)>,
    works: Marks<()>,
    order: Vec<(i32, u64, u32)>,
    places: Vec<u32>,
}

/// What popular items are wanted.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) filter: &'a Filter,
    pub(super) rules: &'a Rules,
    pub(super) blend: Option<Blend>,
    /// At most so many.
    pub(super) count: usize,
}

/// Lists the most popular eligible items that no rule buries, one of each work, the best first.
/// Without a model they come by number.
///
/// Ends as soon as enough are found or every eligible item was looked at.
pub(super) fn candidates(
    shop: Shop<'_>,
    eligible: &BitSet,
    question: Question<'_>,
    memory: &mut PopularMemory,
) {
    memory.found.clear();
    memory.works.clear();
    match (question.blend, question.filter.any_categories.len()) {
        (Some(blend), 2..) => blended(shop, eligible, question, blend, memory),
        _ => take(shop, eligible, question, memory),
    }
}

/// Adds the most popular eligible items that no rule buries, of works that are not there yet.
fn take(shop: Shop<'_>, eligible: &BitSet, question: Question<'_>, memory: &mut PopularMemory) {
    let Question { rules, count, .. } = question;
    let mut left = rules.count_not_last(eligible);
    for &item in shop.catalogue.by_popularity() {
        if memory.found.len() == count || left == 0 {
            break;
        }
        if !eligible.contains(item) || rules.is_last(item) {
            continue;
        }
        left -= 1;
        let work = shop.catalogue.work(item);
        if !memory.works.has(work) {
            memory.works.set(work, ());
            memory.found.push((item, popularity(shop, item)));
        }
    }
}

/// Merges the categories asked for, each of which lists its items from the most popular on.
/// An item is met first in the category where it weighs most.
///
/// Costs `O(log categories)` for each item that is looked at, and ends as soon as enough are found.
fn blended(
    shop: Shop<'_>,
    eligible: &BitSet,
    question: Question<'_>,
    blend: Blend,
    memory: &mut PopularMemory,
) {
    let catalogue = shop.catalogue;
    let slugs = question.filter.any_categories.iter();
    let mut asked: Vec<u32> = slugs.filter_map(|slug| catalogue.category_number(slug)).collect();
    asked.sort_unstable();
    asked.dedup();
    let all = catalogue.total_popularity();
    let prior = f64::from(blend.prior) * all;
    let score = |category: u32, item: u32| {
        // In units of popularity, so that a category of the whole shop changes nothing.
        let factor = (all + prior) / (catalogue.popularity_in_category(category) + prior);
        let popularity = popularity(shop, item);
        if factor.is_finite() { (f64::from(popularity) * factor) as f32 } else { popularity }
    };
    let comes = |item: u32| eligible.contains(item) && !question.rules.is_last(item);
    // The next item of each category. The bits of floats that are not negative ascend with them.
    let head = |category: u32, from: usize| {
        let items = &catalogue.in_category(category)[from..];
        let (ahead, item) = items.iter().enumerate().find(|(_, item)| comes(**item))?;
        let bits = score(category, *item).max(0.0).to_bits();
        Some((bits, Reverse(catalogue.number(*item)), category, from + ahead))
    };
    let mut heads: BinaryHeap<_> = asked.iter().filter_map(|category| head(*category, 0)).collect();
    while memory.found.len() < question.count {
        let Some((bits, _, category, place)) = heads.pop() else { break };
        heads.extend(head(category, place + 1));
        let item = catalogue.in_category(category)[place];
        let work = catalogue.work(item);
        if !memory.works.has(work) {
            memory.works.set(work, ());
            memory.found.push((item, f32::from_bits(bits)));
        }
    }
}

/// Lets items of one band change places.
pub(super) fn rotate(
    draft: &mut Draft,
    catalogue: &Catalogue,
    rotation: Rotation,
    seed: u64,
    memory: &mut PopularMemory,
) {
    let PopularMemory { order, places, .. } = memory;
    order.clear();
    order.extend((0..).zip(&draft.slots).map(|(place, slot)| {
        // What nobody liked is in no band and stays in its order, at the end.
        if slot.standing <= 0.0 {
            return (i32::MAX, 0, place);
        }
        let hash = mix(seed ^ mix(catalogue.number(slot.item).0.into()));
        (-band(slot.standing, rotation), hash, place)
    }));
    order.sort_unstable();
    places.clear();
    places.extend(order.iter().map(|(_, _, place)| *place));
    draft.reorder(places);
}

fn band(score: f32, rotation: Rotation) -> i32 {
    (score.ln() / rotation.band.ln()).floor() as i32
}

/// Turns a number into one that looks like chance.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
