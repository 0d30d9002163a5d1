//! The shelf of next volumes: of each series that the user reads, the one to read next.
//!
//! Which volume is next is what the series gate says; here every series that the user has a volume
//! of is asked, whether or not a candidate is of it. A series of which the user's opinions add up to
//! a dislike is left out.

use crate::catalogue::Catalogue;

use super::top::by_score;
use super::{Arrangement, Origin, Ranked, Request, Shelves, Workspace, popularity};

impl Shelves<'_> {
    /// Lists the next volumes of the series that the user has a volume of, the best by the model's
    /// score first, equals by index; those that the model cannot score count as 0. Never fills up.
    ///
    /// Of the shop's rules only those count that take an item out. Costs the volumes of these series
    /// and `factors` for each of them, beside the scores of the history.
    #[must_use]
    pub fn next_in_series(
        &mut self,
        request: Request<'_>,
        arrangement: &Arrangement<'_>,
    ) -> Vec<Ranked> {
        let shop = self.shop;
        let catalogue = shop.catalogue;
        self.find_eligible(request, arrangement);
        let Workspace { eligible, memory, .. } = &mut *self.workspace;
        let gate = memory.gate();
        gate.read_history(catalogue, arrangement.had);
        let mut found = Vec::new();
        for series in series_had(catalogue, arrangement) {
            let Some(place) = gate.next(catalogue, series) else { continue };
            let is_next = |item: &u32| {
                eligible.contains(*item)
                    && catalogue
                        .volume(*item)
                        .is_some_and(|one| one.place.total_cmp(&place).is_eq())
            };
            let by_popularity = |left: &u32, right: &u32| {
                let of = |item: &u32| popularity(shop, *item);
                of(left).total_cmp(&of(right)).then(right.cmp(left))
            };
            let editions = catalogue.volumes(series).iter().copied().filter(is_next);
            if let Some(item) = editions.max_by(by_popularity) {
                catalogue.take_work(item, eligible);
                found.push((item, 0.0));
            }
        }
        found.sort_unstable_by_key(|(item, _)| *item);
        if !found.is_empty()
            && let Some(model) = self.scored()
        {
            let known = found.partition_point(|(item, _)| (*item as usize) < model.item_count());
            self.workspace.scores.score(model, &mut found[..known]);
        }
        found.sort_unstable_by(by_score);
        found.truncate(request.results);
        let ranked = |(item, score)| {
            let origin = Origin::Personal;
            Ranked { item, scored: item, score, origin, reasons: Vec::new() }
        };
        found.into_iter().map(ranked).collect()
    }
}

/// The series that the user has a volume of and does not dislike, ascending.
fn series_had(catalogue: &Catalogue, arrangement: &Arrangement<'_>) -> Vec<u32> {
    let series_of = |item: u32| {
        let editions = catalogue.editions(item).iter();
        editions.filter_map(|item| Some(catalogue.volume(*item)?.series))
    };
    let mut had: Vec<u32> = arrangement.had.iter().flat_map(|item| series_of(*item)).collect();
    had.sort_unstable();
    had.dedup();
    let mut opinions = vec![0.0; had.len()];
    for judged in arrangement.judged {
        let volume = catalogue.volume(judged.item);
        if let Some(Ok(place)) = volume.map(|volume| had.binary_search(&volume.series)) {
            opinions[place] += judged.weight;
        }
    }
    let liked = had.into_iter().zip(opinions).filter(|(_, opinion)| *opinion >= 0.0);
    liked.map(|(series, _)| series).collect()
}
