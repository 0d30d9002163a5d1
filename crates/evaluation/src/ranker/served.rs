//! What is served: the engine's model on its own path, filled up by popularity.

use recommender::learn::{Learnt, learn};
use recommender::model::Liked;
use recommender::quality::BareShop;
use recommender::shelf::Workspace;
use recommender::watch::{Cancelled, Watch};
use recommender::{Interactions, ItemNumber, Model};

use crate::ranker::Ranker;
use crate::run::Options;

/// The engine, over a catalogue where every item is available and its own work.
pub(crate) struct Served(BareShop);

/// Working memory of [`Served`].
#[derive(Default)]
pub(crate) struct Memory {
    workspace: Workspace,
    settled: Vec<u32>,
}

impl Served {
    /// Serves what was learnt.
    pub(crate) fn new(train: &Interactions, learnt: Learnt) -> Self {
        // Item numbers start at 1.
        let numbers: Vec<ItemNumber> = (1..=train.item_count() as u32).map(ItemNumber).collect();
        let trend = vec![0.0; numbers.len()];
        Self(BareShop::new(Model::new(&numbers, train, learnt, trend, 0)))
    }
}

impl Ranker for Served {
    const NAME: &'static str = "Foreword";

    type Memory = Memory;

    fn fit(train: &Interactions, options: &Options, watch: &Watch<'_>) -> Result<Self, Cancelled> {
        let learnt = learn(train, &options.model, watch)?;
        Ok(Self::new(train, learnt))
    }

    fn rank(&self, history: &[Liked], k: usize, memory: &mut Memory) -> Vec<u32> {
        let Memory { workspace, settled } = memory;
        settled.clear();
        settled.extend(history.iter().map(|liked| liked.item));
        self.0.rank(history, settled, k, workspace)
    }
}
