//! How an answer comes about: the history with its weights, the candidates with the parts of their
//! scores, and what each step did.

use std::sync::Arc;

use recommender::Evidence;
use recommender::shelf::{Step, Trace};
use storage::Rule;
use tokio::sync::Semaphore;

use super::placed::PlacedReader;
use super::{Answer, BookFilter, Reader, Recommender, ShelfKind};
use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::generation::Generation;
use crate::live::Serving;
use crate::rules::{RuleSet, StoredRules};

/// How many books of the history are told.
const HISTORY_MAX: usize = 200;

/// How many parts of a score are told.
const PARTS_MAX: usize = 20;

/// How an answer comes about.
#[derive(Debug)]
pub(crate) struct Explained {
    /// What the history says of each book, what weighs most first.
    pub(crate) history: Vec<Weighed>,
    /// With the rules that hold.
    pub(crate) current: Explanation,
    /// With those that were given, if some were.
    pub(crate) draft: Option<Explanation>,
}

/// What a history says of a book.
#[derive(Debug)]
pub(crate) struct Weighed {
    /// What it says.
    pub(crate) evidence: Evidence,
    /// Whether the model scores from it.
    pub(crate) in_model: bool,
}

/// One answer, from its candidates on.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// The best by score alone.
    pub(crate) candidates: Vec<Candidate>,
    /// What the steps did.
    pub(crate) trace: Trace,
    /// The answer.
    pub(crate) answer: Answer,
}

/// An item with its score.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Its index in the generation.
    pub(crate) item: u32,
    /// Its score: the sum of all parts, or its popularity.
    pub(crate) score: f32,
    /// What items of the history add, by index, the largest in size first.
    pub(crate) parts: Vec<(u32, f32)>,
}

impl Recommender {
    /// What [`recommend`](Self::recommend) would answer, and why; also with other rules, if some are
    /// given. Costs a look at each book of the history for each candidate, and what it takes to
    /// resolve the rules: that waits for one of `turns` and keeps it to its end, also if its caller
    /// has gone. They are never closed.
    pub(crate) async fn explain(
        self: &Arc<Self>,
        reader: &Reader,
        filter: BookFilter,
        results: usize,
        draft: Option<Vec<Rule>>,
        turns: &Arc<Semaphore>,
    ) -> Explained {
        let known = self.known_reader(self.live.serving().generation(), reader).await;
        // Only now, since a store that hangs is to hold no turn, and who waits no generation.
        let turn = Arc::clone(turns).acquire_owned().await;
        let serving = self.live.serving();
        let recommender = Arc::clone(self);
        let explain = move || {
            let _turn = turn;
            let generation = serving.generation();
            let reader = PlacedReader::new(&known, generation, &recommender.steps);
            let explain = |rules: &RuleSet| {
                recommender.explain_with(&serving, rules, &reader, &filter, results)
            };
            let draft = draft.map(|rules| {
                let rules = Arc::new(StoredRules::draft(rules));
                RuleSet::new(rules, generation, now_ms())
            });
            Explained {
                history: weighed(&reader),
                current: explain(serving.rules()),
                draft: draft.as_ref().map(explain),
            }
        };
        // Nobody's answer waits for it.
        blocking(explain).await
    }

    fn explain_with(
        &self,
        serving: &Serving,
        rules: &RuleSet,
        reader: &PlacedReader,
        filter: &BookFilter,
        results: usize,
    ) -> Explanation {
        let mut trace = Trace::default();
        let found = self.with_shelves(serving, reader, filter, |shelves| {
            shelves.traced(rules, results, Some(&mut trace))
        });
        let generation = serving.generation();
        let first = trace.steps.iter().find(|step| step.step == Step::Candidates);
        let candidate = |item: &u32| candidate(generation, reader, *item);
        let candidates = first.map_or(&[][..], |step| &step.order).iter().map(candidate).collect();
        let kind = ShelfKind::PickedForYou;
        let answer = self.uncounted_answer(generation, found, reader, &filter.shown, kind);
        Explanation { candidates, trace, answer }
    }
}

fn weighed(reader: &PlacedReader) -> Vec<Weighed> {
    let scored = reader.history.len();
    let weighed = |(place, evidence): (usize, &Evidence)| Weighed {
        evidence: *evidence,
        in_model: place < scored,
    };
    let mut history: Vec<Weighed> = reader.evidence.iter().enumerate().map(weighed).collect();
    history
        .sort_by(|left, right| right.evidence.weight.abs().total_cmp(&left.evidence.weight.abs()));
    history.truncate(HISTORY_MAX);
    history
}

/// The parts of an item's score; those of a popular item is its popularity alone.
fn candidate(generation: &Generation, reader: &PlacedReader, item: u32) -> Candidate {
    let model = generation.model().map(|model| &model.model);
    let model = model.filter(|model| (item as usize) < model.item_count());
    let Some(model) = model else { return Candidate { item, score: 0.0, parts: Vec::new() } };
    if reader.history.is_empty() {
        return Candidate { item, score: model.popularity()[item as usize], parts: Vec::new() };
    }
    let history = &reader.history;
    let contributions = model.contributions(history, item);
    let parts = history.iter().zip(contributions).map(|(liked, part)| (liked.item, part));
    let mut parts: Vec<(u32, f32)> = parts.collect();
    let score = parts.iter().map(|(_, part)| part).sum();
    parts.retain(|(_, part)| *part != 0.0);
    parts.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()));
    parts.truncate(PARTS_MAX);
    Candidate { item, score, parts }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::poll;
    use tokio::runtime::Builder;
    use tokio::task::spawn_blocking;

    use super::*;
    use crate::data_folder::DataFolder;
    use crate::settings::Settings;

    #[test]
    fn an_explanation_keeps_its_turn_when_its_caller_has_gone() {
        // Work that blocks is done by one thread, one after the other.
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
        runtime.unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let settings = Settings::read(None).unwrap();
            let data = DataFolder::new(folder.path());
            let recommender = Arc::new(Recommender::open(&data, &settings).await.unwrap());
            let turns = Arc::new(Semaphore::new(1));
            let (release, held) = channel::<()>();
            let busy = spawn_blocking(move || held.recv().is_err());
            let stranger = Reader::Anonymous(Vec::new());
            let filter = BookFilter::default();
            let mut asked = Box::pin(recommender.explain(&stranger, filter, 5, None, &turns));
            assert!(poll!(&mut asked).is_pending());
            drop(asked);
            assert_eq!(turns.available_permits(), 0);
            drop(release);
            busy.await.unwrap();
            drop(turns.acquire().await.unwrap());
            recommender.close().await;
        });
    }
}
