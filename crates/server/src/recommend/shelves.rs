//! Single shelves: what each kind of shelf asks the engine.

use recommender::shelf::{self, Arrangement, Origin, Ranked, Trace};
use storage::Surface;

use super::placed::PlacedReader;
use super::seeds::seed_of_hour;
use super::{BookFilter, Fallback, Recommender};
use crate::live::Serving;
use crate::rules::RuleSet;

/// A shelf, and why it is less than what was asked for.
pub(super) struct Found {
    pub(super) shelf: Vec<Ranked>,
    pub(super) fallback: Option<Fallback>,
}

impl Recommender {
    /// Books for a reader; popular ones where nothing is known of them.
    pub(super) fn personal_shelf(
        &self,
        serving: &Serving,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
    ) -> Found {
        self.traced_shelf(serving, serving.rules(), reader, filter, results, None)
    }

    /// The same with these rules, and with a record of what the steps did.
    pub(super) fn traced_shelf(
        &self,
        serving: &Serving,
        rules: &RuleSet,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
        trace: Option<&mut Trace>,
    ) -> Found {
        let generation = serving.generation();
        let settled = reader.settled(generation, filter);
        let history = &reader.history;
        let request =
            shelf::Request { history, settled: &settled, filter: &filter.filter, results };
        let arrangement = self.arrangement(rules, Surface::Recommend, reader);
        let mut shelf = self.with_workspace(|workspace| {
            shelf::personal(generation.shop(), request, &arrangement, workspace, trace)
        });
        explain(serving, reader, &mut shelf);
        let fallback = match (reader.fallback, generation.model()) {
            (Some(Fallback::StoreUnavailable), _) => Some(Fallback::StoreUnavailable),
            (_, None) => Some(Fallback::NoModel),
            (Some(fallback), Some(_)) => Some(fallback),
            (None, Some(_)) if history.is_empty() => Some(Fallback::NoHistory),
            (None, Some(_)) => None,
        };
        Found { shelf, fallback }
    }

    /// Books that go with one book, without those that the reader has.
    pub(super) fn similar_shelf(
        &self,
        serving: &Serving,
        book: u32,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
    ) -> Found {
        let generation = serving.generation();
        let settled = reader.settled(generation, filter);
        let request =
            shelf::Request { history: &[], settled: &settled, filter: &filter.filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::SimilarBooks, reader);
        let shelf = self.with_workspace(|workspace| {
            shelf::similar(generation.shop(), book, request, &arrangement, workspace, None)
        });
        let fallback = match generation.model() {
            None => Some(Fallback::NoModel),
            Some(_) => is_filled_up(&shelf).then_some(Fallback::NoNeighbours),
        };
        Found { shelf, fallback }
    }

    /// Books that rise, without those that the reader has.
    pub(super) fn trending_shelf(
        &self,
        serving: &Serving,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
    ) -> Found {
        let generation = serving.generation();
        let settled = reader.settled(generation, filter);
        let request =
            shelf::Request { history: &[], settled: &settled, filter: &filter.filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::Trending, reader);
        let shelf = self.with_workspace(|workspace| {
            shelf::trending(generation.shop(), request, &arrangement, workspace, None)
        });
        let fallback = match generation.model() {
            None => Some(Fallback::NoModel),
            Some(_) => is_filled_up(&shelf).then_some(Fallback::NoTrend),
        };
        Found { shelf, fallback }
    }

    /// The next volumes of the reader's series.
    pub(super) fn next_in_series_shelf(
        &self,
        serving: &Serving,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
    ) -> Found {
        let generation = serving.generation();
        let settled = reader.settled(generation, filter);
        let history = &reader.history;
        let request =
            shelf::Request { history, settled: &settled, filter: &filter.filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::Recommend, reader);
        let mut shelf = self.with_workspace(|workspace| {
            shelf::next_in_series(generation.shop(), request, &arrangement, workspace)
        });
        explain(serving, reader, &mut shelf);
        Found { shelf, fallback: None }
    }

    /// What many like, without what the reader has.
    pub(super) fn popular_shelf(
        &self,
        serving: &Serving,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
    ) -> Found {
        let generation = serving.generation();
        let settled = reader.settled(generation, filter);
        let request =
            shelf::Request { history: &[], settled: &settled, filter: &filter.filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::Recommend, reader);
        let shelf = self.with_workspace(|workspace| {
            shelf::personal(generation.shop(), request, &arrangement, workspace, None)
        });
        let fallback = match (reader.fallback, generation.model()) {
            (Some(Fallback::StoreUnavailable), _) => Some(Fallback::StoreUnavailable),
            (_, None) => Some(Fallback::NoModel),
            (_, Some(_)) => None,
        };
        Found { shelf, fallback }
    }

    /// The steps and the shop's rules for one shelf, and what is known of the reader; without a
    /// seed, popular books stand as they do for everybody this hour.
    fn arrangement<'a>(
        &'a self,
        rules: &'a RuleSet,
        surface: Surface,
        reader: &'a PlacedReader,
    ) -> Arrangement<'a> {
        let (settings, rules) = (&self.steps, rules.of(surface));
        let seed = Some(reader.seed.unwrap_or_else(seed_of_hour));
        reader.arrange(Arrangement { settings, rules, seed, ..Arrangement::NONE })
    }
}

/// Gives personal books their reasons.
fn explain(serving: &Serving, reader: &PlacedReader, shelf: &mut [Ranked]) {
    let shop = serving.generation().shop();
    let PlacedReader { history, judged, had, .. } = reader;
    if let Some(model) = shop.model {
        shelf::explain(model, history, shelf);
    }
    shelf::explain_by_catalogue(shop.catalogue, history, judged, had, shelf);
}

/// Whether what was asked for ranked none of the books, but for those that the shop put there, and
/// there are others.
fn is_filled_up(shelf: &[Ranked]) -> bool {
    let mut ranked = shelf.iter().filter(|one| one.origin != Origin::Pinned).peekable();
    let is_filled = |one: &Ranked| matches!(one.origin, Origin::Popular | Origin::Unranked);
    ranked.peek().is_some() && ranked.all(is_filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_is_a_fallback_if_nothing_on_it_is_what_was_asked_for() {
        for (origins, expected) in [
            (&[][..], false),
            (&[Origin::Popular, Origin::Unranked], true),
            (&[Origin::Pinned, Origin::Popular], true),
            (&[Origin::Pinned, Origin::Pinned], false),
            (&[Origin::Pinned, Origin::Similar], false),
            (&[Origin::Popular, Origin::Similar], false),
            (&[Origin::Trending], false),
        ] {
            let ranked = |origin: &Origin| Ranked {
                item: 0,
                scored: 0,
                score: 0.0,
                origin: *origin,
                reasons: Vec::new(),
            };
            let shelf: Vec<Ranked> = origins.iter().map(ranked).collect();
            assert_eq!(is_filled_up(&shelf), expected, "{origins:?}");
        }
    }
}
