//! The keys there are, by the reference itself: no list of them is kept anywhere else.
//!
//! A table that is empty in the reference is free: its keys are any text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::{Table, Value};

use super::REFERENCE;
use super::text::dotted;

/// A key from its section down.
pub(super) type KeyPath = Vec<String>;

/// What a key takes, by its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Number,
    Switch,
    List,
    Date,
    /// A table with any keys.
    Free,
}

/// Sections of the same sources that another part of the program reads.
const ELSEWHERE: [&str; 1] = ["marketplace"];

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To a key.
    Key(Kind),
    /// To a key of a free table.
    InFree,
    /// To a table with keys of its own.
    Section,
    /// To a section that another part of the program reads.
    Elsewhere,
    /// Nowhere.
    Unknown,
}

/// Every key with its kind and its default.
#[derive(Debug)]
pub struct Reference {
    keys: BTreeMap<KeyPath, (Kind, Value)>,
    /// Sections that are not looked at.
    elsewhere: Vec<String>,
}

/// The reference that is built in.
pub(super) static BUILT_IN: LazyLock<Reference> = LazyLock::new(|| {
    // Read at each start, and so in every test.
    let table: Table = REFERENCE.parse().expect("the reference is TOML");
    Reference::new(table, ELSEWHERE.map(str::to_owned).to_vec())
});

impl Kind {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(_) => Self::Text,
            Value::Integer(_) => Self::Whole,
            Value::Float(_) => Self::Number,
            Value::Boolean(_) => Self::Switch,
            Value::Array(_) => Self::List,
            Value::Datetime(_) => Self::Date,
            Value::Table(_) => Self::Free,
        }
    }

    /// Whether a value is of this kind.
    pub(super) fn takes(self, value: &Value) -> bool {
        let found = Self::of(value);
        found == self || (self, found) == (Self::Number, Self::Whole)
    }

    /// In words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Switch => "true or false",
            Self::List => "a list, such as [\"one\", \"two\"]",
            Self::Date => "a date",
            Self::Free => "a table",
        }
    }
}

impl Reference {
    /// The keys of another part of the program, such as the web shop's, from its own commented
    /// defaults. The sections of the service are left alone then, as that part's are by the
    /// service.
    ///
    /// # Panics
    ///
    /// If the text is no TOML: a defect of the build.
    #[must_use]
    pub fn of_part(text: &str) -> Self {
        let table = text.parse().expect("the reference of a part is TOML");
        let sections = BUILT_IN.sections().into_iter().map(str::to_owned);
        Self::new(table, sections.collect())
    }

    /// The keys of a table, and sections that are read elsewhere.
    pub(super) fn new(table: Table, elsewhere: Vec<String>) -> Self {
        let mut keys = BTreeMap::new();
        collect(&mut Vec::new(), table, &mut keys);
        Self { keys, elsewhere }
    }

    /// Every key with its default.
    pub(super) fn defaults(&self) -> impl Iterator<Item = (&KeyPath, &Value)> {
        self.keys.iter().map(|(path, (_, value))| (path, value))
    }

    /// The default of a key.
    pub(super) fn default_of(&self, path: &[String]) -> Option<&Value> {
        self.keys.get(path).map(|(_, value)| value)
    }

    /// Where a path leads.
    pub(super) fn place(&self, path: &[String]) -> Place {
        if path.first().is_some_and(|section| self.elsewhere.contains(section)) {
            return Place::Elsewhere;
        }
        if let Some((kind, _)) = self.keys.get(path) {
            return Place::Key(*kind);
        }
        let is_free = |length| matches!(self.keys.get(&path[..length]), Some((Kind::Free, _)));
        if (1..path.len()).any(is_free) {
            return Place::InFree;
        }
        let mut below = self.keys.range(path.to_vec()..);
        match below.next() {
            Some((next, _)) if next.starts_with(path) => Place::Section,
            _ => Place::Unknown,
        }
    }

    /// The known key that an unknown one was most likely meant to be.
    pub(super) fn nearest(&self, path: &[String]) -> Option<String> {
        self.nearest_path(path).map(|path| dotted(path))
    }

