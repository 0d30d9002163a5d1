//! The arguments of `foreword backup`, `restore` and `compact`.

use std::path::PathBuf;

use clap::Args;

use super::Output;

const BACKUP: &str = "\
What is in it: books, users, events, impressions, rules, hashes of API keys, and every number and
revision; no models, which `foreword train` makes again, and no settings. The file is one JSON
object a line, packed with gzip; docs/backup.md describes it. It tells who read what: it is readable
for its owner only, keep it so.

Examples:
  foreword backup shop.jsonl.gz
  foreword backup --verify shop.jsonl.gz";

const RESTORE: &str = "\
All of it or nothing: a file that was cut, damaged or written by a newer version is refused, with
the line. Numbers and revisions become what they were, so that models trained before, and tokens
that clients hold, go on working. Stop the server of the data folder first.

Examples:
  A backup into a new data folder
    foreword restore --data-dir new shop.jsonl.gz
  From SQLite to PostgreSQL
    foreword backup --data-dir old shop.jsonl.gz
    foreword restore --database postgres://foreword@localhost/shop shop.jsonl.gz";

pub(super) const COMPACT: &str = "\
While it runs, a service answers as ever, but what it is to write waits: after its time limits
(store.busy_timeout_ms) it answers UNAVAILABLE, and clients send again. Takes some ten seconds a
gigabyte, and about twice the room of the database meanwhile.";

/// `backup`.
#[derive(Args, Debug)]
#[command(after_help = BACKUP)]
pub(crate) struct Backup {
    /// The file, such as shop.jsonl.gz
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Replace the file if there is one
    #[arg(long, conflicts_with = "verify")]
    pub(crate) force: bool,
    /// Check a backup that was taken before: every line, their number and the checksum
    #[arg(long)]
    pub(crate) verify: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `restore`.
#[derive(Args, Debug)]
#[command(after_help = RESTORE)]
pub(crate) struct Restore {
    /// The file that `foreword backup` wrote
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}
