//! Keys by which books of two catalogues are told to be the same.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use xxhash_rust::xxh3::xxh3_64;

use super::series;

/// What a book is matched by if it has no ISBN in common. Keys are hashes: compact,
/// and two different books share one about once in 2⁶⁴ pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MatchKeys {
    /// Of the whole title and the author's surname.
    pub(super) full: u64,
    /// Of the title without its subtitle, and the author's surname and initial. Other
    /// books may have it too: the volumes of "Star Wars: …".
    pub(super) short: u64,
    /// Whether the title has a subtitle at all.
    pub(super) has_subtitle: bool,
}

/// The keys of a book, or `None` if nothing is left of its title or its author.
pub(super) fn match_keys(title: &str, author: &str) -> Option<MatchKeys> {
    let title = series::split(title).title;
    let (surname, initial) = author_key(author)?;
    let short = title.split(':').next().unwrap_or_default();
    let (full, short) = (title_key(&title), title_key(short));
    if full.is_empty() || short.is_empty() {
        return None;
    }
    Some(MatchKeys {
        has_subtitle: full != short,
        full: xxh3_64(format!("{full}\n{surname}").as_bytes()),
        short: xxh3_64(format!("{short}\n{surname}\n{initial}").as_bytes()),
    })
}

/// A title's letters and digits, without accents, case and a leading article.
fn title_key(title: &str) -> String {
    let title = title.replace('&', " and ");
    let mut words = title.split_whitespace();
    let first = words.clone().next().map(folded).unwrap_or_default();
    if matches!(first.as_str(), "the" | "a" | "an") && words.clone().count() > 1 {
        words.next();
    }
    words.map(folded).collect()
}

/// The surname and the first letter of "Frank Herbert" or "Herbert, Frank".
fn author_key(author: &str) -> Option<(String, String)> {
    let (surname, given) = match author.split_once(',') {
        Some((surname, given)) if !is_suffix(given) => (surname, given),
        _ => {
            let name = author.split(',').next().unwrap_or_default().trim();
            let mut end = name.len();
            // "Kurt Vonnegut Jr."
            while let Some((before, last)) = name[..end].rsplit_once(char::is_whitespace) {
                if !is_suffix(last) {
                    break;
                }
                end = before.trim_end().len();
            }
            let name = &name[..end];
            name.rsplit_once(char::is_whitespace)
                .map_or((name, name), |(given, last)| (last, given))
        }
    };
    let surname = folded(surname);
    let initial = folded(given).chars().take(1).collect();
    (!surname.is_empty()).then_some((surname, initial))
}

fn is_suffix(word: &str) -> bool {
    matches!(folded(word).as_str(), "jr" | "sr" | "ii" | "iii" | "iv" | "phd" | "md")
}

/// The letters and digits of a text in lower case, without accents.
fn folded(text: &str) -> String {
    text.nfkd()
        .filter(|letter| letter.is_alphanumeric() && !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(book: (&str, &str)) -> MatchKeys {
        match_keys(book.0, book.1).unwrap_or_else(|| panic!("{book:?} has keys"))
    }

    #[test]
    fn spelling_does_not_matter() {
        for (left, right) in [
            (("Dune", "Frank Herbert"), ("DUNE (Dune, #1)", "Herbert, Frank")),
            (("The Hobbit", "J.R.R. Tolkien"), ("Hobbit", "J. R. R. Tolkien")),
            (("Les Misérables", "Victor Hugo"), ("Les Miserables", "Victor  Hugo")),
            (("Pride & Prejudice", "Jane Austen"), ("Pride and Prejudice", "Jane Austen")),
            (("Cat's Cradle", "Kurt Vonnegut Jr."), ("Cat’s Cradle", "Kurt Vonnegut")),
            (
                ("Strength to Love", "Martin Luther King, Jr."),
                ("Strength to Love", "Martin Luther King Jr."),
            ),
        ] {
            assert_eq!(keys(left).full, keys(right).full, "{left:?} {right:?}");
        }
    }

    #[test]
    fn other_books_have_other_keys() {
        for (left, right) in [
            (("Dune", "Frank Herbert"), ("Dune Messiah", "Frank Herbert")),
            (("It", "Stephen King"), ("It", "Alexa Chung")),
            (("A", "Louis Zukofsky"), ("The", "Louis Zukofsky")),
        ] {
            assert_ne!(keys(left).full, keys(right).full, "{left:?} {right:?}");
        }
        let (son, father) = (("Dune: House Atreides", "Brian Herbert"), ("Dune", "Frank Herbert"));
        assert_ne!(keys(son).short, keys(father).short);
        assert!(keys(son).has_subtitle && !keys(father).has_subtitle);
    }

    #[test]
    fn nothing_to_go_by_has_no_keys() {
        for (title, author) in
            [("", "A B"), ("!!!", "A B"), ("Emma", ""), ("Emma", "–"), (": x", "A")]
        {
            assert_eq!(match_keys(title, author), None, "{title:?} {author:?}");
        }
    }
}
