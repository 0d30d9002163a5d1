//! The arguments of `foreword bench`.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand, ValueEnum, value_parser};
use jiff::SignedDuration;

use super::Output;

/// `bench`.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Ask a running service many times and tell how long it took, how it ended, what it cost
    Load(Box<Load>),
    /// Serve a folder, stream events into it; tell how many a second are durable and how soon answers have them
    Events(Box<Events>),
    /// Serve made-up stores of several sizes; tell memory, and how long users wait who were not there lately
    Users(Users),
    /// Train on synthetic shops of several sizes; tell time per item, memory, how models open
    Scale(Scale),
    /// Open a model's file many times; tell how long that takes, and what two processes share
    Open(Open),
    /// Serve a shop that trains by itself; tell what that costs callers, how soon books are known
    Retrain(Retrain),
    /// Ask a demo's web shop for the home page of readers who are signed in; tell how long that takes
    Shop(WebShop),
}

const SHOP_EXAMPLES: &str = "\
Examples:
  How long does a reader wait for the home page, at 200 pages a second, with shop and service on one core?
    taskset --cpu-list 0 foreword demo &
    taskset --cpu-list 1 foreword bench shop
  A quick look:
    foreword bench shop --rounds 1 --for 2s --rate 50

Readers are signed in before, as a demo lets everybody do. Pages are asked for at random moments, and
a page's time begins when it was due. Each figure is the median over the rounds; the probe is a thread
beside that tells how late this machine itself is. A page that came without the service's answer is
wrong here.

Exit codes: 0 success, 1 a page went wrong or another failure, 2 wrong arguments, 130 stopped before
the end.";

/// `bench shop`.
#[derive(Args, Clone, Debug)]
#[command(after_help = SHOP_EXAMPLES)]
pub(crate) struct WebShop {
    /// Where the shop is
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:5000")]
    pub(crate) shop: String,
    /// Readers who ask, with ids from 1 on
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) readers: u32,
    /// Pages a second
    #[arg(long, value_name = "NUMBER", default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// How long each round is measured
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) duration: Duration,
    /// How often
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    #[command(flatten)]
    pub(crate) output: Output,
}

const EVENTS_EXAMPLES: &str = "\
Examples:
  How many events a second become durable in a store that already holds 10 million?
    foreword bench events bench-shop --store-events 10000000
  How soon does an answer have what was acknowledged, in a shop's own folder? Use a copy.
    foreword bench events copy-of-shop --users 2000 --books 1000 --clients 1 --batch 1 --ahead 1
  The same on PostgreSQL, and how soon another replica's answer has it?
    foreword bench events bench-replica --database postgres://localhost/bench --store-events 10000000

This program is started again as a server of the folder. Events are purchases that nobody made: they
stay in the store. Each commit of a group of events is one sync of the disk; checkpoints of the
database are more. On a database a second server is started then, on a folder of its own: purchases
are told to the first, and the second is asked with the user's revision of the acknowledgement.

The server trains while it is measured, as it does whenever one event in a hundred is new; --set
retrain.on=false measures without.";

/// `bench events`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EVENTS_EXAMPLES)]
pub(crate) struct Events {
    /// The data folder to be served, and written into; the database is, where --database names one
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Fill the folder up to so many made-up events before
    #[arg(long, value_name = "COUNT")]
    pub(crate) store_events: Option<u64>,
    /// Clients that stream, each over a connection of its own
    #[arg(long, value_name = "COUNT", default_value = "4", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) clients: u16,
    /// Events of one request
    #[arg(long, value_name = "COUNT", default_value = "100", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) batch: u16,
    /// Requests of one client that are on their way at once
    #[arg(long, value_name = "COUNT", default_value = "10", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) ahead: u16,
    /// Clients that buy and ask again
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) askers: u16,
    /// How long each of both is measured
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) duration: Duration,
    /// How often both are measured, in turn
    #[arg(long, value_name = "COUNT", default_value = "3", value_parser = value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// Users have ids from 1 up to this; those of made-up events where there are any
    #[arg(long, value_name = "COUNT")]
    pub(crate) users: Option<u32>,
    /// Books have ids from 1 up to this
    #[arg(long, value_name = "COUNT", default_value_t = 1000, value_parser = value_parser!(u32).range(1..))]
    pub(crate) books: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

