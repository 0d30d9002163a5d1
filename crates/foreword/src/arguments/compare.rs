//! The arguments of `foreword compare`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum, value_parser};

use super::Output;
use super::bench::{TlsFiles, time};

const EXAMPLES: &str = "\
Examples:
  How unlike what the nightly job writes are Foreword's shelves? With a page to look at:
    foreword compare --old-table shelves.csv --html compared.html
  A service with the tutorial's contract, for the readers of a file, one id a line:
    foreword compare --old shop:50051 --contract tutorial --category mystery --users readers.txt
  Two Forewords, such as one with other settings, for 500 readers of the new one:
    foreword compare --old localhost:50051 --new localhost:50061 --first-users 500
  The first 500 readers of a table that has many:
    foreword compare --old-table shelves.csv --first-users 500

Each reader is asked for once on either side, the old one first, at --rate readers a second whether
or not answers keep up, after a second to warm up that does not count. A table is CSV with the
columns user, book and rank; ids are those of the shop's books in Foreword. With --contract
tutorial, books are compared by their numbers, and nothing is told of fallbacks.

Overlap is the part of the longer list that is in both, Jaccard the part of all books of both, RBO
rank-biased overlap (Webber, Moffat and Zobel 2010). Unlike lists say nothing about which is better.

Exit codes: 0 success, 1 a call went wrong or could not be sent, or another failure, 2 wrong
arguments, 130 stopped before the end.";

/// `compare`.
#[derive(Args, Clone, Debug)]
#[command(
    group(ArgGroup::new("old_side").required(true).args(["old", "old_table"])),
    group(ArgGroup::new("readers").args(["users", "first_users"])),
    after_help = EXAMPLES
)]
pub(crate) struct Compare {
    /// Where the service is that the shop has now
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) old: Option<String>,
    /// What the shop has now, as a table: user, book, rank
    #[arg(long, value_name = "FILE")]
    pub(crate) old_table: Option<PathBuf>,
    /// Where Foreword is
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:50051")]
    pub(crate) new: String,
    /// Readers to ask for, one id a line [default: all of --old-table]
    #[arg(long, value_name = "FILE")]
    pub(crate) users: Option<PathBuf>,
    /// Ask for so many readers: the first of --old-table by their ids; with --old the first that the
    /// new one lists, which wants the role `admin` there
    #[arg(long, value_name = "COUNT")]
    pub(crate) first_users: Option<NonZeroUsize>,
    /// What services are asked, both alike
    #[arg(long, value_enum, default_value_t = ContractKind::V1)]
    pub(crate) contract: ContractKind,
    /// Only books in this category; may be given several times: any of them. With --contract
    /// tutorial one that it has, mystery unless given
    #[arg(long, value_name = "SLUG")]
    pub(crate) category: Vec<String>,
    /// How many books are asked for
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10, value_parser = value_parser!(u32).range(1..=1000))]
    pub(crate) number: u32,
    /// Readers a second
    #[arg(long, value_name = "NUMBER", default_value_t = 20.0)]
    pub(crate) rate: f64,
    /// The most calls under way; those that are due beyond that wait, and their wait counts
    #[arg(long, value_name = "COUNT", default_value = "50")]
    pub(crate) in_flight: NonZeroUsize,
    /// How long one call may take
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub(crate) deadline: Duration,
    /// RBO: how much a place counts beside the one above, over 0 and under 1; with 0.9, the first
    /// ten have 86 % of the weight
    #[arg(long, value_name = "NUMBER", default_value_t = 0.9, value_parser = persistence)]
    pub(crate) persistence: f64,
    /// File with the token or API key that calls of the old one show
    #[arg(long, value_name = "FILE", requires = "old")]
    pub(crate) old_bearer_file: Option<PathBuf>,
    /// File with the token or API key that calls of the new one show
    #[arg(long, value_name = "FILE")]
    pub(crate) new_bearer_file: Option<PathBuf>,
    /// Write a page with all figures into this file too
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: TlsFiles,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ContractKind {
    /// `foreword.v1.RecommendationService/Recommend`
    V1,
    /// The tutorial's `/Recommendations/Recommend`: readers and books have numbers
    Tutorial,
}

fn persistence(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "expected a number over 0 and under 1".to_owned())
}
