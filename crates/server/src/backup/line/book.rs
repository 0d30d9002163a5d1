//! Lines of books.

use recommender::ItemNumber;
use recommender::offer::{Offer, Price};
use serde::{Deserialize, Serialize};
use storage::{Book, Row};

use super::value::FieldError;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct BookLine {
    number: u32,
    /// For whoever reads the file: the number decides.
    id: String,
    title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    authors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published_year: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    volume: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    isbn13: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cover_uri: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stock: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price: Option<PriceField>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_age: Option<u8>,
    revision: i64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PriceField {
    minor_units: u64,
    currency: String,
}

impl BookLine {
    pub(super) fn new(book: Book, revision: i64) -> Self {
        Self {
            number: book.number.0,
            id: book.id,
            title: book.title,
            authors: book.authors,
            published_year: book.published_year,
            language: book.language,
            categories: book.categories,
            series: book.series,
            volume: book.volume,
            work_id: book.work,
            isbn13: book.isbn13,
            cover_uri: book.cover_url,
            publisher: book.publisher,
            stock: book.offer.stock,
            price: book.offer.price.map(PriceField::from),
            min_age: book.offer.age_min,
            revision,
        }
    }

    pub(super) fn row(self) -> Result<Row, FieldError> {
        let book = Book {
            number: ItemNumber(self.number),
            id: self.id,
            title: self.title,
            authors: self.authors,
            published_year: self.published_year,
            language: self.language,
            categories: self.categories,
            series: self.series,
            volume: self.volume,
            work: self.work_id,
            isbn13: self.isbn13,
            cover_url: self.cover_uri,
            publisher: self.publisher,
            offer: Offer {
                stock: self.stock,
                price: self.price.map(PriceField::price).transpose()?,
                age_min: self.min_age,
            },
        };
        Ok(Row::Book { book: Box::new(book), revision: self.revision })
    }
}

impl From<Price> for PriceField {
    fn from(price: Price) -> Self {
        Self { minor_units: price.minor_units, currency: price.currency.to_string() }
    }
}

impl PriceField {
    fn price(self) -> Result<Price, FieldError> {
        let Self { minor_units, currency } = self;
        let unknown =
            |_| FieldError::new("price.currency", &currency, "three letters, as ISO 4217 has them");
        Ok(Price { minor_units, currency: currency.parse().map_err(unknown)? })
    }
}
