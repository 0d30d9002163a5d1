//! Single shelves: what each kind of shelf asks the engine.

use recommender::Filter;
use recommender::shelf::{
    self, Arrangement, Origin, Ranked, Request, ShelfSettings, Shelves, Trace,
};
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

/// The shelves of one reader, from what is served at one time.
pub(super) struct ReaderShelves<'a> {
    steps: &'a ShelfSettings,
    serving: &'a Serving,
    reader: &'a PlacedReader,
    filter: &'a Filter,
    /// The books whose works are not to be shown, by index.
    settled: Vec<u32>,
    engine: Shelves<'a>,
}

impl Recommender {
    /// Lends the shelves of a reader, of the books that a filter lets through.
    pub(super) fn with_shelves<T>(
        &self,
        serving: &Serving,
        reader: &PlacedReader,
        filter: &BookFilter,
        work: impl FnOnce(&mut ReaderShelves<'_>) -> T,
    ) -> T {
        self.with_workspace(|workspace| {
            let generation = serving.generation();
            let engine = Shelves::new(generation.shop(), &reader.history, workspace);
            let settled = reader.settled(generation, filter);
            let (steps, filter) = (&self.steps, &filter.filter);
            work(&mut ReaderShelves { steps, serving, reader, filter, settled, engine })
        })
    }
}

impl<'a> ReaderShelves<'a> {
    /// Leaves these books out as well from now on.
    pub(super) fn settle(&mut self, items: impl IntoIterator<Item = u32>) {
        self.settled.extend(items);
    }

    /// Books for a reader; popular ones where nothing is known of them.
    pub(super) fn personal(&mut self, results: usize) -> Found {
        self.traced(self.serving.rules(), results, None)
    }

    /// The same, of one category.
    pub(super) fn category(&mut self, slug: &str, results: usize) -> Found {
        let mut filter = self.filter.clone();
        filter.all_categories.push(slug.to_owned());
        self.ranked(self.serving.rules(), &filter, results, None)
    }

    /// The same with these rules, and with a record of what the steps did.
    pub(super) fn traced(
        &mut self,
        rules: &RuleSet,
        results: usize,
        trace: Option<&mut Trace>,
    ) -> Found {
        self.ranked(rules, self.filter, results, trace)
    }

    fn ranked(
        &mut self,
        rules: &RuleSet,
        filter: &Filter,
        results: usize,
        trace: Option<&mut Trace>,
    ) -> Found {
        let Self { serving, reader, .. } = *self;
        let arrangement = self.arrangement(rules, Surface::Recommend);
        let request = Request { settled: &self.settled, filter, results };
        let mut shelf = self.engine.personal(request, &arrangement, trace);
        explain(serving, reader, &mut shelf);
        let fallback = match (reader.fallback, serving.generation().model()) {
            (Some(Fallback::StoreUnavailable), _) => Some(Fallback::StoreUnavailable),
            (_, None) => Some(Fallback::NoModel),
            (Some(fallback), Some(_)) => Some(fallback),
            (None, Some(_)) if reader.history.is_empty() => Some(Fallback::NoHistory),
            (None, Some(_)) => None,
        };
        Found { shelf, fallback }
    }

    /// Books that go with one book, without those that the reader has.
    pub(super) fn similar(&mut self, book: u32, results: usize) -> Found {
        let Self { serving, filter, .. } = *self;
        let request = Request { settled: &self.settled, filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::SimilarBooks);
        let shelf = self.engine.similar(book, request, &arrangement, None);
        let fallback = match serving.generation().model() {
            None => Some(Fallback::NoModel),
            Some(_) => is_filled_up(&shelf).then_some(Fallback::NoNeighbours),
        };
        Found { shelf, fallback }
    }

    /// Books that rise, without those that the reader has.
    pub(super) fn trending(&mut self, results: usize) -> Found {
        let Self { serving, filter, .. } = *self;
        let request = Request { settled: &self.settled, filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::Trending);
        let shelf = self.engine.trending(request, &arrangement, None);
        let fallback = match serving.generation().model() {
            None => Some(Fallback::NoModel),
            Some(_) => is_filled_up(&shelf).then_some(Fallback::NoTrend),
        };
        Found { shelf, fallback }
    }

    /// The next volumes of the reader's series.
    pub(super) fn next_in_series(&mut self, results: usize) -> Found {
        let Self { serving, reader, filter, .. } = *self;
        let request = Request { settled: &self.settled, filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::Recommend);
        let mut shelf = self.engine.next_in_series(request, &arrangement);
        explain(serving, reader, &mut shelf);
        Found { shelf, fallback: None }
    }

    /// What many like, without what the reader has.
    pub(super) fn popular(&mut self, results: usize) -> Found {
        let Self { serving, reader, filter, .. } = *self;
        let request = Request { settled: &self.settled, filter, results };
        let arrangement = self.arrangement(serving.rules(), Surface::Recommend);
        let shelf = self.engine.popular(request, &arrangement, None);
        let fallback = match (reader.fallback, serving.generation().model()) {
            (Some(Fallback::StoreUnavailable), _) => Some(Fallback::StoreUnavailable),
            (_, None) => Some(Fallback::NoModel),
            (_, Some(_)) => None,
        };
        Found { shelf, fallback }
    }

    /// The steps and the shop's rules for one shelf, and what is known of the reader; without a
    /// seed, popular books stand as they do for everybody this hour.
    fn arrangement<'b>(&self, rules: &'b RuleSet, surface: Surface) -> Arrangement<'b>
    where
        'a: 'b,
    {
        let (settings, rules) = (self.steps, rules.of(surface));
        let seed = Some(self.reader.seed.unwrap_or_else(seed_of_hour));
        self.reader.arrange(Arrangement { settings, rules, seed, ..Arrangement::NONE })
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
