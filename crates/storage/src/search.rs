//! Finding books by words: what a word is, the same for every database.
//!
//! Texts are folded, so that "Cafe" finds "CAFÉ": compatibility decomposition (NFKD, Unicode
//! Standard Annex 15), accents stripped, lower case. A word is a run of letters and digits; Chinese
//! characters and Japanese syllables, which have no spaces between, are a word each.

use recommender::ItemNumber;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

use crate::book::Book;
use crate::error::StoreError;
use crate::store::Store;

/// The rules by which words are made. Counts up with every change of them, so that a store whose
/// words were made by others is filled anew.
pub(crate) const WORDS_VERSION: i64 = 1;

/// The most words of a query; the rest is ignored.
pub const QUERY_WORDS_MAX: usize = 16;

/// The most words of one column of a book; the rest is not found.
const COLUMN_WORDS_MAX: usize = 500;

/// The longest word, in bytes; the rest of it is ignored.
const WORD_BYTES_MAX: usize = 64;

/// From this combining class on, a mark is an accent beside a letter; those below, such as the
/// vowel killers of India and the voicing marks of Japan, are part of what is spelt.
const FIRST_ACCENT_CLASS: u8 = 200;

/// The words that a book is found by. Those of the title count for more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BookWords {
    /// The book.
    pub(crate) number: ItemNumber,
    /// Of its title, a space between.
    pub(crate) title: String,
    /// Of its authors and its series, a space between.
    pub(crate) names: String,
}

impl BookWords {
    /// The words of a book.
    pub(crate) fn of(book: &Book) -> Self {
        let names = book.authors.iter().chain(&book.series).map(String::as_str);
        Self {
            number: book.number,
            title: words([book.title.as_str()], COLUMN_WORDS_MAX).join(" "),
            names: words(names, COLUMN_WORDS_MAX).join(" "),
        }
    }
}

impl Store {
    /// The books whose title, authors and series have all words of a query, the last one also
    /// as the beginning of a word: the best match first, then by number, from the one at
    /// `offset`, at most `limit`. A query without a word finds nothing.
    ///
    /// Costs a microsecond or so for every book that matches, `offset` and `limit` aside.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn search_books(
        &self,
        query: &str,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        let words = words([query], QUERY_WORDS_MAX);
        if words.is_empty() {
            return Ok(Vec::new());
        }
        self.backend.search_books(&words, offset, limit).await
    }
}

/// The words of these texts, folded, at most so many.
fn words<'a>(texts: impl IntoIterator<Item = &'a str>, words_max: usize) -> Vec<String> {
    let mut words = Vec::new();
    for text in texts {
        let mut word = String::new();
        let folded = text.nfkd().filter(|letter| !is_accent(*letter)).flat_map(char::to_lowercase);
        for letter in folded {
            let is_mark = is_combining_mark(letter);
            if !word.is_empty() && !is_mark && (stands_alone(letter) || ends_alone(&word)) {
                words.push(std::mem::take(&mut word));
            }
            if letter.is_alphanumeric() || (is_mark && !word.is_empty()) {
                if word.len() + letter.len_utf8() <= WORD_BYTES_MAX {
                    word.push(letter);
                }
            } else if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if words.len() >= words_max {
                words.truncate(words_max);
                return words;
            }
        }
        words.extend((!word.is_empty()).then_some(word));
    }
    words.truncate(words_max);
    words
}

fn is_accent(letter: char) -> bool {
    canonical_combining_class(letter) >= FIRST_ACCENT_CLASS
}

/// Whether a word consists of one character that is a word of its own.
fn ends_alone(word: &str) -> bool {
    word.chars().next().is_some_and(stands_alone)
}

/// Whether a character is a word: Han, Hiragana, Katakana, by the blocks of Unicode 16.
fn stands_alone(letter: char) -> bool {
    matches!(letter,
        '\u{3005}'..='\u{3007}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words([text], 10), expected, "{text:?}");
    }

    #[test]
    fn words_are_folded_runs_of_letters_and_digits() {
        check(
            "The Hitch-Hiker's Guide, 42nd ed.",
            &["the", "hitch", "hiker", "s", "guide", "42nd", "ed"],
        );
        check("CAFÉ Ångström ﬁn", &["cafe", "angstrom", "fin"]);
        check("Ａｌｉｃｅ Ⅳ", &["alice", "iv"]);
        check("İstanbul", &["istanbul"]);
        check("", &[]);
        check(" -- ", &[]);
        check("\u{301}", &[]);
    }

    #[test]
    fn characters_without_spaces_between_are_a_word_each() {
        check("三体 III", &["三", "体", "iii"]);
        check("論語abc", &["論", "語", "abc"]);
        // The voicing mark stays with its syllable, so that "ga" does not find "ka".
        check("ガa", &["カ\u{3099}", "a"]);
    }

    #[test]
    fn marks_that_are_part_of_what_is_spelt_stay() {
        let hindi = words(["हिन्दी"], 10);
        assert_eq!(hindi.len(), 1, "{hindi:?}");
        assert_ne!(hindi, words(["हनद"], 10));
    }

    #[test]
    fn words_are_bounded_in_number_and_length() {
        assert_eq!(words(["a b c d"], 3), ["a", "b", "c"]);
        assert_eq!(words(["三体三体"], 3).len(), 3);
        let long = "é".repeat(100);
        assert_eq!(words([long.as_str()], 3), ["e".repeat(WORD_BYTES_MAX)]);
        assert_eq!(words(["ж".repeat(100).as_str()], 3), ["ж".repeat(WORD_BYTES_MAX / 2)]);
    }
}
