//! Made-up shops, to measure on: books without contents, and users without tastes of their own.
//! Everything in them is marked as simulated.

mod large;
mod shop;

use recommender::ItemNumber;
use recommender::offer::Offer;
use storage::{Book, ModelFolder, Store};

use crate::train::{TrainedOn, trained_on};

pub use large::{BOOKS, events, fill, users};
pub use shop::{MadeUpError, MadeUpShop};

/// Whether the active model was trained on all that a store has.
///
/// # Errors
///
/// [`MadeUpError`].
pub async fn is_learnt(store: &Store, models: &ModelFolder) -> Result<bool, MadeUpError> {
    let Some(version) = models.active()? else { return Ok(false) };
    let now = TrainedOn::of(&store.revisions().await?);
    Ok(trained_on(models, version) == Some(now))
}

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
