//! The author cap: not too many of one author among the first.

use crate::catalogue::Catalogue;
use crate::marks::Marks;

use super::draft::Draft;
use super::steps::AuthorCap;
use super::trace::{Recorder, Why};

/// Working memory of [`apply`].
#[derive(Clone, Debug, Default)]
pub(super) struct CapMemory {
    books: Marks<u32>,
    order: Vec<u32>,
    later: Vec<u32>,
}

/// Fills the first places with shown items, in their order, of which no author has too many; the
/// rest follows in its order. A book counts for each of its authors. Where too few others
/// are left, the places hold what there is.
pub(super) fn apply(
    draft: &mut Draft,
    catalogue: &Catalogue,
    cap: AuthorCap,
    memory: &mut CapMemory,
    notes: &mut Recorder<'_>,
) {
    let CapMemory { books, order, later } = memory;
    books.clear();
    order.clear();
    later.clear();
    let shown = draft.shown();
    for (place, slot) in draft.slots[..shown].iter().enumerate() {
        if order.len() >= cap.places {
            break;
        }
        let authors = catalogue.authors_of(slot.item);
        let count = |author: &u32| books.get(*author).unwrap_or(0);
        if let Some(author) = authors.iter().find(|author| count(author) as usize >= cap.books) {
            notes.note(slot.item, Why::AuthorCap(*author));
            later.push(place as u32);
            continue;
        }
        for &author in authors {
            books.set(author, books.get(author).unwrap_or(0) + 1);
        }
        order.push(place as u32);
    }
    if !later.is_empty() {
        // What was looked at is in one of the two lists; what was not keeps its place.
        order.append(later);
        draft.reorder(order);
    }
}
