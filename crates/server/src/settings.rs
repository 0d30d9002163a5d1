//! Settings: read here and nowhere else. Flags, over the environment, over the file, over the
//! defaults.
//!
//! The commented defaults in `settings.toml` are the reference: they are parsed like any
//! other file, so that what is printed is what is used, and they alone say which keys there are
//! and what kind of value each takes. A new section is a table there and a struct here; nothing
//! else has a list of keys. A table that is empty in the reference is free: its keys are any text.
//! A key that holds a [`Secret`] is masked wherever it is shown.
//!
//! [`LiveSettings`] holds what is in force while the service runs, and reads it anew.

mod access;
mod admin;
mod check;
mod content;
mod deserialize;
mod environment;
mod events;
mod executor;
mod file;
mod flags;
mod handed;
mod layers;
mod limits;
mod live;
mod log;
mod preset;
mod problem;
mod reference;
mod retrain;
mod secret;
mod shelf;
mod shown;
mod source;
mod text;
mod tls;
mod traces;
mod train;
mod transport;
pub mod trial;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::time::Duration;

use recommender::EventWeights;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use storage::{DatabaseUrl, StoreSettings};

pub use ::transport::Address;
pub use access::AccessSection;
use check::Check;

pub use self::shelf::ShelfSection;
pub use admin::AdminSection;
pub use content::ContentSection;
pub use events::{EventsSection, REQUEST_ENTRIES_MAX};
pub use executor::ExecutorSection;
pub use limits::{LimitsSection, Rate};
pub use live::{Change, Effect, LiveSettings, Reloaded};
pub use log::{LogFormat, LogSection};
pub use problem::{Problem, Problems};
pub use reference::Reference;
pub use retrain::RetrainSection;
pub use secret::{MASK, Secret};
pub use shown::Shown;
pub use source::{Source, Sources};
pub use tls::TlsSection;
pub use traces::TracesSection;
pub use train::Train;
pub use transport::TransportSection;

/// Every key with its default and its meaning, as TOML.
pub const REFERENCE: &str = include_str!("settings.toml");

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The service.
    pub serve: Serve,
    /// Events on their way into the store.
    pub events: EventsSection,
    /// The port for operators.
    pub admin: AdminSection,
    /// The log.
    pub log: LogSection,
    /// Traces of calls.
    pub traces: TracesSection,
    /// Connections.
    pub transport: TransportSection,
    /// How many calls are taken on.
    pub limits: LimitsSection,
    /// Certificates.
    pub tls: TlsSection,
    /// Who may do what.
    pub access: AccessSection,
    /// What the handlers run on.
    pub executor: ExecutorSection,
    /// The tutorial's categories: the slugs that each stands for.
    pub categories: Categories,
    /// How much each kind of event says.
    pub weights: Weights,
    /// The steps between scores and a shelf.
    pub shelf: ShelfSection,
    /// Training.
    pub train: Train,
    /// Training while the service runs.
    pub retrain: RetrainSection,
    /// What the catalogue says about books that few users have met.
    pub content: ContentSection,
    /// Model files.
    pub models: Models,
    /// The database.
    pub store: StoreSection,
    /// Where each value is from.
    #[serde(skip)]
    origin: shown::Origin,
}

/// The service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    /// Where to listen.
    #[serde(deserialize_with = "addresses")]
    pub listen: Vec<Address>,
    /// Results of a request that does not say how many it wants.
    pub results_default: NonZeroU32,
    /// The most results a request may ask for.
    pub results_max: NonZeroU32,
    /// The most events of one user that are read for a request.
    pub history_events_max: NonZeroU32,
    /// The most entries in each list of a request.
    pub list_entries_max: usize,
    poll_ms: NonZeroU32,
}

/// The slugs that the tutorial's categories stand for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// `MYSTERY`.
    pub mystery: Vec<String>,
    /// `SCIENCE_FICTION`.
    pub science_fiction: Vec<String>,
    /// `SELF_HELP`.
    pub self_help: Vec<String>,
}

/// How much each kind of event says; see [`EventWeights`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    view: f32,
    want_to_read: f32,
    cart: f32,
    purchase: f32,
    finish: f32,
    rating: [f32; 5],
    dismiss: f32,
    abandon: f32,
    r#return: f32,
}

/// Model files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Models {
    /// How many versions are kept.
    pub keep: NonZeroUsize,
}

