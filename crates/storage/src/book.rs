//! Books as the store sees them, and what it accepts as one.

use std::fmt;
use std::ops::RangeInclusive;

use recommender::ItemNumber;
use recommender::id::LAST_NUMBER;
use recommender::offer::Offer;

/// The longest title, in bytes.
pub const TITLE_BYTES_MAX: usize = 1000;

/// The most authors a book can have.
pub const AUTHORS_MAX: usize = 50;

/// The longest name of an author, in bytes.
pub const AUTHOR_BYTES_MAX: usize = 200;

/// The years in which a book can have come out.
pub const PUBLISHED_YEARS: RangeInclusive<i32> = -9999..=9999;

/// The longest language tag, in bytes.
pub const LANGUAGE_BYTES_MAX: usize = 35;

/// The most categories a book can have.
pub const CATEGORIES_MAX: usize = 100;

/// The longest slug of a category, in bytes.
pub const CATEGORY_BYTES_MAX: usize = 64;

/// The longest name of a series, in bytes.
pub const SERIES_BYTES_MAX: usize = 500;

/// The places that a series has.
pub const VOLUMES: RangeInclusive<f64> = 0.0..=10_000.0;

/// The longest key of a work, in bytes.
pub const WORK_BYTES_MAX: usize = 64;

/// What the first three of an ISBN's 13 digits can be.
pub const ISBN13_PREFIXES: [u64; 2] = [978, 979];

/// The longest address of a cover, in bytes.
pub const COVER_URL_BYTES_MAX: usize = 2000;

/// The longest name of a publisher, in bytes.
pub const PUBLISHER_BYTES_MAX: usize = 200;

/// The highest price, in the smallest unit of its currency.
pub const PRICE_MAX: u64 = 999_999_999_999;

/// The ages in years from which a book can be meant to be read.
pub const AGES: RangeInclusive<u8> = 0..=120;

/// One book: an edition, with a number of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// Its number.
    pub number: ItemNumber,
    /// The shop's id for it. Filled in by reading; ignored by
    /// [`Writer::put_books`](crate::Writer::put_books), which goes by the number.
    pub id: String,
    /// Its title, at most [`TITLE_BYTES_MAX`].
    pub title: String,
    /// Its authors, at most [`AUTHORS_MAX`] of at most [`AUTHOR_BYTES_MAX`], most
    /// important first.
    pub authors: Vec<String>,
    /// The year it first came out, one of [`PUBLISHED_YEARS`].
    pub published_year: Option<i32>,
    /// Its language as a BCP 47 tag such as `en` or `pt-BR`, at most [`LANGUAGE_BYTES_MAX`].
    pub language: Option<String>,
    /// Its categories: at most [`CATEGORIES_MAX`] slugs of `a-z`, `0-9` and `-`, each at
    /// most [`CATEGORY_BYTES_MAX`].
    pub categories: Vec<String>,
    /// The series it is part of, at most [`SERIES_BYTES_MAX`].
    pub series: Option<String>,
    /// Its place in the series, one of [`VOLUMES`]; 1.5 lies between the first and the second.
    pub volume: Option<f64>,
    /// What all editions of one work have in common, at most [`WORK_BYTES_MAX`].
    pub work: Option<String>,
    /// Its ISBN, 13 digits that begin with one of [`ISBN13_PREFIXES`].
    pub isbn13: Option<u64>,
    /// Where its cover is, at most [`COVER_URL_BYTES_MAX`].
    pub cover_url: Option<String>,
    /// Who publishes it, at most [`PUBLISHER_BYTES_MAX`].
    pub publisher: Option<String>,
    /// Whether it can be had, for how much (at most [`PRICE_MAX`]) and from which age (one of
    /// [`AGES`]).
    pub offer: Offer,
}

/// Why a book cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} of book {number} is {found}, expected {expected}")]
pub struct BookError {
    /// The book.
    pub number: ItemNumber,
    /// The field of [`Book`] that is wrong.
    pub field: &'static str,
    /// What is in it, shortened.
    pub found: String,
    /// What it should be.
    pub expected: String,
}

impl Book {
    /// Checks every bound that the fields' documentation gives. A text that is there has
    /// at least one byte, and no control character such as a line break.
    ///
    /// # Errors
    ///
    /// [`BookError`] names the first field that is out of bounds.
    pub fn check(&self) -> Result<(), BookError> {
        self.problems().next().map_or(Ok(()), Err)
    }

