//! The arguments of the command line.

mod backup;
mod bench;
mod certs;
mod compare;
mod evaluate;
mod keys;
mod shell;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use server::data_folder::DataFolder;
use server::settings::{Settings, Sources};
use server::telemetry::log::{self, Levels};

use crate::exit;

pub(crate) use backup::{Backup, Restore};
pub(crate) use bench::{
    ArrivalsKind, Bench, Call, Events, Load, Open, Retrain, Scale, TlsFiles, Users, WebShop,
};
pub(crate) use certs::Certs;
pub(crate) use compare::{Compare, ContractKind};
pub(crate) use evaluate::{Evaluate, SplitKind};
pub(crate) use keys::{CreateKey, Keys};
pub(crate) use shell::{Completions, ManPages};

const MIGRATE: &str = "\
Every command and service does so when it opens the store: this one does nothing else, so that a new
version may fail here rather than in a service. There is no way back but a backup. Services of an older
version that run already go on; they do not start again.";

/// Foreword recommends books: a self-hosted service for bookshops, libraries and reading apps.
///
/// What is logged is set by the environment variable `FOREWORD_LOG`, such as `info` or `server=debug`.
#[derive(Debug, Parser)]
#[command(
    name = "foreword",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = exit::help()
)]
pub(crate) struct Arguments {
    /// Folder of the shop's data: database and models [default: by the platform's convention]
    #[arg(
        long,
        global = true,
        env = "FOREWORD_DATA_DIR",
        hide_env_values = true,
        help_heading = "Global options",
        value_name = "DIR"
    )]
    data_dir: Option<PathBuf>,

    /// Settings file (TOML); `foreword serve --print-config` prints every key with its default
    #[arg(
        long,
        global = true,
        env = "FOREWORD_CONFIG",
        hide_env_values = true,
        help_heading = "Global options",
        value_name = "FILE"
    )]
    config: Option<PathBuf>,

    /// PostgreSQL in place of the data folder's database, as `postgres://USER@HOST/NAME`. Others on this machine see
    /// arguments: put a URL with a password into a settings file or `FOREWORD_STORE__DATABASE`
    #[arg(long, global = true, help_heading = "Global options", value_name = "URL")]
    pub(crate) database: Option<String>,

    /// A setting, over environment and file: `--set train.neighbours=200`; may be given several times
    #[arg(long, global = true, help_heading = "Global options", value_name = "SECTION.KEY=VALUE")]
    set: Vec<String>,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up a demo shop with simulated readers, train, serve, open its web shop, and show what to try
    Demo(Listening),
    /// Serve recommendations over gRPC
    Serve(Serve),
    /// Open the web shop, which asks a running service what to put on its shelves
    Marketplace(Shop),
    /// Read a shop's books and events into the store
    #[command(subcommand)]
    Import(ImportSource),
    /// Learn a model from the store's events and put it into service
    Train(Train),
    /// Choose the settings of training on a part held out, then train with them
    Tune(Tune),
    /// Recommend books to one reader: asks the running server, else reads the store
    Recommend(Recommend),
    /// Measure the quality of the rankings, beside popularity and item-based neighbours
    Evaluate(Evaluate),
    /// Ask two recommenders about the same readers, and tell how alike their lists are
    Compare(Box<Compare>),
    /// Measure load, events and trainings of a service, and how models grow and open
    #[command(subcommand)]
    Bench(Bench),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Write the whole shop into one file, while the service runs
    Backup(Backup),
    /// Bring a backup back, into an empty data folder or database
    Restore(Restore),
    /// Bring the schema of the store up to date, before services of a newer version start
    #[command(after_help = MIGRATE)]
    Migrate(Output),
    /// Give back the room of what was deleted, and leave nothing of it in the files
    #[command(after_help = backup::COMPACT)]
    Compact(Output),
    /// Write certificates to try TLS with: an authority, a server's and a client's
    Certs(Certs),
    /// Print the script that completes this program's arguments in a shell
    Completions(Completions),
    /// Print or write manual pages
    Man(ManPages),
}

/// Where to listen.
#[derive(Args, Debug)]
pub(crate) struct Listening {
    /// Where to listen: HOST:PORT, unix:PATH or systemd; may be given several times [default: localhost:50051]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Vec<String>,

    /// Allow addresses that other machines can reach, without any authentication
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// `marketplace`.
#[derive(Args, Debug)]
pub(crate) struct Shop {
    /// Where to listen: HOST:PORT, unix:PATH or systemd; may be given several times [default: localhost:5000]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Vec<String>,

    /// Where the service is: `http://HOST:PORT`, `https://HOST:PORT` or unix:PATH [default: the host in `RECOMMENDATIONS_HOST`, else localhost; port 50051]
    #[arg(long, value_name = "URL")]
    pub(crate) recommendations: Option<String>,

