//! The layers of settings, merged: for each key, the value of the highest and where it is from.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::check::{Check, OutOfRange};
use super::deserialize;
use super::problem::{LISTED_MAX, Problem, Problems};
use super::reference::{BUILT_IN, KeyPath, Kind, Place, Reference};
use super::secret::MASK;
use super::shown::Shown;
use super::source::{Source, Sources};
use super::text::{dotted, excerpt, kind};
use super::{SettingsError, environment, file, flags, preset};

/// One value and where it is from.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) source: Source,
}

/// Every key's value, and what is wrong so far.
#[derive(Clone)]
pub(super) struct Layers {
    /// The keys that there are.
    pub(super) reference: &'static Reference,
    pub(super) entries: BTreeMap<KeyPath, Entry>,
    /// Keys whose values nobody may see.
    pub(super) secret: BTreeSet<KeyPath>,
    /// What tuning chose for keys of `[train]`, taken or not.
    pub(super) tuned: Option<Table>,
    problems: Problems,
}

impl Default for Layers {
    fn default() -> Self {
        let (entries, secret) = Default::default();
        Self { reference: &BUILT_IN, entries, secret, tuned: None, problems: Problems::default() }
    }
}

impl Layers {
    /// The reference, over it the file, over it the environment, over it what was handed over, over
    /// it the flags; `T` is what it is read as in the end, and knows which keys are secret.
    pub(super) fn of<T: DeserializeOwned>(
        reference: &'static Reference,
        sources: &Sources,
    ) -> Self {
        let mut layers = Self { reference, ..Self::default() };
        for (path, value) in reference.defaults() {
            let entry = Entry { value: value.clone(), source: Source::Default };
            layers.entries.insert(path.clone(), entry);
        }
        // A defect of the reference is told by the read that follows.
        let _: Result<T, _> = layers.deserialize();
        if let Some(path) = &sources.file {
            file::add(path, &mut layers);
        }
        environment::add(&sources.variables, &mut layers);
        for (path, value) in &sources.handed {
            layers.put(path.clone(), value.clone(), &|_| Source::Handed);
        }
        flags::add(sources, &mut layers);
        preset::fill(&mut layers);
        layers
    }

    /// Puts a value over what is there, unless the key is unknown or takes another kind.
    pub(super) fn put(
        &mut self,
        path: KeyPath,
        value: Value,
        source_of: &dyn Fn(&KeyPath) -> Source,
    ) {
        match (self.reference.place(&path), value) {
            (Place::Section | Place::Key(Kind::Free), Value::Table(table)) => {
                self.put_all(&path, table, source_of);
            }
            (Place::Elsewhere, _) => {}
            (Place::Unknown, Value::Table(table)) if !table.is_empty() => {
                self.put_all(&path, table, source_of);
            }
            (Place::Unknown, _) => self.unknown(&path, &source_of(&path)),
            (Place::Section, value) => {
                let expected = format!("a table: [{}]", dotted(&path));
                self.misfit(&path, &value, &expected, &source_of(&path));
            }
            (Place::Key(kind), value) if !kind.takes(&value) => {
                self.misfit(&path, &value, kind.expected(), &source_of(&path));
            }
            (Place::Key(_) | Place::InFree, value) => {
                let source = source_of(&path);
                self.entries.insert(path, Entry { value, source });
            }
        }
    }

    /// Takes values for keys of one section that nobody has set, a preset that somebody set
    /// included.
    pub(super) fn fill(&mut self, section: &str, values: &Table, source: &Source) {
        for (key, value) in values {
            let path = vec![section.to_owned(), key.clone()];
            let is_free = |entry: &Entry| entry.source == Source::Default;
            if self.entries.get(&path).is_some_and(is_free) {
                self.put(path, value.clone(), &|_| source.clone());
            }
        }
    }

    fn put_all(&mut self, path: &KeyPath, table: Table, source_of: &dyn Fn(&KeyPath) -> Source) {
        for (key, value) in table {
            let mut path = path.clone();
            path.push(key);
            self.put(path, value, source_of);
        }
    }

    pub(super) fn unknown(&mut self, path: &KeyPath, source: &Source) {
        // What is not listed is not compared: a file may have any number of them.
        let is_listed = self.problems.list().len() < LISTED_MAX;
        let nearest = if is_listed { self.reference.nearest(path) } else { None };
        let (key, place) = (dotted(path), source.place());
        self.problems.push(Problem::Unknown { key, place, nearest });
    }

    pub(super) fn other(&mut self, text: String) {
        self.problems.push(Problem::Other(text));
    }

    fn misfit(&mut self, path: &KeyPath, value: &Value, expected: &str, source: &Source) {
        let found = self.found(path, value);
        let (key, place) = (dotted(path), source.place());
        self.problems.push(Problem::Value { key, found, expected: expected.to_owned(), place });
    }

