//! What somebody did to a book, in words.

use api::v1::EventKind;

use crate::language::Words;

/// What was done; `None` for what nobody does.
pub(crate) fn did(kind: EventKind, words: &Words) -> Option<&str> {
    let library = &words.library;
    Some(match kind {
        EventKind::View => &library.viewed,
        EventKind::WantToRead => &library.want,
        EventKind::Cart => &library.cart,
        EventKind::Purchase => &library.bought,
        EventKind::Finish => &library.finished,
        EventKind::Rating => &library.rated,
        EventKind::Dismiss => &library.dismissed,
        EventKind::Abandon => &library.abandoned,
        EventKind::Return => &library.returned,
        EventKind::Unspecified | EventKind::Impression => return None,
    })
}
