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

/// A language of the shop.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    En,
    Zh,
}

static ENGLISH: LazyLock<Words> = LazyLock::new(|| read(include_str!("language/en.toml")));
static CHINESE: LazyLock<Words> = LazyLock::new(|| read(include_str!("language/zh.toml")));

fn read(text: &str) -> Words {
    toml::from_str(text).expect("the texts are part of the crate, and a test reads them")
}

impl Language {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// By its name in forms.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == name)
    }

    /// Its name in forms.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// Its texts.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::En => &ENGLISH,
            Self::Zh => &CHINESE,
        }
    }

    /// What a browser asks for, by its weights; English if it asks for neither.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let ranges = header.unwrap_or_default().split(',').take(RANGES_MAX);
        let mut best = (0.0, Self::En);
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

impl Words {
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn both_languages_have_the_same_texts_with_the_same_places() {
        type Texts = BTreeMap<String, BTreeMap<String, String>>;
        let read = |text| toml::from_str::<Texts>(text).unwrap();
        let english = read(include_str!("language/en.toml"));
        let chinese = read(include_str!("language/zh.toml"));
        for language in Language::ALL {
            assert!(!language.words().shop.name.is_empty());
        }
        let places = |text: &str| -> BTreeSet<String> {
            let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
            parts.map(|(name, _)| name.to_owned()).collect()
        };
        for (section, texts) in english.iter().filter(|(section, _)| *section != "categories") {
            for (key, text) in texts {
                let other = &chinese[section][key];
                assert_eq!(places(text), places(other), "{section}.{key}");
                assert!(!other.trim().is_empty(), "{section}.{key}");
            }
        }
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
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en;q=0.5, zh;q=0.7", Language::Zh),
            ("ZH", Language::Zh),
            ("de, en;q=0.3, zh;q=0.2", Language::En),
            ("zh;q=0", Language::En),
            ("zh;q=x", Language::En),
            ("fr", Language::En),
            ("", Language::En),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, header.parse().unwrap())]);
            assert_eq!(Language::accepted(&headers), expected, "{header}");
        }
        assert_eq!(Language::accepted(&HeaderMap::new()), Language::En);
    }
}
