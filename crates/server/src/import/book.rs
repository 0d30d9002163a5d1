//! From fields of a row to a book that the store takes.
//!
//! What a book cannot do without is refused if it is wrong. What only describes it
//! is left out with a note: a shop need not lose a book over a misspelt language.

use recommender::ItemNumber;
use recommender::offer::Offer;
use storage::Book;
use storage::book::{AUTHORS_MAX, CATEGORIES_MAX, COVER_URL_BYTES_MAX, PUBLISHED_YEARS, VOLUMES};

use super::report::Refusal;
use super::series::single_spaced;
use super::sink::Sink;
use super::table::Row;

/// A book with an id and a title, and nothing else yet. Its number is found by writing.
pub(super) fn book(id: &str, title: String) -> Book {
    Book {
        number: ItemNumber(1),
        id: id.to_owned(),
        title,
        authors: Vec::new(),
        published_year: None,
        language: None,
        categories: Vec::new(),
        series: None,
        volume: None,
        work: None,
        isbn13: None,
        cover_url: None,
        publisher: None,
        offer: Offer::default(),
    }
}

/// Reads a field that only describes: one that cannot be read is left out and noted.
pub(super) fn describe<T>(
    sink: &mut Sink,
    what: &str,
    field: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let field = field?;
    let value = read(field);
    if value.is_none() {
        sink.note(&format!("{what} not understood and left out"), field);
    }
    value
}

/// The names in a list with these separators, each once: "Jr." belongs to the name before.
pub(super) fn names(list: &str, separators: &[char]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in list.split(separators).map(single_spaced).filter(|name| !name.is_empty()) {
        let suffix = matches!(name.as_str(), "Jr." | "Jr" | "Sr." | "Sr" | "II" | "III");
        if suffix && let Some(before) = names.last_mut() {
            *before = format!("{before}, {name}");
        } else if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A year such as "1965", "2008.0", "-720" or "1965-08-01".
pub(super) fn year(text: &str) -> Option<i32> {
    let years = text.strip_suffix(".0").unwrap_or(text);
    let date = years.get(..4).filter(|_| years.get(4..5) == Some("-"));
    let year: i32 = date.unwrap_or(years).parse().ok()?;
    PUBLISHED_YEARS.contains(&year).then_some(year)
}

/// A place in a series such as "1" or "1.5".
pub(super) fn volume(text: &str) -> Option<f64> {
    text.parse().ok().filter(|volume| VOLUMES.contains(volume))
}

/// The address of a cover that the store takes.
pub(super) fn cover(text: &str) -> Option<String> {
    let fits = text.len() <= COVER_URL_BYTES_MAX
        && (text.starts_with("https://") || text.starts_with("http://"))
        && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// Sends a book to the store if it is within all bounds. `column` says which column a
/// field of the book came from.
pub(super) fn put(
    sink: &mut Sink,
    row: Row<'_>,
    mut book: Book,
    column: impl FnOnce(&str) -> Option<usize>,
) -> Result<(), Refusal> {
    if book.authors.len() > AUTHORS_MAX {
        sink.note(
            &format!("books with more than {AUTHORS_MAX} authors, the rest left out"),
            &book.title,
        );
        book.authors.truncate(AUTHORS_MAX);
    }
    if book.categories.len() > CATEGORIES_MAX {
        sink.note(
            &format!("books with more than {CATEGORIES_MAX} categories, the rest left out"),
            &book.title,
        );
        book.categories.truncate(CATEGORIES_MAX);
    }
    if let Err(error) = book.check() {
        let reason = format!("{} is {}, expected {}", error.field, error.found, error.expected);
        return Err(row.refuse_for(column(error.field), reason));
    }
    sink.put_book(book);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_volumes_and_covers_are_read_or_left_out() {
        for (text, expected) in [
            ("1965", Some(1965)),
            ("2008.0", Some(2008)),
            ("-720.0", Some(-720)),
            ("1965-08-01", Some(1965)),
            ("8", Some(8)),
            ("c. 1850", None),
            ("19650801", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(year(text), expected, "{text:?}");
        }
        for (text, expected) in
            [("1", Some(1.0)), ("1.5", Some(1.5)), ("-1", None), ("nan", None), ("1-3", None)]
        {
            assert_eq!(volume(text), expected, "{text:?}");
        }
        assert_eq!(cover("https://a.example/b.jpg").as_deref(), Some("https://a.example/b.jpg"));
        assert_eq!(cover("b.jpg"), None);
    }

    #[test]
    fn names_are_listed_once_and_keep_their_suffix() {
        assert_eq!(
            names("Ann  Author, Bob Writer,, Ann Author", &[',']),
            ["Ann Author", "Bob Writer"]
        );
        assert_eq!(
            names("Martin Luther King, Jr., Bob", &[',']),
            ["Martin Luther King, Jr.", "Bob"]
        );
        assert_eq!(
            names("Le Guin, Ursula; Herbert, Frank", &[';']),
            ["Le Guin, Ursula", "Herbert, Frank"]
        );
        assert_eq!(names(" ", &[',']), Vec::<String>::new());
    }
}
