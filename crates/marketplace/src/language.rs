//! The languages of the shop: each has all its texts in one file.

mod of_books;
mod words;

use std::sync::LazyLock;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use serde::{Deserialize, Serialize};

pub(crate) use self::of_books::{BOOK_LANGUAGES, name_of_language};
pub(crate) use self::words::Words;

/// A header that is longer says nothing more of what somebody reads.
const RANGES_MAX: usize = 32;

/// Every language: its name in forms, and its texts. The first is for those who ask for none of
/// them.
const TABLE: [(&str, &str); 2] =
    [("en", include_str!("language/en.toml")), ("zh", include_str!("language/zh.toml"))];

static WORDS: LazyLock<[Words; TABLE.len()]> = LazyLock::new(|| {
    let read =
        |text| toml::from_str(text).expect("texts are part of the crate, and a test reads them");
    TABLE.map(|(_, text)| read(text))
});

/// A language of the shop: its place in the table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Language(usize);

impl Language {
    #[cfg(test)]
    pub(crate) const EN: Self = Self(0);
    #[cfg(test)]
    pub(crate) const ZH: Self = Self(1);

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).map(Self)
    }

    /// By its name in forms.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|language| language.code() == name)
    }

    /// Its name in forms.
    pub(crate) fn code(self) -> &'static str {
        TABLE[self.0].0
    }

    /// Its texts.
    pub(crate) fn words(self) -> &'static Words {
        &WORDS[self.0]
    }

    /// What a browser asks for, by its weights; English if it asks for none of them.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let ranges = header.unwrap_or_default().split(',').take(RANGES_MAX);
        let mut best = (0.0, Self(0));
        for range in ranges {
            let (tag, parameter) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = parameter.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok());
            let weight: f32 = weight.unwrap_or(0.0);
            let primary = tag.trim().split('-').next().unwrap_or_default().to_lowercase();
            if weight > best.0
                && let Some(language) = Self::named(&primary)
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A session has a language by its name.
impl TryFrom<String> for Language {
    type Error = UnknownLanguage;

    fn try_from(name: String) -> Result<Self, UnknownLanguage> {
        Self::named(&name).ok_or(UnknownLanguage(name))
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.code().to_owned()
    }
}

/// A name that no language has.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is none of the shop's languages")]
pub(crate) struct UnknownLanguage(String);

impl Words {
    /// Some things, one after the other.
    pub(crate) fn list<T: AsRef<str>>(&self, things: impl IntoIterator<Item = T>) -> String {
        let mut list = String::new();
        for (place, thing) in things.into_iter().enumerate() {
            if place > 0 {
                list.push_str(&self.shop.list_separator);
            }
            list.push_str(thing.as_ref());
        }
        list
    }

    /// A number of books.
    pub(crate) fn books(&self, count: impl ToString + Copy) -> String {
        counted(count, &self.shop.books_one, &self.shop.books_many)
    }

    /// The name of a category: ours if we have one, else the given one.
    pub(crate) fn category<'a>(&'a self, slug: &str, title: &'a str) -> &'a str {
        self.categories.get(slug).map_or(title, String::as_str)
    }
}

/// Puts values into the places of a text: `{title}` becomes what is given for `title`. What is put
/// in is not looked at again.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let after = &rest[start + 1..];
        let Some(end) = after.find('}') else { break };
        filled.push_str(&rest[..start]);
        let name = &after[..end];
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => filled.push_str(&rest[start..start + end + 2]),
        }
        rest = &after[end + 1..];
    }
    filled.push_str(rest);
    filled
}

/// A text with a number in its place `{count}`: `one` for one, else `many`.
pub(crate) fn counted(count: impl ToString + Copy, one: &str, many: &str) -> String {
    let count = count.to_string();
    fill(if count == "1" { one } else { many }, &[("count", &count)])
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn every_language_has_the_same_texts_with_the_same_places() {
        type Texts = BTreeMap<String, BTreeMap<String, String>>;
        let read = |text| toml::from_str::<Texts>(text).unwrap();
        let places = |text: &str| -> BTreeSet<String> {
            let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
            parts.map(|(name, _)| name.to_owned()).collect()
        };
        let first = read(TABLE[0].1);
        for (code, text) in TABLE {
            // Reading it is what tells of a text that is missing, or is one too many.
            assert_eq!(Language::named(code).unwrap().code(), code);
            assert!(!Language::named(code).unwrap().words().shop.name.is_empty());
            for (section, texts) in &read(text) {
                for (key, text) in texts {
                    assert!(!text.is_empty(), "{code}: {section}.{key}");
                    if section != "categories" {
                        let other = &first[section][key];
                        assert_eq!(places(text), places(other), "{code}: {section}.{key}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_is_told_in_other_words_than_many() {
        let words = Language::EN.words();
        assert_eq!(
            [words.books(0), words.books(1), words.books(2)],
            ["0 books", "1 book", "2 books"]
        );
        assert_eq!(Language::ZH.words().books(1), "1 本书");
    }

    #[test]
    fn things_are_listed_as_the_language_does() {
        assert_eq!(Language::EN.words().list(["Ann", "Bob"]), "Ann, Bob");
        assert_eq!(Language::ZH.words().list(["Ann", "Bob"]), "Ann、Bob");
        assert_eq!(Language::EN.words().list(["Ann"]), "Ann");
        assert_eq!(Language::EN.words().list::<&str>([]), "");
    }

    #[test]
    fn values_are_put_in_once_and_not_looked_at_again() {
        let values = [("title", "{name}"), ("name", "Dune")];
        assert_eq!(fill("{title} and {name}, {other}", &values), "{name} and Dune, {other}");
        assert_eq!(fill("no places { at all", &values), "no places { at all");
    }

    #[test]
    fn the_language_is_the_one_that_is_asked_for_most() {
        for (header, expected) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::ZH),
            ("en;q=0.5, zh;q=0.7", Language::ZH),
            ("ZH", Language::ZH),
            ("de, en;q=0.3, zh;q=0.2", Language::EN),
            ("zh;q=0", Language::EN),
            ("zh;q=x", Language::EN),
            ("fr", Language::EN),
            ("", Language::EN),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, header.parse().unwrap())]);
            assert_eq!(Language::accepted(&headers), expected, "{header}");
        }
        assert_eq!(Language::accepted(&HeaderMap::new()), Language::EN);
    }
}
