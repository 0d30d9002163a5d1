//! What else is known of a book: names and values, in the order in which they are read.

use api::v1::Book;

use crate::language::{Words, counted, name_of_language};

/// What is known.
pub(super) fn details(book: &Book, words: &Words) -> Vec<(String, String)> {
    let texts = &words.book;
    let year = book.published_year.map(|year| year.to_string());
    let age = book.min_age.map(|age| counted(age, &texts.years_one, &texts.years_many));
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    let all = [
        (&texts.year, year),
        (&texts.language, text(&name_of_language(&book.language).to_owned())),
        (&texts.publisher, text(&book.publisher)),
        (&texts.isbn, text(&book.isbn13)),
        (&texts.age, age),
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
        let details = details(&book, Language::EN.words());
        let expected = [
            ("First published", "1965"),
            ("ISBN", "9780441172719"),
            ("For readers from", "12 years"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(details, expected);
    }
}