const USERS_EXAMPLES: &str = "\
Examples:
  Does memory stay the same from 1 million users to 2 million, and how long do cold users wait?
    foreword bench users bench-shops
  A quick look:
    foreword bench users bench-shops --users 10000,20000 --for 2s --rounds 1
  Fill the stores and train, to measure later:
    foreword bench users bench-shops --rounds 0

A store for each size is made in the folder, with 10 made-up purchases for each user, and a model
is trained on it; both stay there, so that the next time it starts at once. With --database, the
stores are one that grows from size to size. Files are put out of the system's memory, then this
program is started again as a server. First users are asked for whose history is not in its memory,
each once: their latency, less that of the probe beside them, is the median over the rounds. Then
users are asked for until the memory of histories (store.history_cache_mib) is full.

Memory is what is resident of the server: its own, and what it has mapped. The model is a mapped
file of its own size, whatever the users are, and is told apart. The database is read, not mapped,
so what the system keeps of it does not count. A training, of which the server has none here, holds
what it learns from: how much this process took for its own is told.

Exit codes: 0 success, 1 a request went wrong or another failure, 2 wrong arguments, 130 stopped
before the end.";

/// `bench users`.
#[derive(Args, Clone, Debug)]
#[command(after_help = USERS_EXAMPLES)]
pub(crate) struct Users {
    /// Where the stores are kept
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// How many users the stores have, separated by commas, the fewest first
    #[arg(
        long,
        value_name = "COUNT",
        value_delimiter = ',',
        default_value = "1000000,2000000",
        value_parser = value_parser!(u32).range(1..=USERS_MAX)
    )]
    pub(crate) users: Vec<u32>,
    /// Cold users a second
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,
    /// How long each round is measured
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) duration: Duration,
    /// How often cold users are measured; 0 only fills the stores
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = value_parser!(u16).range(..=1000))]
    pub(crate) rounds: u16,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Ten events of each still are a number that a progress bar can show.
const USERS_MAX: i64 = 100_000_000;

const SCALE_EXAMPLES: &str = "\
Examples:
  Does time per item stay the same from 10 thousand to 1 million books?
    foreword bench scale --plot scale.svg
  A quick look, with other settings of the model:
    foreword bench scale --items 10000,30000 --set train.neighbours=200

Readers are made from a seed and have a few tastes each. Every size runs in a process of its own,
so that memory is counted for itself. 1 million books with 100 interactions each need 16 GB. Every
model is written to the folder for temporary files, opened from there as `bench open` does, and
removed.";

/// `bench scale`.
#[derive(Args, Clone, Debug)]
#[command(after_help = SCALE_EXAMPLES)]
pub(crate) struct Scale {
    /// Sizes of the catalogue, separated by commas
    #[arg(
        long,
        value_name = "COUNT",
        value_delimiter = ',',
        default_value = "10000,100000,1000000",
        value_parser = item_count
    )]
    pub(crate) items: Vec<usize>,
    /// Interactions for each item, in the mean
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) interactions_per_item: usize,
    /// Seed of the shops
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Draw time per item into this file, as an SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Measure this size in this process, and tell it to the one that asked
    #[arg(long, hide = true, value_parser = item_count)]
    pub(crate) only: Option<usize>,
    /// Write the model that --only fits into this file
    #[arg(long, hide = true, value_name = "FILE", requires = "only")]
    pub(crate) snapshot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

const RETRAIN_EXAMPLES: &str = "\
Examples:
  What do trainings cost, and how soon does a new book come among those like another?
    foreword bench retrain
  A quick look:
    foreword bench retrain --items 2000 --for 3s --rounds 1 --new-books 1