    /// Every field that is out of bounds, as [`check`](Self::check) finds them.
    pub fn problems(&self) -> impl Iterator<Item = BookError> {
        let price = self.offer.price.map(|price| price.minor_units);
        let checks = [
            self.check_range("number", Some(self.number.0), 1..=LAST_NUMBER),
            self.check_text("title", Some(&self.title), TITLE_BYTES_MAX),
            self.check_authors(),
            self.check_categories(),
            self.check_language(),
            self.check_range("published_year", self.published_year, PUBLISHED_YEARS),
            self.check_range("volume", self.volume, VOLUMES),
            self.check_isbn(),
            self.check_text("series", self.series.as_ref(), SERIES_BYTES_MAX),
            self.check_text("work", self.work.as_ref(), WORK_BYTES_MAX),
            self.check_text("cover_url", self.cover_url.as_ref(), COVER_URL_BYTES_MAX),
            self.check_text("publisher", self.publisher.as_ref(), PUBLISHER_BYTES_MAX),
            self.check_range("price", price, 0..=PRICE_MAX),
            self.check_range("age_min", self.offer.age_min, AGES),
        ];
        checks.into_iter().filter_map(Result::err)
    }

    fn check_authors(&self) -> Result<(), BookError> {
        let count = self.authors.len();
        let expected = format_args!("at most {AUTHORS_MAX}");
        self.expect(count <= AUTHORS_MAX, "authors", format_args!("{count} names"), expected)?;
        for author in &self.authors {
            let fits = is_line(author, AUTHOR_BYTES_MAX);
            let expected = format_args!("names of 1 to {AUTHOR_BYTES_MAX} bytes on one line");
            self.expect(fits, "authors", Measured(author), expected)?;
        }
        Ok(())
    }

    fn check_categories(&self) -> Result<(), BookError> {
        let count = self.categories.len();
        let (fits, found) = (count <= CATEGORIES_MAX, format_args!("{count} slugs"));
        self.expect(fits, "categories", found, format_args!("at most {CATEGORIES_MAX}"))?;
        for slug in &self.categories {
            let expected = format_args!("slugs of 1 to {CATEGORY_BYTES_MAX} of a-z, 0-9 and -");
            self.expect(is_slug(slug), "categories", Shortened(slug), expected)?;
        }
        Ok(())
    }

    fn check_language(&self) -> Result<(), BookError> {
        let Some(tag) = &self.language else { return Ok(()) };
        let fits = (1..=LANGUAGE_BYTES_MAX).contains(&tag.len())
            && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let expected = format_args!("a tag of 1 to {LANGUAGE_BYTES_MAX} letters, digits and -");
        self.expect(fits, "language", Shortened(tag), expected)
    }

    fn check_isbn(&self) -> Result<(), BookError> {
        let Some(isbn) = self.isbn13 else { return Ok(()) };
        // What is left of 13 digits without the last ten.
        let fits = ISBN13_PREFIXES.contains(&(isbn / 10_000_000_000));
        let [first, second] = ISBN13_PREFIXES;
        let expected = format_args!("13 digits beginning with {first} or {second}");
        self.expect(fits, "isbn13", isbn, expected)
    }

    fn check_range<T: PartialOrd + fmt::Display>(
        &self,
        field: &'static str,
        value: Option<T>,
        range: RangeInclusive<T>,
    ) -> Result<(), BookError> {
        let Some(value) = value else { return Ok(()) };
        let expected = format_args!("{} to {}", range.start(), range.end());
        self.expect(range.contains(&value), field, &value, expected)
    }

    fn check_text(
        &self,
        field: &'static str,
        text: Option<&String>,
        bytes_max: usize,
    ) -> Result<(), BookError> {
        let Some(text) = text else { return Ok(()) };
        let expected = format_args!("1 to {bytes_max} bytes on one line");
        self.expect(is_line(text, bytes_max), field, Measured(text), expected)
    }

    fn expect(
        &self,
        fits: bool,
        field: &'static str,
        found: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Result<(), BookError> {
        if fits {
            return Ok(());
        }
        let (found, expected) = (found.to_string(), expected.to_string());
        Err(BookError { number: self.number, field, found, expected })
    }
}

/// Line breaks separate authors in the database; no field of one line may hold any.
fn is_line(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_slug(text: &str) -> bool {
    (1..=CATEGORY_BYTES_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Displays the beginning of a text, quoted, for an error message.
struct Shortened<'a>(&'a str);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head: String = self.0.chars().take(40).collect();
        let rest = if head.len() < self.0.len() { "…" } else { "" };
        write!(formatter, "{head:?}{rest}")
    }
}

/// Displays the beginning of a text and its length.
struct Measured<'a>(&'a str);

