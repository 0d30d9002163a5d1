//! Categories as messages.

use api::v1::Category as CategoryMessage;

use crate::categories::Category;

/// A category, as the contract has it.
pub(super) fn to_message(category: &Category) -> CategoryMessage {
    CategoryMessage {
        slug: category.slug.clone(),
        title: category.title(),
        // A shop has fewer than 2³¹ books.
        book_count: category.books as i32,
    }
}
