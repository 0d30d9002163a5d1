//! Similar items: what goes with one, both ways.
//!
//! `B` is lopsided: it says that readers of a rare book like a popular one, and hardly the reverse.
//! In an inverse-covariance model `B[i, j] = −P[i, j] / P[j, j]`, and the symmetric measure is the
//! partial correlation `−P[i, j] / √(P[i, i]·P[j, j])` (Lauritzen 1996, *Graphical models*, 5.1; Steck
//! 2019 for the link to `B`). Taking `1 / P[j, j]`, the variance that is left of `j`, to
//! be in proportion to its popularity `d`, it is
//!
//! `(B[i, j] + B[j, i]) · √(d_i·d_j) / (d_i + d_j)`,
//!
//! which also holds where only one of the two was kept. One is added to each `d`, for items that
//! nobody liked yet.

use crate::model::{Liked, Model};

use super::top::by_score;
use super::trace::Trace;
use super::{
    Arrangement, Origin, Ranked, Request, Shop, Workspace, arrange, find_candidates, find_eligible,
    popularity,
};

/// Finds items that go with one item, re-ranked, then what is popular. Editions of the
/// item's own work are left out; of its series the next volume comes at most.
///
/// The best by `B[i, j]` are looked at, and ordered by the symmetric score. The history of the
/// request and what is known of the user in the arrangement count nothing.
#[must_use]
pub fn similar(
    shop: Shop<'_>,
    item: u32,
    request: Request<'_>,
    arrangement: &Arrangement<'_>,
    workspace: &mut Workspace,
    trace: Option<&mut Trace>,
) -> Vec<Ranked> {
    let arrangement = &Arrangement { judged: &[], had: &[item], impressions: &[], ..*arrangement };
    find_eligible(shop, request, arrangement, workspace);
    let catalogue = shop.catalogue;
    let Workspace { candidates, eligible, top, similar, memory, .. } = workspace;
    catalogue.take_work(item, eligible);
    let model = shop.model.filter(|model| (item as usize) < model.item_count());
    let one = [Liked { item, weight: 1.0 }];
    let history = if model.is_some() { &one[..] } else { &[] };
    // Fewer than are asked for is no reason to look further: what follows is popular.
    let best = find_candidates(shop, history, eligible, 0, candidates);
    let count = arrangement.settings.candidates.max(request.results);
    let best = top.choose(best, count, |item| catalogue.shared_work(item));
    similar.clear();
    if let Some(model) = model {
        let scored = best
            .iter()
            .map(|(other, forth)| (*other, symmetric(shop, model, item, *other, *forth)));
        similar.extend(scored.filter(|(_, score)| *score > 0.0));
    }
    similar.sort_unstable_by(by_score);
    let origin = Origin::Similar;
    arrange::shelf(shop, similar, origin, request, arrangement, eligible, memory, trace)
}

fn symmetric(shop: Shop<'_>, model: &Model, item: u32, other: u32, forth: f32) -> f32 {
    let back = model.contributions(&[Liked { item: other, weight: 1.0 }], item).sum::<f32>();
    let (left, right) = (popularity(shop, item) + 1.0, popularity(shop, other) + 1.0);
    (forth + back) * (left * right).sqrt() / (left + right)
}