    /// As [`Reference::nearest`], as a path.
    pub(super) fn nearest_path(&self, path: &[String]) -> Option<&KeyPath> {
        let meant: Vec<String> =
            path.iter().map(|part| part.to_lowercase().replace('-', "_")).collect();
        if meant.iter().map(String::len).sum::<usize>() > NAME_BYTES_MAX {
            return None;
        }
        let likeness = |known: &KeyPath| likeness(&meant, known);
        let best = self.keys.keys().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        best.filter(|known| likeness(known) >= LIKENESS_MIN)
    }

    /// The sections that begin a path.
    pub(super) fn sections(&self) -> Vec<&str> {
        let mut sections: Vec<&str> =
            self.keys.keys().filter_map(|path| path.first()).map(String::as_str).collect();
        sections.dedup();
        sections
    }
}

/// Longer names are nobody's slip of the pen, and would take long to compare.
const NAME_BYTES_MAX: usize = 200;

/// Below, a suggestion would only distract.
const LIKENESS_MIN: f64 = 0.75;

/// Abbreviations (`cert` for `certificate`) are less alike than slips of the pen.
const BEGINNING_LIKENESS_MIN: f64 = 0.85;

/// From 0 to 1: by what is to be typed anew; a key of the same name in another section is
/// likelier than any other.
fn likeness(meant: &[String], known: &KeyPath) -> f64 {
    let whole = strsim::normalized_damerau_levenshtein(&meant.join("."), &known.join("."));
    let (Some((meant_key, meant_in)), Some((known_key, known_in))) =
        (meant.split_last(), known.split_last())
    else {
        return 0.0;
    };
    if meant_key == known_key {
        return 0.9 + whole / 10.0;
    }
    if meant_in == known_in {
        let beginning = strsim::jaro_winkler(meant_key, known_key);
        return if beginning >= BEGINNING_LIKENESS_MIN {
            whole.max(beginning * 0.95)
        } else {
            whole
        };
    }
    whole
}

fn collect(path: &mut KeyPath, table: Table, keys: &mut BTreeMap<KeyPath, (Kind, Value)>) {
    for (key, value) in table {
        path.push(key);
        match value {
            Value::Table(inner) if !inner.is_empty() => collect(path, inner, keys),
            value => {
                keys.insert(path.clone(), (Kind::of(&value), value));
            }
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(dotted: &str) -> KeyPath {
        dotted.split('.').map(str::to_owned).collect()
    }

    fn check(unknown: &str, expected: Option<&str>) {
        let nearest = BUILT_IN.nearest(&path(unknown));
        assert_eq!(nearest.as_deref(), expected, "{unknown}");
    }

    #[test]
    fn the_nearest_key_is_what_was_most_likely_meant() {
        check("train.neighbour", Some("train.neighbours"));
        check("train.nieghbours", Some("train.neighbours"));
        check("serve.neighbours", Some("train.neighbours"));
        check("trian.neighbours", Some("train.neighbours"));
        check("neighbours", Some("train.neighbours"));
        check("tls.cert", Some("tls.certificate"));
        check("tls.client-ca", Some("tls.client_ca"));
        check("TRAIN.Threads", Some("train.threads"));
        check("server.listen", Some("serve.listen"));
        check("transport.web_origin", Some("transport.web_origins"));
        check("shop.colour", None);
        check("x", None);
        check("", None);
    }

    #[test]
    fn a_path_leads_to_a_key_a_section_or_nowhere() {
        let table = "[a]\nb = 1\n[a.free]\n[a.deep]\nc = 'x'".parse().unwrap();
        let reference = Reference::new(table, vec!["other".to_owned()]);
        let check = |name: &str, expected| assert_eq!(reference.place(&path(name)), expected);
        check("a", Place::Section);
        check("a.b", Place::Key(Kind::Whole));
        check("a.b.c", Place::Unknown);
        check("a.free", Place::Key(Kind::Free));
        check("a.free.any", Place::InFree);
        check("a.free.any.depth", Place::InFree);
        check("a.deep.c", Place::Key(Kind::Text));
        check("a.de", Place::Unknown);
        check("z", Place::Unknown);
        check("other", Place::Elsewhere);
        check("other.thing", Place::Elsewhere);
    }
}