impl fmt::Display for Measured<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({} bytes)", Shortened(self.0), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use recommender::offer::Price;

    use super::*;

    fn euros(minor_units: u64) -> Price {
        Price { minor_units, currency: "EUR".parse().unwrap() }
    }

    fn dune() -> Book {
        Book {
            number: ItemNumber(7),
            id: String::new(),
            title: "Dune".to_owned(),
            authors: vec!["Frank Herbert".to_owned()],
            published_year: Some(1965),
            language: Some("en".to_owned()),
            categories: vec!["science-fiction".to_owned()],
            series: Some("Dune".to_owned()),
            volume: Some(1.0),
            work: Some("3634639".to_owned()),
            isbn13: Some(9_780_441_172_719),
            cover_url: Some("https://covers.example/dune.jpg".to_owned()),
            publisher: Some("Ace".to_owned()),
            offer: Offer { stock: Some(3), price: Some(euros(1290)), age_min: Some(14) },
        }
    }

    /// Changes one thing and says which field the error names.
    fn check(change: impl FnOnce(&mut Book), field: Option<&'static str>) {
        let mut book = dune();
        change(&mut book);
        assert_eq!(book.check().err().map(|error| error.field), field, "{book:?}");
    }

    #[test]
    fn every_field_has_bounds_and_the_error_names_it() {
        check(|_| (), None);
        check(|book| book.number = ItemNumber(0), Some("number"));
        check(|book| book.title.clear(), Some("title"));
        check(|book| book.title = "é".repeat(TITLE_BYTES_MAX / 2), None);
        check(|book| book.title = "é".repeat(TITLE_BYTES_MAX / 2 + 1), Some("title"));
        check(|book| book.authors.clear(), None);
        check(|book| book.authors = vec!["A".to_owned(); AUTHORS_MAX + 1], Some("authors"));
        check(|book| book.authors = vec!["A\nB".to_owned()], Some("authors"));
        check(|book| book.authors = vec![String::new()], Some("authors"));
        check(|book| book.published_year = Some(-10_000), Some("published_year"));
        check(|book| book.language = Some("en US".to_owned()), Some("language"));
        check(
            |book| book.categories = vec!["sci-fi".to_owned(); CATEGORIES_MAX + 1],
            Some("categories"),
        );
        check(|book| book.categories = vec!["Sci-Fi".to_owned()], Some("categories"));
        check(|book| book.categories = vec!["sci fi".to_owned()], Some("categories"));
        check(
            |book| book.categories = vec!["a".repeat(CATEGORY_BYTES_MAX + 1)],
            Some("categories"),
        );
        check(|book| book.series = Some(String::new()), Some("series"));
        check(|book| book.volume = Some(f64::NAN), Some("volume"));
        check(|book| book.volume = Some(-1.0), Some("volume"));
        check(|book| book.work = Some("w".repeat(WORK_BYTES_MAX + 1)), Some("work"));
        check(|book| book.isbn13 = Some(441_172_717), Some("isbn13"));
        check(|book| book.isbn13 = Some(9_779_999_999_999), Some("isbn13"));
        check(|book| book.isbn13 = Some(9_799_999_999_999), None);
        check(|book| book.isbn13 = Some(97_800_000_000_000), Some("isbn13"));
        check(|book| book.cover_url = Some("u".repeat(COVER_URL_BYTES_MAX + 1)), Some("cover_url"));
        check(|book| book.publisher = Some("P\n".to_owned()), Some("publisher"));
        check(|book| book.offer = Offer::default(), None);
        check(|book| book.offer.price = Some(euros(PRICE_MAX)), None);
        check(|book| book.offer.price = Some(euros(PRICE_MAX + 1)), Some("price"));
        check(|book| book.offer.age_min = Some(121), Some("age_min"));
    }

    /// Changes one thing and compares the message.
    fn check_message(change: impl FnOnce(&mut Book), message: &str) {
        let mut book = dune();
        change(&mut book);
        assert_eq!(book.check().map_err(|error| error.to_string()), Err(message.to_owned()));
    }

    #[test]
    fn the_message_says_what_was_found_and_what_was_expected() {
        check_message(
            |book| book.categories = vec!["Science Fiction".to_owned()],
            "categories of book 7 is \"Science Fiction\", expected slugs of 1 to 64 of a-z, 0-9 and -",
        );
        check_message(
            |book| book.title = "é".repeat(501),
            &format!(
                "title of book 7 is \"{}\"… (1002 bytes), expected 1 to 1000 bytes on one line",
                "é".repeat(40)
            ),
        );
        check_message(
            |book| book.volume = Some(10_000.5),
            "volume of book 7 is 10000.5, expected 0 to 10000",
        );
        check_message(
            |book| book.isbn13 = Some(12),
            "isbn13 of book 7 is 12, expected 13 digits beginning with 978 or 979",
        );
    }
}
