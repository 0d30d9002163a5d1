//! The report: what was measured, on what, and with how many threads.

use serde::Serialize;

/// Models side by side, measured in one run on one split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Users of the training part, with and without items.
    pub users: usize,
    /// Items of the catalogue, with and without interactions.
    pub items: usize,
    /// Interactions that were learnt from.
    pub interactions: usize,
    /// Interactions that were held out.
    pub held_out: usize,
    /// Users with at least one held-out item; metrics are means over them.
    pub users_tested: usize,
    /// Threads of the rayon pool.
    pub threads: usize,
    /// The length of the lists.
    pub k: usize,
    /// One model each, the engine's first.
    pub rows: Vec<Row>,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub model: String,
    /// Recall@k, 0 to 1: the mean over the users tested.
    pub recall: f64,
    /// NDCG@k, 0 to 1: the mean over the users tested.
    pub ndcg: f64,
    /// Catalogue coverage, 0 to 1: the share of all items that are in at least one list.
    /// After Ge, Delgado-Battenfeld and Jannach (2010, *Beyond accuracy*).
    pub coverage: f64,
    /// Wall-clock time from interactions in memory to a model that can rank.
    pub fit_seconds: f64,
    /// Wall-clock time to rank and judge all users tested, on all threads.
    pub rank_seconds: f64,
    /// The most memory that was resident at once from the fit to the last list: of the
    /// whole process, so with its code, the interactions and the split. `None` where the
    /// system does not tell (it is Linux that does).
    pub peak_bytes: Option<u64>,
}
