//! Measures quality and speed: rankings offline, the engine beside two baselines in one run;
//! and a running service, under [`load`].
//!
//! The protocol is that of the published tables (He et al. 2020, *LightGCN*, section 4.1):
//! every item of the catalogue is ranked for every user who has held-out items, except for
//! the items that the user was trained on; no negatives are sampled, because sampled
//! metrics can order models differently (Krichene and Rendle 2020, *On sampled metrics for
//! item recommendation*).
//!
//! 1. [`split`]: what is learnt from and what is held out, from files or a store;
//! 2. `ranker`: the models, each behind one trait; [`run`] fits them and ranks for everybody;
//! 3. [`lists`]: what comes out of a model, of this crate or measured elsewhere;
//!    by [`peers`] for one;
//! 4. [`judge()`] and [`metrics`]: judge the lists of all models alike;
//! 5. [`report`]: all models side by side; [`plot`] draws it.
//!
//! [`compare`] sets two recommenders beside each other, whatever is behind them. [`scale`] measures how a fit grows, on shops that [`synthetic`] makes.
//!
//! Settings are to be chosen on a part held out of the training part
//! ([`read_and_hold_out`]); the test part is for reporting, once.

pub mod child;
pub mod cold;
pub mod compare;
mod decay;
pub mod html;
mod judge;
pub mod lightgcn;
pub mod lists;
pub mod load;
mod machine;
mod markup;
mod memory;
pub mod metrics;
pub mod peers;
pub mod plot;
mod ranker;
pub mod report;
pub mod run;
pub mod scale;
pub mod split;
pub mod synthetic;
#[cfg(test)]
mod testing;
pub mod tune;

pub use judge::judge;
pub use lightgcn::Histories;
pub use lists::{Lists, ListsError};
pub use machine::Machine;
pub use recommender::watch::Cancelled;
pub use report::{Report, Row};
pub use run::{Options, evaluate};
pub use split::{
    LIKED_MIN, LeftOut, Period, Split, by_time, hold_out, leave_users_out, read_and_hold_out,
    read_interactions, read_split,
};
