//! Settings in force while the service runs, and what a reload changes of them.
//!
//! Who can take up a change while running reads [`LiveSettings::current`] where it needs a value,
//! once for each call or decision, and keeps no copy; what is compiled or built from settings is
//! made anew in `Running::follow` (`serve/running.rs`). The keys for which one of the two holds are
//! in [`APPLIED`]: a key that is not there keeps the value that it had at the start, in `current` as
//! well, until a restart. So add the row in the same change as the reader.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::layers::{Entry, Layers};
use super::reference::KeyPath;
use super::text::dotted;
use super::{Settings, SettingsError};

/// What takes up a change while running: keys, or tables that are free, and who applies them. Not
/// which ways in there are, nor whose tokens are taken: a file that is cut off must not open what
/// it closed.
const APPLIED: [(&str, &str); 23] = [
    ("access.certificate_roles", AUTHENTICATION),
    ("access.certificates", AUTHENTICATION),
    ("access.jwt_leeway_ms", AUTHENTICATION),
    ("access.jwt_roles_claim", AUTHENTICATION),
    ("limits.calls_burst", LIMITS),
    ("limits.calls_per_second", LIMITS),
    ("limits.deadline_default_ms", LIMITS),
    ("limits.deadline_max_ms", LIMITS),
    ("limits.open_calls_max", LIMITS),
    ("limits.open_calls_per_identity_max", LIMITS),
    ("log.levels", "the log, unless FOREWORD_LOG is set"),
    ("retrain.events_share", RETRAINING),
    ("retrain.latest_ms", RETRAINING),
    ("retrain.on", RETRAINING),
    ("retrain.pause_ms", RETRAINING),
    ("retrain.pause_ratio", RETRAINING),
    ("retrain.quiet_ms", RETRAINING),
    ("retrain.retry_max_ms", RETRAINING),
    ("retrain.retry_ms", RETRAINING),
    ("retrain.soon_ms", RETRAINING),
    ("serve.list_entries_max", HANDLERS),
    ("serve.results_default", HANDLERS),
    ("serve.results_max", HANDLERS),
];

const AUTHENTICATION: &str = "authentication, from the next call on";
const LIMITS: &str = "the limits, from the next call on";
const RETRAINING: &str = "the schedule of trainings, from its next look on";
const HANDLERS: &str = "the handlers, from the next call on";

/// The settings in force. Cloning is cheap, and all clones are the same.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    current: ArcSwap<Settings>,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// Each key that has another value, in the order of their names.
    pub changes: Vec<Change>,
}

impl Reloaded {
    /// Whether it put a key into force that begins with `prefix`.
    #[must_use]
    pub fn touches(&self, prefix: &str) -> bool {
        let is_touched = |change: &&Change| {
            change.effect != Effect::NeedsRestart && change.key.starts_with(prefix)
        };
        self.changes.iter().any(|change| is_touched(&change))
    }
}

/// A key with another value than the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// What came of it.
    pub effect: Effect,
}

/// What comes of a changed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is in force now.
    Applied {
        /// Who applies it.
        by: &'static str,
    },
    /// The value before stays until the service is started again.
    NeedsRestart,
}

impl LiveSettings {
    /// These settings, until they are reloaded.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { shared: Arc::new(Shared { current: ArcSwap::from_pointee(settings) }) }
    }

    /// What is in force now.
    #[must_use]
    pub fn current(&self) -> Arc<Settings> {
        self.shared.current.load_full()
    }

    /// Reads the settings again from where they are from, and takes up what can be. Reads files,
    /// so it does not belong on a thread that serves. One reload at a time.
    ///
    /// # Errors
    ///
    /// As [`super::Sources::read`]; then everything stays as it was.
    pub fn reload(&self) -> Result<Reloaded, SettingsError> {
        let current = self.current();
        let sources = Arc::clone(&current.origin.sources);
        // All of it must be good, not only what is taken up: the next start would fail.
        let read = sources.read()?;
        let mut layers = Layers::clone(&read.origin.layers);
        let changes = mix(&current.origin.layers, &mut layers);
        let settings = Settings::of(layers, sources)?;
        self.shared.current.store(Arc::new(settings));
        Ok(Reloaded { changes })
    }
}