/// The database; see [`StoreSettings`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    /// The database's URL; empty for the one in the data folder.
    pub database: Secret,
    readers: NonZeroU32,
    busy_timeout_ms: u32,
    acquire_timeout_ms: u32,
    cache_kib: u32,
    history_cache_mib: u16,
    writer_cache_kib: u32,
}

/// Why settings cannot be used: every key at fault, what was found and expected, and where.
#[derive(Debug, thiserror::Error)]
#[error("bad settings: {0}")]
pub struct SettingsError(pub Problems);

impl SettingsError {
    /// Each thing that is wrong, on a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.list().iter().map(ToString::to_string).collect()
    }
}

impl Settings {
    /// Reads the settings of this process: the defaults, over them `file` if there is one, over
    /// them the environment.
    ///
    /// # Errors
    ///
    /// As [`Sources::read`].
    pub fn read(file: Option<&Path>) -> Result<Self, SettingsError> {
        Sources::of_process(file).read()
    }

    fn check(&self) -> Check {
        let mut check = Check::default();
        self.train.check(&mut check);
        self.retrain.check(&mut check);
        self.content.check(&mut check);
        let (default, max) = (self.serve.results_default, self.serve.results_max);
        check.expect("serve.results_default", default, default <= max, "at most serve.results_max");
        check.expect("serve.results_max", max, max.get() <= 10_000, "1 to 10000");
        self.events.check(&mut check);
        self.executor.check(&mut check);
        self.transport.check(&mut check);
        self.limits.check(&mut check);
        self.tls.check(&mut check);
        self.access.check(&self.tls, &mut check);
        self.shelf.check(&mut check);
        self.log.check(&mut check);
        self.traces.check(&mut check);
        self.store.check(&mut check);
        check.expect(
            "serve.listen",
            "empty",
            !self.serve.listen.is_empty(),
            "at least one address",
        );
        for (key, weight) in self.weights.by_key() {
            // Products of tiny weights would underflow, and be taken for nothing at all.
            let fits = weight == 0.0 || (1e-6..=10.0).contains(&weight.abs());
            check.expect(key, weight, fits, "0, or 0.000001 to 10 above or below it");
        }
        check
    }
}

impl Serve {
    /// How often to look for a new model, changed books or changed rules.
    #[must_use]
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms.get().into())
    }
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Address>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

impl Weights {
    /// The weights as the engine takes them.
    #[must_use]
    pub fn engine(&self) -> EventWeights {
        EventWeights {
            view: self.view,
            want_to_read: self.want_to_read,
            cart: self.cart,
            purchase: self.purchase,
            finish: self.finish,
            rating: self.rating,
            dismiss: self.dismiss,
            abandon: self.abandon,
            returned: self.r#return,
        }
    }

