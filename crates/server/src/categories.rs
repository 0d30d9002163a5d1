//! The categories of a shop: what its books say they are in.

use crate::generation::Generation;

/// A category of books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    /// Its slug.
    pub(crate) slug: String,
    /// How many books of the shop are in it.
    pub(crate) books: usize,
}

impl Category {
    /// Its name for people: the slug's words, the first with a capital.
    pub(crate) fn title(&self) -> String {
        let words = self.slug.replace('-', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|letter| letter.to_uppercase());
        first.into_iter().flatten().chain(letters).collect()
    }
}

/// A category by its slug; without books if there is none.
pub(crate) fn find(generation: &Generation, slug: &str) -> Category {
    let books = generation.shop().catalogue.category(slug).len();
    Category { slug: slug.to_owned(), books }
}

/// All categories of the shop, those with most books first, then by slug.
pub(crate) fn all(generation: &Generation) -> Vec<Category> {
    let categories = generation.shop().catalogue.categories();
    let category =
        |(slug, books): (&str, &[u32])| Category { slug: slug.to_owned(), books: books.len() };
    let mut all: Vec<Category> = categories.map(category).collect();
    all.sort_unstable_by(|left, right| {
        right.books.cmp(&left.books).then_with(|| left.slug.cmp(&right.slug))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_slug_as_people_write_it() {
        for (slug, title) in
            [("mystery", "Mystery"), ("science-fiction", "Science fiction"), ("1920s", "1920s")]
        {
            assert_eq!(Category { slug: slug.to_owned(), books: 1 }.title(), title);
        }
    }
}
