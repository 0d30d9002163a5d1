//! Books as the store sees them, and what it accepts as one.

use std::fmt;

use recommender::ItemNumber;

/// The most authors a book can have.
pub const AUTHORS_MAX: usize = 50;

/// The most categories a book can have.
pub const CATEGORIES_MAX: usize = 100;

/// One book: an edition, with a number of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Book {
    /// Its number.
    pub number: ItemNumber,
    /// The shop's id for it. Filled in by reading; ignored by
    /// [`Writer::put_books`](crate::Writer::put_books), which goes by the number.
    pub id: String,
    /// Its title, 1 to 1000 bytes.
    pub title: String,
    /// Its authors, at most 50 of 1 to 200 bytes, most important first.
    pub authors: Vec<String>,
    /// The year it first came out, -9999 to 9999.
    pub published_year: Option<i32>,
    /// Its language as a BCP 47 tag such as `en` or `pt-BR`, at most 35 bytes.
    pub language: Option<String>,
    /// Its categories: at most 100 slugs of 1 to 64 of `a-z`, `0-9` and `-`.
    pub categories: Vec<String>,
    /// The series it is part of, 1 to 500 bytes.
    pub series: Option<String>,
    /// Its place in the series, 0 to 10000; 1.5 lies between the first and the second.
    pub volume: Option<f64>,
    /// What all editions of one work have in common, 1 to 64 bytes.
    pub work: Option<String>,
    /// Its ISBN, 13 digits that begin with 978 or 979.
    pub isbn13: Option<u64>,
    /// Where its cover is, 1 to 2000 bytes.
    pub cover_url: Option<String>,
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
    pub expected: &'static str,
}

impl Book {
    /// Checks every bound that the fields' documentation gives.
    ///
    /// # Errors
    ///
    /// [`BookError`] names the first field that is out of bounds.
    pub fn check(&self) -> Result<(), BookError> {
        let number = self.number.0;
        self.expect(
            (1..=recommender::id::LAST_NUMBER).contains(&number),
            "number",
            number,
            "1 to 2147483647",
        )?;
        self.check_text("title", &self.title, 1000, "1 to 1000 bytes on one line")?;
        self.check_names()?;
        if let Some(year) = self.published_year {
            let fits = (-9999..=9999).contains(&year);
            self.expect(fits, "published_year", year, "-9999 to 9999")?;
        }
        if let Some(volume) = self.volume {
            let fits = (0.0..=10_000.0).contains(&volume);
            self.expect(fits, "volume", volume, "0 to 10000")?;
        }
        if let Some(isbn) = self.isbn13 {
            let fits = (9_780_000_000_000..=9_799_999_999_999).contains(&isbn);
            self.expect(fits, "isbn13", isbn, "13 digits beginning with 978 or 979")?;
        }
        self.check_optional_text("series", &self.series, 500, "1 to 500 bytes on one line")?;
        self.check_optional_text("work", &self.work, 64, "1 to 64 bytes on one line")?;
        self.check_optional_text("cover_url", &self.cover_url, 2000, "1 to 2000 bytes on one line")
    }

    /// Checks the fields that hold names of one kind or another.
    fn check_names(&self) -> Result<(), BookError> {
        let count = self.authors.len();
        self.expect(count <= AUTHORS_MAX, "authors", format_args!("{count} names"), "at most 50")?;
        for author in &self.authors {
            self.check_text("authors", author, 200, "names of 1 to 200 bytes on one line")?;
        }
        let count = self.categories.len();
        let expected = "at most 100";
        self.expect(
            count <= CATEGORIES_MAX,
            "categories",
            format_args!("{count} slugs"),
            expected,
        )?;
        for slug in &self.categories {
            let expected = "slugs of 1 to 64 of a-z, 0-9 and -";
            self.expect(is_slug(slug), "categories", Shortened(slug), expected)?;
        }
        if let Some(language) = &self.language {
            let fits = (1..=35).contains(&language.len())
                && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            let expected = "a tag of 1 to 35 letters, digits and -";
            self.expect(fits, "language", Shortened(language), expected)?;
        }
        Ok(())
    }

    fn check_optional_text(
        &self,
        field: &'static str,
        text: &Option<String>,
        bytes_max: usize,
        expected: &'static str,
    ) -> Result<(), BookError> {
        text.as_ref().map_or(Ok(()), |text| self.check_text(field, text, bytes_max, expected))
    }

    /// Line breaks separate authors in the database; no field of one line may hold any.
    fn check_text(
        &self,
        field: &'static str,
        text: &str,
        bytes_max: usize,
        expected: &'static str,
    ) -> Result<(), BookError> {
        let fits = (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control);
        self.expect(
            fits,
            field,
            format_args!("{} ({} bytes)", Shortened(text), text.len()),
            expected,
        )
    }

    fn expect(
        &self,
        fits: bool,
        field: &'static str,
        found: impl fmt::Display,
        expected: &'static str,
    ) -> Result<(), BookError> {
        if fits {
            Ok(())
        } else {
            Err(BookError { number: self.number, field, found: found.to_string(), expected })
        }
    }
}

fn is_slug(text: &str) -> bool {
    (1..=64).contains(&text.len())
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

#[cfg(test)]
mod tests {
    use super::*;

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
        check(|book| book.title = "é".repeat(500), None);
        check(|book| book.title = "é".repeat(501), Some("title"));
        check(|book| book.authors.clear(), None);
        check(|book| book.authors = vec!["A".to_owned(); 51], Some("authors"));
        check(|book| book.authors = vec!["A\nB".to_owned()], Some("authors"));
        check(|book| book.authors = vec![String::new()], Some("authors"));
        check(|book| book.published_year = Some(-10_000), Some("published_year"));
        check(|book| book.language = Some("en US".to_owned()), Some("language"));
        check(|book| book.categories = vec!["sci-fi".to_owned(); 101], Some("categories"));
        check(|book| book.categories = vec!["Sci-Fi".to_owned()], Some("categories"));
        check(|book| book.categories = vec!["sci fi".to_owned()], Some("categories"));
        check(|book| book.categories = vec!["a".repeat(65)], Some("categories"));
        check(|book| book.series = Some(String::new()), Some("series"));
        check(|book| book.volume = Some(f64::NAN), Some("volume"));
        check(|book| book.volume = Some(-1.0), Some("volume"));
        check(|book| book.work = Some("w".repeat(65)), Some("work"));
        check(|book| book.isbn13 = Some(441_172_717), Some("isbn13"));
        check(|book| book.cover_url = Some("u".repeat(2001)), Some("cover_url"));
    }

    #[test]
    fn the_message_says_what_was_found_and_what_was_expected() {
        let mut book = dune();
        book.categories = vec!["Science Fiction".to_owned()];
        assert_eq!(
            book.check().map_err(|error| error.to_string()),
            Err("categories of book 7 is \"Science Fiction\", expected slugs of 1 to 64 of a-z, 0-9 and -".to_owned())
        );
    }
}