    fn by_key(&self) -> impl Iterator<Item = (&'static str, f32)> {
        let Self { view, want_to_read, cart, purchase, finish, dismiss, abandon, r#return, .. } =
            *self;
        let single = [
            ("weights.view", view),
            ("weights.want_to_read", want_to_read),
            ("weights.cart", cart),
            ("weights.purchase", purchase),
            ("weights.finish", finish),
            ("weights.dismiss", dismiss),
            ("weights.abandon", abandon),
            ("weights.return", r#return),
        ];
        single.into_iter().chain(self.rating.map(|weight| ("weights.rating", weight)))
    }
}

impl StoreSection {
    /// The most bytes of what is known of readers, in memory.
    #[must_use]
    pub fn history_cache_bytes(&self) -> usize {
        usize::from(self.history_cache_mib) << 20
    }

    /// Whether the database is a file in the data folder.
    #[must_use]
    pub fn is_in_folder(&self) -> bool {
        self.database.is_empty()
    }

    fn check(&self, check: &mut Check) {
        let parsed = DatabaseUrl::parse(self.database.expose());
        if let Some(wrong) = parsed.err().filter(|_| !self.is_in_folder()) {
            check.expect("store.database", MASK, false, wrong.expected);
        }
    }

    /// The limits as the store takes them.
    #[must_use]
    pub fn limits(&self) -> StoreSettings {
        StoreSettings {
            readers: self.readers,
            busy_timeout: Duration::from_millis(self.busy_timeout_ms.into()),
            acquire_timeout: Duration::from_millis(self.acquire_timeout_ms.into()),
            cache_kib: self.cache_kib,
            writer_cache_kib: self.writer_cache_kib,
        }
    }
}

#[cfg(test)]
mod sources_tests;

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn check(text: &str, expected: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let error = Settings::read(Some(file.path())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn the_reference_is_complete_and_valid() {
        let settings = Settings::read(None).unwrap();
        assert_eq!(settings.serve.results_default.get(), 10);
        assert_eq!(settings.models.keep.get(), 3);
    }

    #[test]
    fn a_bad_value_or_an_unknown_key_is_named() {
        check("[train]\nneighbour = 3", "unknown key train.neighbour in");
        check("[train]\nneighbours = \"many\"", "train.neighbours is \"many\", expected a whole");
        check("[train]\nuser_exponent = 7.0", "train.user_exponent is 7, expected 0 to 2");
        check("[weights]\nrating = [0, 0, 0, 1, 99]", "weights.rating is 99, expected 0, or");
        check("[weights]\nrating = [nan, 0, 0, 1, 1]", "weights.rating is NaN");
        check("[weights]\nview = 1e-30", "weights.view is");
        check("[serve]\nresults_default = 500", "serve.results_default is 500");
        check(
            "[retrain]\nquiet_ms = 9000",
            "retrain.quiet_ms is 9000, expected at most retrain.soon_ms",
        );
        check("[retrain]\npause_ratio = nan", "retrain.pause_ratio is NaN, expected 0 to 1000");
        check("[store]\nreaders = 0", "store.readers is 0, expected a whole number from 1 to");
        check("[serve]\nlisten = [\"localhost\"]", "serve.listen: \"localhost\" is no address");
        check("[tls]\nkey = \"server.key\"", "tls.certificate is empty, expected a file, because");
        check("[transport]\nweb_origins = [\"shop\"]", "transport.web_origins");
        check("[access]\njwt_leeway_ms = 300001", "access.jwt_leeway_ms is 300001");
        check("[access]\njwt_roles_claim = \"\"", "access.jwt_roles_claim is empty");
        let expected = "access.certificate_roles: found \"editor\", expected reader, writer or";
        check("[access]\ncertificate_roles = [\"editor\"]", expected);
        let table = |name: &str| format!("[access.certificates]\n{name:?} = [\"reader\"]");
        check(&table("marketplace"), "access.certificates is marketplace, expected names such as");
        check(
            &table("dns:marketplace"),
            "access.certificates is not empty, expected tls.client_ca",
        );
        check("[transport]\nmessage_bytes_max = 99999999", "transport.message_bytes_max is");
    }

    #[test]
    fn the_executors_limits_are_held_against_the_workers_that_stay() {
        let expected = "executor.workers_max is 300, expected more than executor.workers, which \
            is 300 here, and at most 10000";
        check("[executor]\nworkers = 300\nworkers_max = 300", expected);
        check("[executor]\nworkers_max = 10001", "executor.workers_max is 10001");
        check("[executor]\njobs_max = 15", "executor.jobs_max is 15, expected at least 16");
    }

    #[test]
    fn zero_workers_go_by_the_machine() {
        let machine = unstall::Settings::for_this_machine();
        let settings = Settings::read(None).unwrap().executor.settings();
        assert_eq!(settings.workers, machine.workers);
        assert_eq!(settings.workers_max, machine.workers_max);
    }

    #[test]
    fn a_part_is_read_from_the_same_file_and_neither_looks_at_the_others_sections() {
        #[derive(Debug, Deserialize)]
        struct Part {
            marketplace: toml::Table,
        }
        static PART: LazyLock<reference::Reference> =
            LazyLock::new(|| reference::Reference::of_part("[marketplace]\ntitle = 'Books'"));
        let read = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let sources = Sources::new(Some(file.path()), []);
            (sources.read(), sources.read_part::<Part>(&PART))
        };
        let (service, part) = read("[serve]\npoll_ms = 7\n[marketplace]\ntitle = 'Ours'");
        assert_eq!(service.unwrap().serve.poll(), Duration::from_millis(7));
        assert_eq!(part.unwrap().marketplace["title"].as_str(), Some("Ours"));
        let (service, part) = read("[marketplace]\ntitel = 'Ours'");
        assert!(service.is_ok());
        let error = part.unwrap_err().to_string();
        assert!(error.contains("unknown key marketplace.titel"), "{error}");
        let (service, part) = read("[market]\ntitle = 'Ours'");
        assert!(service.is_err() && part.is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let error = Settings::read(Some(Path::new("no/such/file.toml"))).unwrap_err().to_string();
        assert_eq!(
            error,
            "bad settings: settings file no/such/file.toml does not exist; --config or FOREWORD_CONFIG names it"
        );
    }
}
