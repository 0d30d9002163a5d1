//! The shelf: the ranked answer to one request, and the reasons for it.
//!
//! Filter first, rank second: the wanted number of items comes back whenever that many
//! eligible works exist. The best candidates of the model go through the steps of the re-rank
//! ([`ShelfSettings`] says which); what the model cannot score is filled up by popularity, and
//! says so.
//!
//! Nothing here reads a clock or draws by chance: equal requests get equal shelves.

mod arrange;
mod author_cap;
pub mod candidates;
mod disliked;
mod diversity;
mod draft;
pub mod filter;
mod impressions;
mod next_in_series;
mod pins;
mod popular;
mod reasons;
mod rules;
mod scores;
mod series_gate;
mod similar;
mod steps;
mod top;
mod trace;

use crate::bits::BitSet;
use crate::catalogue::Catalogue;
use crate::model::{Liked, Model};

use self::arrange::Memory;
use self::filter::Filter;
use self::scores::Scores;
use self::top::{TopItems, top_items};

pub use self::impressions::Impression;
pub use self::reasons::{REASONS_MAX, Reason, explain, explain_by_catalogue};
pub use self::rules::{Rule, Rules, Target};
pub use self::steps::{
    AuthorCap, Blend, Diversity, HoldBack, ImpressionDecay, Rotation, SeriesGate, ShelfSettings,
};
pub use self::trace::{Note, Step, Trace, TracedStep, Why};

/// Why an item is on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Scored from the user's own history.
    Personal,
    /// Scored from one item.
    Similar,
    /// Liked more lately than it used to be.
    Trending,
    /// Liked by many: the fallback.
    Popular,
    /// Liked by nobody yet, or there is no model: in the order of the numbers.
    Unranked,
    /// Put there by the shop.
    Pinned,
}

/// One item of a shelf.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Index of the item in the catalogue.
    pub item: u32,
    /// The item whose score it is: itself, or the volume of its series that was chosen
    /// and whose place it took as the volume to read first.
    pub scored: u32,
    /// As the model or the popularity gives it; higher is better, comparable only within one
    /// origin of one shelf. The steps of the re-rank change the order and not the score.
    pub score: f32,
    /// Why it is here.
    pub origin: Origin,
    /// At most [`REASONS_MAX`]. Empty until [`explain`] fills them in.
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
    /// Items whose works are not to be shown; indexes of the catalogue.
    pub settled: &'a [u32],
    /// What may be shown.
    pub filter: &'a Filter,
    /// How many items are wanted.
    pub results: usize,
}

/// How candidates become a shelf, and what the steps need to know for it.
#[derive(Clone, Copy, Debug)]
pub struct Arrangement<'a> {
    /// The steps.
    pub settings: &'a ShelfSettings,
    /// The shop's own rules.
    pub rules: &'a Rules,
    /// What the user said of items, those that the model does not know included.
    pub judged: &'a [Liked],
    /// Items that the user has; of their series the next volume comes.
    pub had: &'a [u32],
    /// What was shown to the user and not taken up.
    pub impressions: &'a [Impression],
    /// Lets popular items change places; the same seed gives the same shelf.
    pub seed: Option<u64>,
}

impl Arrangement<'_> {
    /// No step at all.
    pub const NONE: Arrangement<'static> = Arrangement {
        settings: &ShelfSettings::NONE,
        rules: Rules::NONE,
        judged: &[],
        had: &[],
        impressions: &[],
        seed: None,
    };
}

/// Working memory of a request, kept to be used again.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Those of the user's history.
    scores: Scores,
    /// Those of an item that others are to go with.
    item_scores: Scores,
    candidates: candidates::Memory,
    eligible: BitSet,
    spare: BitSet,
    top: TopItems,
    /// What goes with one item, by its symmetric score.
    similar: Vec<(u32, f32)>,
    memory: Memory,
}

/// What a step looks at.
#[derive(Clone, Copy)]
struct Context<'a> {
    shop: Shop<'a>,
    eligible: &'a BitSet,
}

/// The shelves of one user: each an answer to a request, from one shop and one history.
///
/// The scores of the history are added up for the first shelf that is ranked by them, and serve
/// all others: several shelves cost one look at the history's rows.
#[derive(Debug)]
pub struct Shelves<'a> {
    shop: Shop<'a>,
    history: &'a [Liked],
    workspace: &'a mut Workspace,
    /// Whether the workspace has the scores of the history.
    is_scored: bool,
}

