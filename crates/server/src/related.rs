//! What belongs to a book: its other editions, and the books of its series.

use crate::generation::Generation;

/// The most other editions that are told.
const EDITIONS_MAX: usize = 100;

/// The most books of a series that are told.
const SERIES_BOOKS_MAX: usize = 200;

/// The other editions of a book's work, by number.
pub(crate) fn editions(generation: &Generation, index: u32) -> Vec<u32> {
    let editions = generation.shop().catalogue.editions(index).iter().copied();
    let mut others: Vec<u32> = editions
        .filter(|edition| *edition != index && generation.book(*edition).is_some())
        .collect();
    others.sort_unstable_by_key(|edition| generation.book(*edition).map(|book| book.number));
    others.truncate(EDITIONS_MAX);
    others
}

/// The books that have a place in a book's series, in their order: of each work one, of the book's
/// own work the book. Empty if it is part of none.
pub(crate) fn series_books(generation: &Generation, index: u32) -> Vec<u32> {
    let catalogue = generation.shop().catalogue;
    let Some(series) = catalogue.series_of(index) else { return Vec::new() };
    let own = catalogue.work(index);
    let mut works = vec![];
    let mut books = Vec::new();
    for &volume in catalogue.volumes(series) {
        let work = catalogue.work(volume);
        let is_wanted = if work == own { volume == index } else { !works.contains(&work) };
        if is_wanted && generation.book(volume).is_some() {
            works.push(work);
            books.push(volume);
        }
        if books.len() == SERIES_BOOKS_MAX {
            break;
        }
    }
    books
}
