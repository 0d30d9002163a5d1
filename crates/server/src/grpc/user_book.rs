//! What a user did to a book, as a message.

use api::v1::{Book as BookMessage, UserAction, UserBook as UserBookMessage};
use recommender::Rating;
use storage::{EventId, HistoryEvent};

use super::book;
use super::time::timestamp;
use crate::generation::Generation;
use crate::library::UserBook;

/// A book of a user, as the contract has it. `id` is the book's, for one that the shop does not have.
pub(super) fn to_message(
    generation: &Generation,
    of_user: &UserBook,
    id: Option<String>,
) -> UserBookMessage {
    let index = generation.index_of(of_user.item);
    let known = index.and_then(|index| generation.book(index)).map(book::to_message);
    let unknown = || BookMessage {
        id: id.unwrap_or_default(),
        // Numbers have 31 bits.
        number: of_user.item.0 as i32,
        ..BookMessage::default()
    };
    UserBookMessage {
        book: Some(known.unwrap_or_else(unknown)),
        actions: of_user.actions.iter().map(action).collect(),
    }
}

fn action(event: &HistoryEvent) -> UserAction {
    UserAction {
        kind: event.kind.number().into(),
        rating: event.rating.map_or(0.0, Rating::stars),
        event_time: event.time_ms.map(timestamp),
        event_id: text_of(event.event_id).unwrap_or_default(),
    }
}

/// An event's id as the text that a client gave it; `None` for one that an import made up.
pub(super) fn text_of(id: EventId) -> Option<String> {
    let text = std::str::from_utf8(id.as_bytes()).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}
