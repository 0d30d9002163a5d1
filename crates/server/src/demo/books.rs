//! The demo's books, from the file that is built in.

use recommender::ItemNumber;
use recommender::offer::{Offer, Price};
use serde::Deserialize;
use storage::Book;

const FILE: &str = include_str!("books.csv");

/// One row of the file: one edition.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    title: String,
    authors: String,
    year: i32,
    pub(super) language: String,
    categories: String,
    pub(super) series: String,
    pub(super) volume: Option<f64>,
    pub(super) work: String,
}

impl Row {
    pub(super) fn authors(&self) -> impl Iterator<Item = &str> {
        self.authors.split(';')
    }

    pub(super) fn categories(&self) -> impl Iterator<Item = &str> {
        self.categories.split(';')
    }

    pub(super) fn book(&self, number: ItemNumber) -> Book {
        Book {
            number,
            id: self.id.clone(),
            title: self.title.clone(),
            authors: self.authors().map(ToOwned::to_owned).collect(),
            published_year: Some(self.year),
            language: Some(self.language.clone()),
            categories: self.categories().map(ToOwned::to_owned).collect(),
            series: (!self.series.is_empty()).then(|| self.series.clone()),
            volume: self.volume,
            work: Some(self.work.clone()),
            isbn13: None,
            cover_url: None,
            publisher: None,
            offer: made_up_offer(number),
        }
    }
}

/// A price and some units, made up by the number: so that the demo has something to sell.
fn made_up_offer(number: ItemNumber) -> Offer {
    let currency = "EUR".parse().expect("it is a currency's code");
    let price = Price { minor_units: 790 + u64::from(number.0 * 7 % 16) * 100, currency };
    Offer { stock: Some(3 + number.0 * 11 % 28), price: Some(price), age_min: None }
}

/// The rows of the built-in file.
pub(super) fn read() -> Result<Vec<Row>, csv::Error> {
    csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(FILE.as_bytes())
        .deserialize()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn every_row_is_a_book_that_a_store_takes() {
        let rows = read().unwrap();
        assert!(rows.len() >= 400, "{}", rows.len());
        for (row, number) in rows.iter().zip(1..) {
            assert_eq!(row.id, number.to_string());
            row.book(ItemNumber(number)).check().unwrap();
            assert_eq!(row.series.is_empty(), row.volume.is_none(), "{row:?}");
        }
    }

    #[test]
    fn editions_of_a_work_differ_only_in_title_and_language() {
        let rows = read().unwrap();
        let mut works: HashMap<&str, Vec<&Row>> = HashMap::new();
        for row in &rows {
            works.entry(&row.work).or_default().push(row);
        }
        let several: Vec<_> = works.values().filter(|editions| editions.len() > 1).collect();
        assert!(several.len() >= 12);
        for editions in several {
            let same = |row: &&Row| (row.authors.clone(), row.year, row.series.clone(), row.volume);
            assert!(
                editions.windows(2).all(|pair| same(&pair[0]) == same(&pair[1])),
                "{editions:?}"
            );
            let languages: HashSet<&str> = editions.iter().map(|row| &*row.language).collect();
            assert_eq!(languages.len(), editions.len(), "{editions:?}");
        }
    }
}