A service of its own is started on a made-up shop in a temporary folder. It is asked with and without
trainings in turn: as much as it can answer, then half as much. While it trains, it does so again and
again, with ten purchases a second as the reason. Then it serves with the settings as they are, while
so many events a second are written, and new books get their first ten readers at a random moment.

Exit codes: 0 success, 1 a request went wrong or a new book was not known after five minutes, or
another failure, 2 wrong arguments, 130 stopped before the end.";

/// `bench retrain`.
#[derive(Args, Clone, Debug)]
#[command(after_help = RETRAIN_EXAMPLES)]
pub(crate) struct Retrain {
    /// Books of the shop
    #[arg(long, value_name = "COUNT", default_value = "10000", value_parser = item_count)]
    pub(crate) items: usize,
    /// Interactions for each book, in the mean
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub(crate) interactions_per_item: usize,
    /// How long each run is measured, such as 10s or 2m
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) duration: Duration,
    /// How often both are measured; every second round goes backwards
    #[arg(long, value_name = "COUNT", default_value = "3")]
    pub(crate) rounds: NonZeroUsize,
    /// Requests under way at any time when it answers as much as it can
    #[arg(long, value_name = "COUNT", default_value = "16")]
    pub(crate) in_flight: NonZeroUsize,
    /// Events a second while new books come
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub(crate) events_per_second: u32,
    /// New books, one after the other
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub(crate) new_books: u32,
    /// Seed of the shop and of what is asked
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

const OPEN_EXAMPLES: &str = "\
Examples:
  How long is a server's start held up by its model, and do two servers have it in memory once?
    foreword bench open models/000000000001.snapshot

The file is opened as a server opens it, and checked but for the checksums of its contents. Their
time is told apart: they read every byte, and a server computes them too before it serves a model. A
file that was written or read a moment ago is in memory already, one that was not takes longer. Then
this process and a second one both have it open and have read all of it: what they share is in
memory once, and what is private and written would be a copy.";

/// `bench open`.
#[derive(Args, Clone, Debug)]
#[command(after_help = OPEN_EXAMPLES)]
pub(crate) struct Open {
    /// The file: a model of a shop's folder, such as models/000000000001.snapshot
    #[arg(value_name = "SNAPSHOT")]
    pub(crate) file: PathBuf,
    /// How often it is opened, at most 10000
    #[arg(long, value_name = "COUNT", default_value = "21", value_parser = value_parser!(u16).range(1..=10_000))]
    pub(crate) times: u16,
    /// Be the second process, and tell the one that asked what both take
    #[arg(long, hide = true, value_name = "PID")]
    pub(crate) beside: Option<u32>,
    #[command(flatten)]
    pub(crate) output: Output,
}

const LOAD_EXAMPLES: &str = "\
Examples:
  How long do readers wait, at 1,000 requests a second?
    foreword bench load --rate 1000
  How much can the service do, with 32 requests under way at any time?
    foreword bench load --in-flight 32 --connections 4
  What does it cost the server's process?
    foreword bench load --rate 1000 --pid $(pidof foreword)
  Which of two servers is faster? Five rounds in turn, each first in every second one.
    foreword bench load --to localhost:50051 --to localhost:50052 --rate 1000 --rounds 5
  Over mutual TLS, as JSON:
    foreword bench load --to shop:443 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key --rate 100 --json

With --rate, a request counts from the moment at which it was due, even if the client could not
send it then; with --in-flight, from the moment at which it was sent.

Latency less probe subtracts percentile from percentile; it need not rise.

Exit codes: 0 success, 1 a request went wrong or could not be sent before the end, or another
failure, 2 wrong arguments, 130 stopped before the end.";