    /// Let other machines reach a demo, where anybody can be any reader
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// `serve`.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) listening: Listening,

    /// Print every setting with its default and its meaning, whatever is set, and end
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) print_config: bool,

    /// Check the settings that are set and the files that they name, print what differs from the
    /// defaults, and end; exit code 4 if a service would not start
    #[arg(long)]
    pub(crate) check_config: bool,

    /// With --check-config, print JSON for scripts instead of a table
    #[arg(long, requires = "check_config")]
    pub(crate) json: bool,
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Print JSON for scripts instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// `train`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Train {
    /// Train for the service that started this, which tells the settings on standard input
    #[arg(long, hide = true)]
    pub(crate) beside_serve: bool,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// `import`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportSource {
    /// The goodbooks-10k data set as published: books, ratings, to-read marks, genres; plain or .gz
    Goodbooks {
        /// Folder of the files
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
    /// Any shop's books and interactions as CSV, plain, .gz or .zst
    Csv {
        /// One book a row: book, title; authors, year, language, categories, series, volume, work, isbn, cover, publisher, stock, price, currency, `min_age`
        #[arg(long, value_name = "FILE")]
        books: PathBuf,
        /// One interaction a row: user, book; kind, rating, time (RFC 3339 or Unix seconds), `event_id`
        #[arg(long, value_name = "FILE")]
        interactions: PathBuf,
        /// A column by another name: `--column user=customer_id`, `--column books.book=isbn`
        #[arg(long = "column", value_name = "FIELD=COLUMN")]
        columns: Vec<String>,
        #[command(flatten)]
        options: ImportOptions,
    },
    /// The CSV file that a reader can export from Goodreads
    Goodreads {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Id of the user whose books these are
        #[arg(long = "user", value_name = "NAME")]
        user: String,
        #[command(flatten)]
        options: ImportOptions,
    },
}

/// How to import.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ImportOptions {
    /// Store the good rows even if some are refused (exit code 3); otherwise nothing is stored then
    #[arg(long)]
    pub(crate) keep_going: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `recommend`.
#[derive(Args, Debug)]
pub(crate) struct Recommend {
    /// Id of the user
    #[arg(long, value_name = "ID")]
    pub(crate) user: String,
    /// Only books in this category; may be given several times: any of them
    #[arg(long, value_name = "SLUG")]
    pub(crate) category: Vec<String>,
    /// How many books
    #[arg(short = 'n', long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) number: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to tune on, and for how long.
#[derive(Args, Debug)]
pub(crate) struct Tune {
    /// Choose settings for these interactions (LightGCN format, plain or .gz) and train nothing
    #[arg(long, value_name = "FILE")]
    pub(crate) train: Option<PathBuf>,
    /// How many seconds may be spent on trials; the trial under way is finished
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub(crate) budget: u64,
    /// The part of each user's interactions that is held out to choose by
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    pub(crate) holdout: f64,
    /// Seed of the holdout
    #[arg(long, default_value_t = 11, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// The most users that lists are judged of
    #[arg(long, default_value_t = 20_000, value_name = "NUMBER")]
    pub(crate) users: usize,
    /// Choose and report, but train nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the chosen settings into this file, to be given as --config
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

impl Arguments {
    /// What the settings are read from.
    pub(crate) fn sources(&self) -> Sources {
        let mut sources = Sources::of_process(self.config.as_deref());
        for assignment in &self.set {
            sources.set(assignment);
        }
        if let Some(database) = &self.database {
            sources.set(format!("store.database={database}"));
        }
        sources
    }

    /// The settings of a measurement, and the flags by which another process of this program reads
    /// the same. A measurement writes: whatever environment and file say, it uses this database, or
    /// for an empty text the folder.
    pub(crate) fn settings_in(&self, database: &str) -> Result<(Settings, Vec<OsString>)> {
        let database = format!("store.database={database}");
        let mut sources = self.sources();
        sources.set(&database);
        let settings = sources.read()?;
        log::start(settings.log.format, Levels::warnings());
        let config = self.config.iter().flat_map(|path| ["--config".into(), path.into()]);
        let set = self.set.iter().chain([&database]).flat_map(|one| ["--set".into(), one.into()]);
        Ok((settings, config.chain(set).collect()))
    }

    /// The settings, from flags, environment and file, of a command that ends by itself: its log
    /// tells only what is wrong.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let settings = self.sources().read()?;
        log::start(settings.log.format, Levels::warnings());
        Ok(settings)
    }

    /// The data folder.
    pub(crate) fn data_folder(&self) -> Result<DataFolder> {
        match &self.data_dir {
            Some(path) => Ok(DataFolder::new(path)),
            None => DataFolder::of_platform()
                .context("this account has no home folder; say where the data is with --data-dir"),
        }
    }
}