/// Puts the old value back wherever a new one needs a restart.
fn mix(old: &Layers, new: &mut Layers) -> Vec<Change> {
    let mut keys: Vec<KeyPath> = old.entries.keys().chain(new.entries.keys()).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    let mut changes = Vec::new();
    for key in keys {
        let (before, after) = (old.entries.get(&key), new.entries.get(&key));
        let value = |entry: Option<&Entry>| entry.map(|entry| entry.value.to_string());
        if value(before) == value(after) {
            continue;
        }
        let effect = effect(&key);
        if effect == Effect::NeedsRestart {
            match before {
                Some(before) => new.entries.insert(key.clone(), before.clone()),
                None => new.entries.remove(&key),
            };
        }
        changes.push(Change { key: dotted(&key), effect });
    }
    changes
}

fn effect(key: &KeyPath) -> Effect {
    let begins = |prefix: &str| {
        let mut parts = key.iter();
        prefix.split('.').all(|part| parts.next().is_some_and(|other| other == part))
    };
    let found = APPLIED.iter().find(|(prefix, _)| begins(prefix));
    found.map_or(Effect::NeedsRestart, |(_, by)| Effect::Applied { by })
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    /// Reloads after the file changed, and tells what came of it.
    fn check(before: &str, after: &str, expected: &[(&str, &str)]) -> Arc<Settings> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), before).unwrap();
        let live = LiveSettings::new(Sources::new(Some(file.path()), []).read().unwrap());
        std::fs::write(file.path(), after).unwrap();
        let found: Vec<(String, &str)> = match live.reload() {
            Ok(Reloaded { changes }) => changes
                .into_iter()
                .map(|Change { key, effect }| {
                    let applied = effect != Effect::NeedsRestart;
                    (key, if applied { "applied" } else { "restart" })
                })
                .collect(),
            Err(error) => vec![(error.to_string(), "refused")],
        };
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, what)| (key.as_str(), *what)).collect();
        assert_eq!(found, expected);
        live.current()
    }

    #[test]
    fn what_can_be_taken_up_is_and_the_rest_stays() {
        let settings = check(
            "",
            "[limits]\nopen_calls_max = 20001\n[train]\nthreads = 3\n[serve]\nresults_max = 50",
            &[
                ("limits.open_calls_max", "applied"),
                ("serve.results_max", "applied"),
                ("train.threads", "restart"),
            ],
        );
        assert_eq!(settings.limits.open_calls_max.get(), 20_001);
        assert_eq!((settings.serve.results_max.get(), settings.train.threads), (50, 0));
        check("[train]\nthreads = 3", "", &[("train.threads", "restart")]);
        check("[train]\nthreads = 3", "# the same\n[train]\nthreads = 3", &[]);
    }

    #[test]
    fn every_row_is_a_key_of_the_reference_and_is_told_to_operators() {
        let keys: Vec<String> =
            Settings::read(None).unwrap().shown().into_iter().map(|one| one.key).collect();
        let operating = include_str!("../../../../docs/operating.md");
        for (key, _) in APPLIED {
            let is_key = keys.iter().any(|one| one == key) || key == "access.certificates";
            assert!(is_key, "{key}");
            assert!(operating.contains(&format!("`{key}`")), "docs/operating.md lacks {key}");
        }
    }

    #[test]
    fn a_bad_file_changes_nothing() {
        let file = "[limits]\nopen_calls_max = 300000\n[train]\nthreads = 5000";
        let live = LiveSettings::new(Sources::new(None, []).read().unwrap());
        let before = live.current();
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), "").unwrap();
        let live = LiveSettings::new(Sources::new(Some(path.path()), []).read().unwrap());
        std::fs::write(path.path(), file).unwrap();
        let error = live.reload().unwrap_err().to_string();
        assert!(error.contains("train.threads is 5000, expected 0 to 1024"), "{error}");
        assert_eq!(live.current().limits, before.limits);
    }
}