impl<'a> Shelves<'a> {
    /// Those of the user who likes what is in `history`, which has items of the model only.
    #[must_use]
    pub fn new(shop: Shop<'a>, history: &'a [Liked], workspace: &'a mut Workspace) -> Self {
        Self { shop, history, workspace, is_scored: false }
    }

    /// Recommends items in the order of their scores, then fills up by popularity.
    ///
    /// An item's score is `Σ weight × B[i, j]` over the history, in the two stages of
    /// [`candidates`]; only positive scores are personal. Costs one multiply-add for each weight in
    /// the rows of the history, once, and one for each factor of a candidate.
    #[must_use]
    pub fn recommend(&mut self, request: Request<'_>) -> Vec<Ranked> {
        self.personal(request, &Arrangement::NONE, None)
    }

    /// Recommends items: the best by [`recommend`](Self::recommend)'s score, re-ranked, then what
    /// is popular. Without a history that the model can use, this is [`popular`](Self::popular).
    #[must_use]
    pub fn personal(
        &mut self,
        request: Request<'_>,
        arrangement: &Arrangement<'_>,
        trace: Option<&mut Trace>,
    ) -> Vec<Ranked> {
        let shop = self.shop;
        let Some(model) = self.scored() else {
            return self.popular(request, arrangement, trace);
        };
        self.find_eligible(request, arrangement);
        let Workspace { scores, candidates, eligible, top, memory, .. } = &mut *self.workspace;
        let by_popularity = shop.catalogue.by_popularity();
        let count = arrangement.settings.candidates.max(request.results);
        // Editions of one work crowd each other out: look again for twice as many if the works
        // were too few.
        let mut wanted = request.results;
        let found = loop {
            let found =
                candidates::candidates(model, scores, eligible, by_popularity, wanted, candidates);
            let most = candidates::CANDIDATES.max(wanted);
            let is_complete = found.len() < most;
            let works = top.choose(found, count, |item| shop.catalogue.shared_work(item)).len();
            if is_complete || works >= request.results {
                break top.chosen();
            }
            wanted = most * 2;
        };
        arrange::shelf(shop, found, Origin::Personal, request, arrangement, eligible, memory, trace)
    }

    /// Lists what is liked more lately than it used to be, re-ranked, then what is popular.
    /// The history counts nothing.
    #[must_use]
    pub fn trending(
        &mut self,
        request: Request<'_>,
        arrangement: &Arrangement<'_>,
        trace: Option<&mut Trace>,
    ) -> Vec<Ranked> {
        let shop = self.shop;
        self.find_eligible(request, arrangement);
        let Workspace { eligible, top, memory, .. } = &mut *self.workspace;
        let trend = shop.model.map_or(&[][..], Model::trend);
        let count = arrangement.settings.candidates.max(request.results);
        let found = top_items(trend, eligible, count, |item| shop.catalogue.shared_work(item), top);
        arrange::shelf(shop, found, Origin::Trending, request, arrangement, eligible, memory, trace)
    }

    /// Lists what is popular, re-ranked. The history counts nothing.
    #[must_use]
    pub fn popular(
        &mut self,
        request: Request<'_>,
        arrangement: &Arrangement<'_>,
        trace: Option<&mut Trace>,
    ) -> Vec<Ranked> {
        self.find_eligible(request, arrangement);
        let Workspace { eligible, memory, .. } = &mut *self.workspace;
        let origin = Origin::Popular;
        arrange::shelf(self.shop, &[], origin, request, arrangement, eligible, memory, trace)
    }

    /// The model, if it has scores for the history; the workspace has them then.
    fn scored(&mut self) -> Option<&'a Model> {
        let model = self.shop.model.filter(|_| !self.history.is_empty())?;
        if !self.is_scored {
            self.workspace.scores.add_up(model, self.history);
            self.is_scored = true;
        }
        Some(model)
    }

    fn find_eligible(&mut self, request: Request<'_>, arrangement: &Arrangement<'_>) {
        let Workspace { eligible, spare, .. } = &mut *self.workspace;
        let settled = request.settled.iter().copied();
        filter::eligible(self.shop.catalogue, request.filter, settled, eligible, spare);
        arrangement.rules.withhold(eligible);
    }
}

fn popularity(shop: Shop<'_>, item: u32) -> f32 {
    let popularity = shop.model.map_or(&[][..], Model::popularity);
    popularity.get(item as usize).copied().unwrap_or(0.0)
}
