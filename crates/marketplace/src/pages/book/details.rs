//! What else is known of a book: names and values, in the order in which they are read.

use api::v1::Book;

use crate::language::{Words, fill, name_of_language};

/// What is known.
pub(super) fn details(book: &Book, words: &Words) -> Vec<(String, String)> {
    let words = &words.book;
    let year = book.published_year.map(|year| year.to_string());
    let age = book.min_age.map(|age| fill(&words.years, &[("age", &age.to_string())]));
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    let all = [
        (&words.year, year),
        (&words.language, text(&name_of_language(&book.language).to_owned())),
        (&words.publisher, text(&book.publisher)),
        (&words.isbn, text(&book.isbn13)),
        (&words.age, age),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.clone(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn what_is_not_known_is_left_out() {
        let book = Book {
            published_year: Some(1965),
            min_age: Some(12),
            isbn13: "9780441172719".to_owned(),
            ..Book::default()
        };
        let details = details(&book, Language::En.words());
        let expected = [
            ("First published", "1965"),
            ("ISBN", "9780441172719"),
            ("For readers from", "12 years"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(details, expected);
    }
}
