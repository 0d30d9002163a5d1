//! Any text as a category slug: "Science Fiction & Fantasy" is `science-fiction-fantasy`.

use storage::book::CATEGORY_BYTES_MAX;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The slug of a text: its ASCII letters and digits in lower case, one `-` for
/// whatever is between them, at most [`CATEGORY_BYTES_MAX`]. Letters lose their accents. A text
/// without any such letter has none.
pub(super) fn slug(text: &str) -> Option<String> {
    let mut slug = String::with_capacity(text.len().min(CATEGORY_BYTES_MAX));
    let mut gap = false;
    let plain = text.nfkd().filter(|letter| !is_combining_mark(*letter) && !is_apostrophe(*letter));
    for letter in plain {
        if !letter.is_ascii_alphanumeric() {
            gap = !slug.is_empty();
            continue;
        }
        if slug.len() + usize::from(gap) >= CATEGORY_BYTES_MAX {
            break;
        }
        if gap {
            slug.push('-');
            gap = false;
        }
        slug.push(letter.to_ascii_lowercase());
    }
    (!slug.is_empty()).then_some(slug)
}

/// The slugs in a cell that lists categories with `;`, `|` or `,` between them, each once.
pub(super) fn slugs(list: &str) -> Vec<String> {
    let separator = [';', '|'].into_iter().find(|separator| list.contains(*separator));
    let mut slugs: Vec<String> = Vec::new();
    for slug in list.split(separator.unwrap_or(',')).filter_map(slug) {
        if !slugs.contains(&slug) {
            slugs.push(slug);
        }
    }
    slugs
}

/// "Children's" is one word.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2019}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_letters_digits_and_single_hyphens() {
        for (text, expected) in [
            ("fantasy", Some("fantasy")),
            ("Science Fiction & Fantasy", Some("science-fiction-fantasy")),
            ("  --Sci-Fi!! ", Some("sci-fi")),
            ("Romans français", Some("romans-francais")),
            ("Children's", Some("childrens")),
            ("ﬁction", Some("fiction")),
            ("20th-century", Some("20th-century")),
            ("文学", None),
            ("--", None),
            ("", None),
        ] {
            assert_eq!(slug(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_slug_has_at_most_64_bytes_and_never_ends_in_a_hyphen() {
        assert_eq!(slug(&"a".repeat(100)), Some("a".repeat(64)));
        assert_eq!(slug(&format!("{} b", "a".repeat(63))), Some("a".repeat(63)));
    }

    #[test]
    fn a_list_is_cut_at_one_kind_of_separator_only() {
        for (list, expected) in [
            ("fantasy,classics", vec!["fantasy", "classics"]),
            ("Fiction, general; Fantasy;", vec!["fiction-general", "fantasy"]),
            ("a|b|a", vec!["a", "b"]),
            ("", vec![]),
        ] {
            assert_eq!(slugs(list), expected, "{list:?}");
        }
    }
}
