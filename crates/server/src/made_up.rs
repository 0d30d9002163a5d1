//! Made-up shops, to measure on: books without contents, and users without tastes of their own.
//! Everything in them is marked as simulated.

mod large;
mod shop;

use recommender::ItemNumber;
use recommender::offer::Offer;
use storage::Book;

pub use large::{BOOKS, fill, users};
pub use shop::{MadeUpError, MadeUpShop};

fn book(number: u32) -> Book {
    Book {
        number: ItemNumber(number),
        id: number.to_string(),
        title: format!("Book {number}"),
        authors: vec![format!("Author {}", number % 1_009)],
        published_year: None,
        language: Some("en".to_owned()),
        categories: vec![format!("category-{}", number % 20)],
        series: None,
        volume: None,
        work: None,
        isbn13: None,
        cover_url: None,
        publisher: None,
        offer: Offer::default(),
    }
}
