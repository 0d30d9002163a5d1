//! Finds the store's book that another catalogue means.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use recommender::ItemNumber;
use storage::{Book, Store, StoreError};

use super::normalise::match_keys;

/// How many books are read from the store at once.
const PAGE_BOOKS: u32 = 2048;

/// The books of a store by ISBN and by title and author. Only hashes are kept, some
/// 60 bytes a book.
#[derive(Debug, Default)]
pub(super) struct MatchIndex {
    isbns: HashMap<u64, ItemNumber>,
    full: HashMap<u64, ItemNumber>,
    short: HashMap<u64, Short>,
}

/// The book with a title without subtitle, if it is only one.
#[derive(Clone, Copy, Debug)]
struct Short {
    item: ItemNumber,
    /// A hash of the whole title and the author.
    full: u64,
    several: bool,
}

impl MatchIndex {
    /// Reads every book of a store.
    pub(super) async fn of(store: &Store) -> Result<Self, StoreError> {
        let mut index = Self::default();
        let mut after = None;
        loop {
            let books = store.books_after(after, PAGE_BOOKS).await?;
            let Some(last) = books.last() else { return Ok(index) };
            after = Some(last.number);
            books.iter().for_each(|book| index.add(book));
        }
    }

    /// Adds a book. They come by number, and the lowest number stays.
    fn add(&mut self, book: &Book) {
        if let Some(isbn) = book.isbn13 {
            self.isbns.entry(isbn).or_insert(book.number);
        }
        let author = book.authors.first().map_or("", String::as_str);
        let Some(keys) = match_keys(&book.title, author) else { return };
        self.full.entry(keys.full).or_insert(book.number);
        if keys.has_subtitle {
            match self.short.entry(keys.short) {
                Entry::Vacant(entry) => {
                    entry.insert(Short { item: book.number, full: keys.full, several: false });
                }
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    known.several |= known.full != keys.full;
                }
            }
        }
    }

    /// The book with this ISBN.
    pub(super) fn by_isbn(&self, isbn: u64) -> Option<ItemNumber> {
        self.isbns.get(&isbn).copied()
    }

    /// The book with this title and author. Its subtitle may be missing here or
    /// there, if there is no doubt which book is meant.
    pub(super) fn by_title(&self, title: &str, author: &str) -> Option<ItemNumber> {
        let keys = match_keys(title, author)?;
        if let Some(item) = self.full.get(&keys.full) {
            return Some(*item);
        }
        if keys.has_subtitle {
            let bare = title.split(':').next().unwrap_or_default();
            return self.full.get(&match_keys(bare, author)?.full).copied();
        }
        self.short.get(&keys.short).filter(|short| !short.several).map(|short| short.item)
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::book;
    use super::*;

    fn index(titles: &[(&str, &str)]) -> MatchIndex {
        let mut index = MatchIndex::default();
        for (number, (title, author)) in (1..).zip(titles) {
            let mut book = book("", (*title).to_owned());
            book.number = ItemNumber(number);
            book.authors = vec![(*author).to_owned()];
            index.add(&book);
        }
        index
    }

    #[test]
    fn a_subtitle_may_be_missing_where_no_other_book_is_meant() {
        let index = index(&[
            ("Dune", "Frank Herbert"),
            ("Dune: House Atreides", "Brian Herbert"),
            ("Sapiens: A Brief History of Humankind", "Yuval Noah Harari"),
            ("Star Wars: Heir to the Empire", "Timothy Zahn"),
            ("Star Wars: The Last Command", "Timothy Zahn"),
            ("Dune", "Frank Herbert"),
        ]);
        for (title, author, number) in [
            ("Dune (Dune, #1)", "Frank Herbert", Some(1)),
            ("Dune: House Atreides (Prelude to Dune, #1)", "Brian Herbert", Some(2)),
            ("Sapiens", "Yuval Noah Harari", Some(3)),
            ("Star Wars", "Timothy Zahn", None),
            ("Dune: A Novel", "Frank Herbert", Some(1)),
            ("Emma", "Jane Austen", None),
        ] {
            assert_eq!(index.by_title(title, author), number.map(ItemNumber), "{title:?}");
        }
    }
}
