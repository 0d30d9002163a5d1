//! The shelf: the ranked answer to one request, and the reasons for it.
//!
//! Filter first, rank second: the wanted number of items comes back whenever that many
//! eligible works exist. What the model cannot score is filled up by popularity, and says so.
//!
//! Invariant: within one [`Origin`], items are ordered by score, then by index, so that
//! equal scores never swap places between two runs.

pub mod candidates;
pub mod filter;
mod scores;
mod top;

use crate::bits::BitSet;
use crate::catalogue::Catalogue;
use crate::model::{Liked, Model};

use self::filter::Filter;
use self::top::{TopItems, top_items};

/// The longest list of reasons.
pub const REASONS_MAX: usize = 3;

/// Why an item is on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Scored from the user's own history.
    Personal,
    /// Scored from one item.
    Similar,
    /// Liked by many lately.
    Trending,
    /// Liked by many: the fallback.
    Popular,
    /// Liked by nobody yet, or there is no model: in the order of the numbers.
    Unranked,
}

/// An item of the history that speaks for a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// Place in the history that was asked with.
    pub place: usize,
    /// Its part of all positive contributions to the score, 0 to 1.
    pub share: f64,
}

/// One item of a shelf.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Index of the item in the catalogue.
    pub item: u32,
    /// Higher is better; comparable only within one origin of one shelf.
    pub score: f32,
    /// Why it is here.
    pub origin: Origin,
    /// The strongest reasons first; at most [`REASONS_MAX`], all with a positive share. Empty
    /// until [`explain`] fills them in.
    pub reasons: Vec<Reason>,
}

/// What is known of the shop: a model, if there is one, and its catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Shop<'a> {
    /// The model in use.
    pub model: Option<&'a Model>,
    /// The catalogue, in the order of that model.
    pub catalogue: &'a Catalogue,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What the user likes; items of the model only.
    pub history: &'a [Liked],
    /// Items whose works are not to be shown; indexes of the catalogue.
    pub settled: &'a [u32],
    /// What may be shown.
    pub filter: &'a Filter,
    /// How many items are wanted.
    pub results: usize,
}

/// Working memory of a request, kept to be used again.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    candidates: candidates::Memory,
    eligible: BitSet,
    spare: BitSet,
    top: TopItems,
}

/// Recommends items for a history, then fills up by popularity.
///
/// An item's score is `Σ weight × B[i, j]` over the history; only positive scores are
/// personal. Costs one multiply-add for each weight in the rows of the history and
/// `O(items)` comparisons.
#[must_use]
pub fn recommend(shop: Shop<'_>, request: Request<'_>, workspace: &mut Workspace) -> Vec<Ranked> {
    scored(shop, request, Origin::Personal, workspace)
}

/// Gives the personal items of a shelf their reasons: what of the history speaks for them.
///
/// `history` is the one that was asked with. Costs `O(log row)` for each item of the shelf and
/// each of the history.
pub fn explain(model: &Model, history: &[Liked], shelf: &mut [Ranked]) {
    for ranked in shelf.iter_mut().filter(|ranked| ranked.origin == Origin::Personal) {
        ranked.reasons = reasons(model, history, ranked.item);
    }
}

/// Finds items that go with one item, then fills up by popularity. Editions of the
/// item's own work and of those in `excluded` are left out.
#[must_use]
pub fn similar(
    shop: Shop<'_>,
    item: u32,
    excluded: &[u32],
    filter: &Filter,
    results: usize,
    workspace: &mut Workspace,
) -> Vec<Ranked> {
    let known = shop.model.is_some_and(|model| (item as usize) < model.item_count());
    let history = [Liked { item, weight: 1.0 }];
    let history = if known { &history[..] } else { &[] };
    let settled = [excluded, &[item]].concat();
    let request = Request { history, settled: &settled, filter, results };
    scored(shop, request, Origin::Similar, workspace)
}

