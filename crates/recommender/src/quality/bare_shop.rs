//! A shop with nothing but a model: what is ranked in it is the model's own doing.

use crate::catalogue::{Catalogue, Entry};
use crate::model::{Liked, Model};
use crate::shelf::filter::Filter;
use crate::shelf::{Request, Shelves, Shop, Workspace};

/// A model over a catalogue where every item is available and its own work.
#[derive(Debug)]
pub struct BareShop {
    model: Model,
    catalogue: Catalogue,
    filter: Filter,
}

impl BareShop {
    /// Puts the items of a model on sale.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let entry = |index| Entry { number: model.item(index), ..Entry::default() };
        let entries: Vec<Entry<'_>> = (0..model.item_count()).map(entry).collect();
        let catalogue = Catalogue::new(Some(&model), &entries);
        Self { model, catalogue, filter: Filter::default() }
    }

    /// The best items for a history, best first, then what is popular: at most `k`, and none of
    /// `settled`. On the engine's own path, without any step of the re-rank.
    #[must_use]
    pub fn rank(
        &self,
        history: &[Liked],
        settled: &[u32],
        k: usize,
        workspace: &mut Workspace,
    ) -> Vec<u32> {
        let shop = Shop { model: Some(&self.model), catalogue: &self.catalogue };
        let request = Request { settled, filter: &self.filter, results: k };
        let shelf = Shelves::new(shop, history, workspace).recommend(request);
        shelf.into_iter().map(|ranked| ranked.item).collect()
    }
}
