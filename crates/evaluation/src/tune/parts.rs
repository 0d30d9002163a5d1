//! The parts of a model under tuning: each is learnt anew only where its settings moved.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;
use recommender::learn::gram::{Gram, GramSettings};
use recommender::learn::low_pass::{LowPass, LowPassSettings};
use recommender::learn::ridge::{Columns, ItemWeights, RidgeSettings};
use recommender::learn::{LearnSettings, Learnt};
use recommender::quality::{ListQuality, judge};
use recommender::watch::{Cancelled, Stage, Watch};

use super::TuneOptions;
use crate::ranker::{Ranker, Served, fold_in};
use crate::split::Split;

pub(super) struct Parts<'a> {
    split: &'a Split,
    users: Vec<usize>,
    k: usize,
    tell: &'a (dyn Fn(&str) + Sync),
    cancelled: &'a AtomicBool,
    gram: Option<(GramSettings, Gram)>,
    weights: Option<(RidgeSettings, ItemWeights)>,
    low_pass: Option<(LowPassSettings, LowPass)>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(
        split: &'a Split,
        options: &TuneOptions,
        tell: &'a (dyn Fn(&str) + Sync),
        cancelled: &'a AtomicBool,
    ) -> Self {
        let tested = split.held_out.len();
        let every = tested.div_ceil(options.users_max.max(1)).max(1);
        let users = (0..tested).step_by(every).collect();
        let (gram, weights, low_pass) = (None, None, None);
        Self { split, users, k: options.k, tell, cancelled, gram, weights, low_pass }
    }

    pub(super) fn user_count(&self) -> usize {
        self.users.len()
    }

    /// Learns what is not there yet, ranks for the users and judges the lists.
    pub(super) fn measure(&mut self, settings: &LearnSettings) -> Result<ListQuality, Cancelled> {
        let train = &self.split.train;
        let tell = self.tell;
        let progress = |stage: Stage, _, _| tell(stage.name());
        let watch = Watch { cancelled: self.cancelled, progress: &progress };
        // The weight is applied afterwards.
        let own = LowPassSettings { weight: 1.0, ..settings.low_pass };
        if self.low_pass.as_ref().is_none_or(|(with, _)| *with != own) {
            self.low_pass = None;
            self.low_pass = Some((own, LowPass::fit(train, &own, &watch)?));
        }
        if self.weights.as_ref().is_none_or(|(with, _)| *with != settings.ridge) {
            let gram_settings = settings.ridge.gram;
            if self.gram.as_ref().is_none_or(|(with, _)| *with != gram_settings) {
                self.gram = None;
                self.gram = Some((gram_settings, Gram::new(train, &gram_settings, &watch)?));
            }
            if let Some((_, gram)) = &self.gram {
                self.weights = None;
                let columns = Columns::solve(train, gram, &settings.ridge, &watch)?;
                self.weights = Some((settings.ridge, columns.into_weights()));
            }
        }
        let (Some((_, weights)), Some((_, low_pass))) = (&self.weights, &self.low_pass) else {
            return Ok(ListQuality::default());
        };
        let low_pass = low_pass.times(settings.low_pass.weight);
        tell("ranking");
        let served = Served::new(train, Learnt { weights: weights.clone(), low_pass });
        Ok(self.judge(&served))
    }

    fn judge(&self, served: &Served) -> ListQuality {
        let memory = || (<Served as Ranker>::Memory::default(), Vec::new());
        let lists: Vec<ListQuality> = self
            .users
            .par_iter()
            .map_init(memory, |(memory, history), &user| {
                fold_in(&self.split.histories, user, history);
                judge(&served.rank(history, self.k, memory), &self.split.held_out[user], self.k)
            })
            .collect();
        ListQuality::mean(&lists)
    }
}