/// Lists what was liked lately, then fills up by popularity. Editions of the works in
/// `excluded` are left out.
#[must_use]
pub fn trending(
    shop: Shop<'_>,
    excluded: &[u32],
    filter: &Filter,
    results: usize,
    workspace: &mut Workspace,
) -> Vec<Ranked> {
    let Workspace { eligible, spare, .. } = workspace;
    filter::eligible(shop.catalogue, filter, excluded.iter().copied(), eligible, spare);
    let trend = shop.model.map_or(&[][..], Model::trend);
    let mut shelf = ranked_by(shop.catalogue, trend, Origin::Trending, results, workspace);
    fill_by_popularity(shop, &mut shelf, results, workspace);
    shelf
}

fn scored(
    shop: Shop<'_>,
    request: Request<'_>,
    origin: Origin,
    workspace: &mut Workspace,
) -> Vec<Ranked> {
    let settled = request.settled.iter().copied();
    let Workspace { eligible, spare, .. } = workspace;
    filter::eligible(shop.catalogue, request.filter, settled, eligible, spare);
    let mut shelf = Vec::new();
    if let (Some(model), false) = (shop.model, request.history.is_empty()) {
        let Workspace { candidates: memory, eligible, top, .. } = workspace;
        let by_popularity = shop.catalogue.by_popularity();
        let ranked = candidates::candidates(
            model,
            request.history,
            eligible,
            by_popularity,
            request.results,
            memory,
        );
        let chosen = top.choose(ranked, request.results, |item| shop.catalogue.work(item));
        shelf = chosen.iter().map(|ranked| of_origin(origin, ranked)).collect();
    }
    fill_by_popularity(shop, &mut shelf, request.results, workspace);
    shelf
}

/// The eligible items with the highest positive scores, one of each work.
fn ranked_by(
    catalogue: &Catalogue,
    scores: &[f32],
    origin: Origin,
    results: usize,
    workspace: &mut Workspace,
) -> Vec<Ranked> {
    let Workspace { eligible, top, .. } = workspace;
    top_items(scores, eligible, results, |item| catalogue.work(item), top)
        .iter()
        .map(|ranked| of_origin(origin, ranked))
        .collect()
}

fn of_origin(origin: Origin, &(item, score): &(u32, f32)) -> Ranked {
    Ranked { item, score, origin, reasons: Vec::new() }
}

/// Fills a shelf up to `results` with the most popular eligible items of other works.
fn fill_by_popularity(
    shop: Shop<'_>,
    shelf: &mut Vec<Ranked>,
    results: usize,
    workspace: &mut Workspace,
) {
    if shelf.len() >= results {
        return;
    }
    let eligible = &mut workspace.eligible;
    let take_work = |eligible: &mut BitSet, item: u32| {
        shop.catalogue.editions(item).iter().for_each(|edition| eligible.remove(*edition));
    };
    shelf.iter().for_each(|ranked| take_work(eligible, ranked.item));
    let popularity = shop.model.map_or(&[][..], Model::popularity);
    for &item in shop.catalogue.by_popularity() {
        if shelf.len() == results {
            break;
        }
        if eligible.contains(item) {
            take_work(eligible, item);
            let score = popularity.get(item as usize).copied().unwrap_or(0.0);
            let origin = if score > 0.0 { Origin::Popular } else { Origin::Unranked };
            shelf.push(Ranked { item, score, origin, reasons: Vec::new() });
        }
    }
}

/// The strongest contributions to an item's score, as shares of all positive ones.
fn reasons(model: &Model, history: &[Liked], item: u32) -> Vec<Reason> {
    let mut strongest: Vec<Reason> = Vec::with_capacity(REASONS_MAX + 1);
    let mut positive = 0.0;
    for (place, contribution) in model.contributions(history, item).enumerate() {
        let share = f64::from(contribution);
        if share > 0.0 {
            positive += share;
            let rank = strongest.partition_point(|other| other.share >= share);
            strongest.insert(rank, Reason { place, share });
            strongest.truncate(REASONS_MAX);
        }
    }
    strongest.iter_mut().for_each(|reason| reason.share /= positive);
    strongest
}