/// `bench load`.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("loop").required(true)), after_help = LOAD_EXAMPLES)]
pub(crate) struct Load {
    /// Requests per second, whether or not earlier ones are answered: an open loop
    #[arg(long, value_name = "NUMBER", group = "loop")]
    pub(crate) rate: Option<f64>,
    /// Requests under way at any time, a new one for each answer: a closed loop
    #[arg(long, value_name = "COUNT", group = "loop")]
    pub(crate) in_flight: Option<NonZeroUsize>,
    /// How the requests of --rate arrive
    #[arg(long, value_enum, default_value_t = ArrivalsKind::Poisson, conflicts_with = "in_flight")]
    pub(crate) arrivals: ArrivalsKind,
    /// What is asked
    #[arg(long, value_enum, default_value_t = Call::Recommend)]
    pub(crate) call: Call,
    /// Where the service is; given several times, all of them are measured in turn
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:50051")]
    pub(crate) to: Vec<String>,
    /// How often each service is measured; every second round goes backwards
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) rounds: NonZeroUsize,
    /// How long is measured, such as 10s or 2m
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) duration: Duration,
    /// How long requests are sent before that, and not counted
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    pub(crate) warm_up: Duration,
    /// How long one call may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    pub(crate) deadline: Duration,
    /// Connections
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) connections: NonZeroUsize,
    /// The most requests under way on each connection; those that are due beyond that wait
    #[arg(long, value_name = "COUNT", default_value = "100")]
    pub(crate) streams: NonZeroUsize,
    /// Users that are asked for, from the first to the last
    #[arg(long, value_name = "ID..ID", default_value = "1..2000", value_parser = ids)]
    pub(crate) users: RangeInclusive<u32>,
    /// Books that `--call similar` asks for
    #[arg(long, value_name = "ID..ID", default_value = "1..1000", value_parser = ids)]
    pub(crate) books: RangeInclusive<u32>,
    /// How many books are asked for
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) max_results: u32,
    /// Seed of the arrivals and of what is asked
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Threads of this client
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(crate) threads: NonZeroUsize,
    /// The process of the service, on this machine, whose CPU time and memory are told; one for each --to
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Vec<u32>,
    /// File with the token or API key that each call shows
    #[arg(long, value_name = "FILE")]
    pub(crate) bearer_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: TlsFiles,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Files for TLS.
#[derive(Args, Clone, Debug)]
pub(crate) struct TlsFiles {
    /// Speak TLS, and trust the authorities of this file (PEM); an address `http://HOST:PORT` stays plaintext
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Certificate of this client, with its chain (PEM)
    #[arg(long, value_name = "FILE", help_heading = "TLS", requires_all = ["tls_ca", "tls_key"])]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Key of this client (PEM)
    #[arg(long, value_name = "FILE", help_heading = "TLS", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The name in the service's certificate, if it is not the host of the address
    #[arg(long, value_name = "NAME", help_heading = "TLS", requires = "tls_ca")]
    pub(crate) tls_name: Option<String>,
}

/// How requests arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArrivalsKind {
    /// At random, as of many users who know nothing of each other
    Poisson,
    /// At equal distances
    Constant,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Call {
    /// Books for a user
    Recommend,
    /// Books that go with a book
    Similar,
    /// Books that are read more lately than they used to be
    Trending,
    /// The tutorial's call: books of a category for a user
    Tutorial,
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| "expected a time with its unit, such as 10s, 500ms or 1m 30s".to_owned())
}

fn item_count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (1..=ITEMS_MAX).contains(count));
    count.ok_or_else(|| format!("expected a number from 1 to {ITEMS_MAX}"))
}

/// Item numbers have 31 bits.
const ITEMS_MAX: usize = i32::MAX as usize;

fn ids(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let ids = first.parse().and_then(|first: u32| Ok(first..=last.parse()?));
    ids.ok()
        .filter(|ids| !ids.is_empty() && *ids.end() <= i32::MAX.unsigned_abs())
        .ok_or_else(|| "expected the first and the last number, such as 1..2000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_ranges_have_two_ends() {
        assert_eq!(time("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(time("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(time("10").is_err() && time("-1s").is_err() && time("").is_err());
        assert_eq!(ids("1..2000"), Ok(1..=2000));
        assert_eq!(ids("7"), Ok(7..=7));
        assert!(ids("9..1").is_err() && ids("1..").is_err() && ids("1..4294967295").is_err());
    }
}
