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

use super::candidates::candidates;
use super::top::by_score;
use super::trace::Trace;
use super::{Arrangement, Origin, Ranked, Request, Shelves, Shop, Workspace, arrange, popularity};

impl Shelves<'_> {
    /// Finds items that go with one item, re-ranked, then what is popular. Editions of the
    /// item's own work are left out; of its series the next volume comes at most.
    ///
    /// The best by `B[i, j]` are looked at, and ordered by the symmetric score. The history
    /// and what is known of the user in the arrangement count nothing.
    #[must_use]
    pub fn similar(
        &mut self,
        item: u32,
        request: Request<'_>,
        arrangement: &Arrangement<'_>,
        trace: Option<&mut Trace>,
    ) -> Vec<Ranked> {
        let arrangement =
            &Arrangement { judged: &[], had: &[item], impressions: &[], ..*arrangement };
        let shop = self.shop;
        let catalogue = shop.catalogue;
        self.find_eligible(request, arrangement);
        let Workspace { item_scores, candidates: found, eligible, top, similar, memory, .. } =
            &mut *self.workspace;
        catalogue.take_work(item, eligible);
        similar.clear();
        if let Some(model) = shop.model.filter(|model| (item as usize) < model.item_count()) {
            item_scores.add_up(model, &[Liked { item, weight: 1.0 }]);
            // Fewer than are asked for is no reason to look further: what follows is popular.
            let best =
                candidates(model, item_scores, eligible, catalogue.by_popularity(), 0, found);
            let count = arrangement.settings.candidates.max(request.results);
            let best = top.choose(best, count, |item| catalogue.shared_work(item));
            let score = |other, forth| symmetric(shop, model, item, other, forth);
            let scored = best.iter().map(|(other, forth)| (*other, score(*other, *forth)));
            similar.extend(scored.filter(|(_, score)| *score > 0.0));
        }
        similar.sort_unstable_by(by_score);
        let origin = Origin::Similar;
        arrange::shelf(shop, similar, origin, request, arrangement, eligible, memory, trace)
    }
}

fn symmetric(shop: Shop<'_>, model: &Model, item: u32, other: u32, forth: f32) -> f32 {
    let back = model.contribution(Liked { item: other, weight: 1.0 }, item);
    let (left, right) = (popularity(shop, item) + 1.0, popularity(shop, other) + 1.0);
    (forth + back) * (left * right).sqrt() / (left + right)
}