    /// A value for a message; only what it is, if it is secret or may be.
    fn found(&self, path: &KeyPath, value: &Value) -> String {
        if self.is_told(path) { excerpt(value) } else { kind(value).to_owned() }
    }

    /// Whether values of this key may be in messages: what a free table holds is known only once
    /// it is read.
    fn is_told(&self, path: &KeyPath) -> bool {
        let is_free = matches!(
            self.reference.place(path),
            Place::InFree | Place::Section | Place::Key(Kind::Free)
        );
        !is_free && self.is_shown(path)
    }

    /// Whether values of this key may be seen.
    pub(super) fn is_shown(&self, path: &KeyPath) -> bool {
        let of_secret = |secret: &KeyPath| path.starts_with(secret) || secret.starts_with(path);
        !self.secret.iter().any(of_secret)
    }

    /// The settings, if nothing is wrong so far.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Result<T, SettingsError> {
        match self.deserialize_or_tell() {
            Some(settings) if self.problems.list().is_empty() => Ok(settings),
            _ => Err(SettingsError(self.problems.clone())),
        }
    }

    /// The settings; each value that does not fit is told, and its default taken, to find the
    /// next one.
    fn deserialize_or_tell<T: DeserializeOwned>(&mut self) -> Option<T> {
        for _ in 0..=LISTED_MAX {
            let fault = match self.deserialize() {
                Ok(settings) => return Some(settings),
                Err(fault) => fault,
            };
            let at = (0..=fault.path.len()).rev().map(|length| fault.path[..length].to_vec());
            let at = at.into_iter().find(|path| self.entries.contains_key(path));
            let entry = at.and_then(|path| Some((self.entries.remove(&path)?, path)));
            let Some((entry, path)) = entry else {
                self.other(format!("{}: {}", dotted(&fault.path), fault.text()));
                return None;
            };
            let (key, place) = (dotted(&fault.path), entry.source.place());
            let is_told = self.is_told(&path);
            self.problems.push(match fault.expected {
                Some(expected) => {
                    let found = fault.found.filter(|_| is_told);
                    let found = found.unwrap_or_else(|| kind(&entry.value).to_owned());
                    Problem::Value { key, found, expected, place }
                }
                None if is_told => Problem::Other(format!("{key}: {} (in {place})", fault.message)),
                None => Problem::Other(format!(
                    "{key} cannot be used (in {place}); its value is not shown, as it may be secret"
                )),
            });
            match (entry.source, self.reference.default_of(&path)) {
                (Source::Default, _) => return None,
                (_, Some(default)) => {
                    let entry = Entry { value: default.clone(), source: Source::Default };
                    self.entries.insert(path, entry);
                }
                (_, None) => {}
            }
        }
        None
    }

    fn deserialize<T: DeserializeOwned>(&mut self) -> Result<T, deserialize::Fault> {
        let (result, secret) = deserialize::read(&Value::Table(self.table()));
        self.secret.extend(secret);
        result
    }

    /// Every key with its value, secrets masked.
    pub(super) fn shown(&self) -> Vec<Shown> {
        let is_filled = |path: &KeyPath| {
            let mut after = self.entries.range(path.clone()..).skip(1);
            after.next().is_some_and(|(next, _)| next.starts_with(path))
        };
        // A free table that is not empty is shown by its keys.
        let shown =
            self.entries.iter().filter(|(path, _)| !is_filled(path)).map(|(path, entry)| {
                let value = entry.value.to_string();
                let is_set = value != "\"\"";
                Shown {
                    key: dotted(path),
                    value: if is_set && !self.is_shown(path) { MASK.to_owned() } else { value },
                    source: entry.source.to_string(),
                    is_default: self.reference.default_of(path) == Some(&entry.value),
                }
            });
        shown.collect()
    }

    /// All values as one table.
    fn table(&self) -> Table {
        let mut whole = Table::new();
        for (path, entry) in &self.entries {
            let Some((key, sections)) = path.split_last() else { continue };
            let mut table = &mut whole;
            for section in sections {
                let inner =
                    table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
                if !inner.is_table() {
                    *inner = Value::Table(Table::new());
                }
                let Value::Table(inner) = inner else { unreachable!("it was just made one") };
                table = inner;
            }
            table.insert(key.clone(), entry.value.clone());
        }
        whole
    }

    /// Tells every value that cannot be used, with its place; of a secret, nothing but that.
    pub(super) fn refuse(&self, check: Check) -> Result<(), SettingsError> {
        if check.wrong.is_empty() {
            return Ok(());
        }
        let mut problems = Problems::default();
        for OutOfRange { key, found, expected } in check.wrong {
            let path: KeyPath = key.split('.').map(str::to_owned).collect();
            let found = if self.is_shown(&path) { found } else { MASK.to_owned() };
            let place = self.entries.get(&path).map(|entry| entry.source.place());
            let place = place.unwrap_or_default();
            problems.push(Problem::Value { key: key.to_owned(), found, expected, place });
        }
        Err(SettingsError(problems))
    }
}
