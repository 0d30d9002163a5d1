//! The arguments of `foreword evaluate`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Output;

const EXAMPLES: &str = "\
Examples:
  How good are the rankings for this shop's readers? With a page to look at:
    foreword evaluate --store --html report.html
  What if everything since a day had still to come? Does it pay to forget?
    foreword evaluate --store --split time --moment 2026-01-01 --half-life 90,365
  How are readers served who came after the training?
    foreword evaluate --store --split unseen-users
  A published data set:
    foreword evaluate --train train.txt --test test.txt
  The same beside others' libraries, each tuned for five minutes:
    foreword evaluate --train train.txt --test test.txt --peers --peer-budget 300";

/// `evaluate`.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("source").required(true)), after_help = EXAMPLES)]
pub(crate) struct Evaluate {
    /// Interactions to learn from, in the LightGCN format (a line: user, then items), plain or .gz
    #[arg(long, value_name = "FILE", group = "source")]
    pub(crate) train: Option<PathBuf>,
    /// Interactions to find again; without it, a part is held out as --split says
    #[arg(long, value_name = "FILE", requires = "train")]
    pub(crate) test: Option<PathBuf>,
    /// Use the store's events and hold out a part of them; with the settings that its next training
    /// would use, what tuning chose for the active model included
    #[arg(long, group = "source")]
    pub(crate) store: bool,
    /// What is held out
    #[arg(long, value_enum, conflicts_with = "test", default_value_t = SplitKind::Holdout)]
    pub(crate) split: SplitKind,
    /// The part that is held out: of each user's interactions, or with --split time of all; of a
    /// store, only clear yeses are
    #[arg(long, conflicts_with = "test", default_value_t = 0.2, value_name = "SHARE")]
    pub(crate) holdout: f64,
    /// With --split unseen-users, the part of the users that is left out of training
    #[arg(long, conflicts_with = "test", default_value_t = 0.1, value_name = "SHARE")]
    pub(crate) unseen: f64,
    /// With --split time, the moment from which on everything is held out, as a date or in RFC
    /// 3339, instead of the --holdout newest part
    #[arg(long, conflicts_with_all = ["test", "holdout"], value_name = "TIME", value_parser = moment)]
    pub(crate) moment: Option<Timestamp>,
    /// With --split time, also measure what is halved by age, for each of these numbers of days
    #[arg(long, conflicts_with = "test", value_name = "DAYS", value_delimiter = ',')]
    pub(crate) half_life: Vec<f64>,
    /// How long the lists are
    #[arg(long, default_value = "20", value_name = "COUNT")]
    pub(crate) k: NonZeroUsize,
    /// Seed of what is held out, and of the intervals
    #[arg(long, default_value_t = 7, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Measure others' models as well: `implicit` (cosine, BM25, ALS), SANSA and dense EASE, in
    /// Python; and Foreword once more, tuned as they are
    #[arg(long)]
    pub(crate) peers: bool,
    /// How long settings of each are tried, on a validation part cut from the training part
    #[arg(long, requires = "peers", default_value_t = 60, value_name = "SECONDS")]
    pub(crate) peer_budget: u64,
    /// Folder of the peers' Python packages; made at the first time, with python3
    #[arg(long, requires = "peers", default_value = "target/python-peers", value_name = "DIR")]
    pub(crate) peer_environment: PathBuf,
    /// Write a page with all figures and pictures into this file too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Draw the figures into this file too, as an SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Instead, take this part of the store's books for new ones, of which nobody knows anything:
    /// how well are they found, with and without what the catalogue says about them?
    #[arg(long, value_name = "SHARE", requires = "store", conflicts_with_all = ["plot", "html", "peers", "unseen", "moment", "half_life"])]
    pub(crate) cold_items: Option<f64>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What is held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitKind {
    /// A random part of each user's books
    Holdout,
    /// Everything from one moment on: needs a store whose events have times
    Time,
    /// A part of the books of users who are left out of training
    UnseenUsers,
}

/// A date, as its first moment in UTC, or a time with its offset.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let date: Option<Date> = text.parse().ok();
    let zoned = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    let expected = "expected a date such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z";
    zoned.map(|zoned| zoned.timestamp()).ok_or_else(|| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_or_a_time_with_its_offset() {
        for (text, expected) in [
            ("2020-01-31", Some(1_580_428_800_000)),
            ("2020-01-31T08:00:00+02:00", Some(1_580_450_400_000)),
            ("2020-02-30", None),
            ("yesterday", None),
        ] {
            assert_eq!(moment(text).ok().map(Timestamp::as_millisecond), expected, "{text}");
        }
    }
}
