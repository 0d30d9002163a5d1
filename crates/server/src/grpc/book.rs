//! Books from messages, with everything checked, and to messages again.

use api::v1::{Book as BookMessage, Price as PriceMessage};
use recommender::ItemNumber;
use recommender::offer::{Currency, CurrencyError, Offer, Price};
use storage::Book;
use storage::book::PRICE_MAX;

use super::v1::check_id;
use super::violations::Violations;

/// The digits of an ISBN.
const ISBN_DIGITS: usize = 13;

/// The book that a message describes; without a number, since that is the store's to give. What is
/// wrong with it is noted with its place in the request, such as `books[3]`.
pub(super) fn from_message(place: &str, message: BookMessage, found: &mut Violations) -> Book {
    let field = |name: &str| format!("{place}.{name}");
    check_id(&field("id"), &message.id, found);
    let stated = |text: String| (!text.is_empty()).then_some(text);
    let isbn13 = stated(message.isbn13).and_then(|text| isbn(&field("isbn13"), &text, found));
    let age_min = message.min_age.and_then(|age| {
        let years = u8::try_from(age).ok();
        found.expect(years.is_some(), &field("min_age"), age, "0 to 120");
        years
    });
    let price = message.price.and_then(|message| price(&field("price"), &message, found));
    let book = Book {
        // Only there to be checked: it is given by the store.
        number: ItemNumber(1),
        id: message.id,
        title: message.title,
        authors: message.authors,
        published_year: message.published_year,
        language: stated(message.language),
        categories: message.categories,
        series: stated(message.series),
        volume: message.volume,
        work: stated(message.work_id),
        isbn13,
        cover_url: stated(message.cover_uri),
        publisher: stated(message.publisher),
        offer: Offer { stock: message.stock, price, age_min },
    };
    for problem in book.problems() {
        found.add(&field(name(problem.field)), problem.found, &problem.expected);
    }
    book
}

/// What the contract calls a field of a book.
fn name(field: &'static str) -> &'static str {
    match field {
        "work" => "work_id",
        "cover_url" => "cover_uri",
        "price" => "price.minor_units",
        "age_min" => "min_age",
        other => other,
    }
}

fn isbn(field: &str, text: &str, found: &mut Violations) -> Option<u64> {
    let is_isbn = text.len() == ISBN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = is_isbn.then(|| text.parse().ok()).flatten();
    found.expect(digits.is_some(), field, format_args!("{text:?}"), "13 digits");
    digits
}

/// The price that a message holds, if there is nothing wrong with it.
pub(super) fn price(field: &str, message: &PriceMessage, found: &mut Violations) -> Option<Price> {
    let minor_units = u64::try_from(message.minor_units).ok().filter(|units| *units <= PRICE_MAX);
    let units_field = format!("{field}.minor_units");
    let expected = format!("0 to {PRICE_MAX}");
    found.expect(minor_units.is_some(), &units_field, message.minor_units, &expected);
    let currency: Result<Currency, CurrencyError> = message.currency.parse();
    if currency.is_err() {
        let shown = format_args!("{:?}", message.currency);
        found.add(&format!("{field}.currency"), shown, "an ISO 4217 code such as \"EUR\"");
    }
    Some(Price { minor_units: minor_units?, currency: currency.ok()? })
}

/// A book as clients see it.
pub(super) fn to_message(book: &Book) -> BookMessage {
    BookMessage {
        id: book.id.clone(),
        // Numbers have 31 bits.
        number: book.number.0 as i32,
        title: book.title.clone(),
        authors: book.authors.clone(),
        published_year: book.published_year,
        language: book.language.clone().unwrap_or_default(),
        categories: book.categories.clone(),
        series: book.series.clone().unwrap_or_default(),
        volume: book.volume,
        work_id: book.work.clone().unwrap_or_default(),
        cover_uri: book.cover_url.clone().unwrap_or_default(),
        publisher: book.publisher.clone().unwrap_or_default(),
        stock: book.offer.stock,
        price: book.offer.price.map(price_message),
        min_age: book.offer.age_min.map(i32::from),
        isbn13: book.isbn13.map_or_else(String::new, |isbn| isbn.to_string()),
    }
}

fn price_message(price: Price) -> PriceMessage {
    PriceMessage {
        // The store takes prices of 12 digits.
        minor_units: i64::try_from(price.minor_units).unwrap_or(i64::MAX),
        currency: price.currency.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dune() -> BookMessage {
        BookMessage {
            id: "9780441172719".to_owned(),
            title: "Dune".to_owned(),
            authors: vec!["Frank Herbert".to_owned()],
            published_year: Some(1965),
            language: "en".to_owned(),
            categories: vec!["science-fiction".to_owned()],
            series: "Dune".to_owned(),
            volume: Some(1.0),
            work_id: "3634639".to_owned(),
            cover_uri: "https://covers.example/dune.jpg".to_owned(),
            publisher: "Ace".to_owned(),
            stock: Some(3),
            price: Some(PriceMessage { minor_units: 1290, currency: "EUR".to_owned() }),
            min_age: Some(14),
            isbn13: "9780441172719".to_owned(),
            number: 0,
        }
    }

    #[test]
    fn a_book_comes_back_as_it_was_sent() {
        let mut found = Violations::new();
        let book = from_message("books[0]", dune(), &mut found);
        assert!(found.check().is_ok());
        assert_eq!(to_message(&Book { number: ItemNumber(0), ..book }), dune());
    }

    /// Changes a book and says which fields are then at fault.
    fn check(change: impl FnOnce(&mut BookMessage), fields: &[&str]) {
        let mut message = dune();
        change(&mut message);
        let mut found = Violations::new();
        from_message("books[2]", message, &mut found);
        let told: Vec<String> = match found.check() {
            Ok(()) => Vec::new(),
            Err(invalid) => invalid.fields.into_iter().map(|one| one.field).collect(),
        };
        let fields: Vec<String> = fields.iter().map(|field| format!("books[2].{field}")).collect();
        assert_eq!(told, fields);
    }

    #[test]
    fn every_field_at_fault_is_named_as_the_contract_has_it() {
        check(|_| (), &[]);
        check(|book| book.id.clear(), &["id"]);
        check(|book| book.work_id = "w".repeat(65), &["work_id"]);
        check(|book| book.cover_uri = "a\nb".to_owned(), &["cover_uri"]);
        check(|book| book.isbn13 = "978-0441172719".to_owned(), &["isbn13"]);
        check(|book| book.isbn13 = "1234567890123".to_owned(), &["isbn13"]);
        check(|book| book.min_age = Some(-1), &["min_age"]);
        check(|book| book.min_age = Some(121), &["min_age"]);
        let price = |minor_units, currency: &str| {
            Some(PriceMessage { minor_units, currency: currency.to_owned() })
        };
        check(|book| book.price = price(-1, "EURO"), &["price.minor_units", "price.currency"]);
        check(
            |book| {
                book.title.clear();
                book.categories = vec!["Science Fiction".to_owned()];
            },
            &["title", "categories"],
        );
    }
}
