//! Ids for imported events: the same row has the same id in every import, so that
//! importing a file twice stores nothing twice.

use recommender::EventKind;
use storage::EventId;
use xxhash_rust::xxh3::xxh3_128;

/// The id of the event that this user did this to this book at this time.
///
/// A rating's stars do not count: of two ratings of one book by one user at one
/// time the first is stored, and the second is reported as conflicting. The texts'
/// lengths do, so that "ab" and "c" are not "a" and "bc".
pub(super) fn event_id(user: &str, book: &str, kind: EventKind, time_ms: Option<i64>) -> EventId {
    let mut bytes = Vec::with_capacity(user.len() + book.len() + 26);
    for text in [user, book] {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.push(kind.number());
    bytes.push(u8::from(time_ms.is_some()));
    bytes.extend_from_slice(&time_ms.unwrap_or(0).to_le_bytes());
    EventId::new(&xxh3_128(&bytes).to_be_bytes()).expect("16 bytes are an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_wherever_events_do() {
        let ids = [
            event_id("ab", "c", EventKind::Rating, None),
            event_id("a", "bc", EventKind::Rating, None),
            event_id("ab", "c", EventKind::Purchase, None),
            event_id("ab", "c", EventKind::Rating, Some(0)),
            event_id("ab", "c", EventKind::Rating, Some(1)),
        ];
        for (index, id) in ids.iter().enumerate() {
            assert_eq!(id.as_bytes().len(), 16);
            assert!(!ids[..index].contains(id), "{index}");
        }
    }

    #[test]
    fn an_id_stays_the_same_in_every_version() {
        // Stores hold these ids: a change would store every event again.
        let id = event_id("314", "1", EventKind::Rating, None);
        let digits: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, "6d6bc503ad6c7ccb45c8c634cb5b6552");
    }
}
