//! Lines of events and impressions.

use std::borrow::Cow;

use recommender::{EventKind, ItemNumber, Rating, UserNumber};
use serde::{Deserialize, Serialize};
use storage::{EventOrigin, NewEvent, NewImpression, Row};

use super::value::{EventIdText, FieldError, Moment, by_name, name_of};

const KINDS: [(EventKind, &str); 9] = [
    (EventKind::View, "EVENT_KIND_VIEW"),
    (EventKind::WantToRead, "EVENT_KIND_WANT_TO_READ"),
    (EventKind::Cart, "EVENT_KIND_CART"),
    (EventKind::Purchase, "EVENT_KIND_PURCHASE"),
    (EventKind::Finish, "EVENT_KIND_FINISH"),
    (EventKind::Rating, "EVENT_KIND_RATING"),
    (EventKind::Dismiss, "EVENT_KIND_DISMISS"),
    (EventKind::Abandon, "EVENT_KIND_ABANDON"),
    (EventKind::Return, "EVENT_KIND_RETURN"),
];

const ORIGINS: [(EventOrigin, &str); 3] = [
    (EventOrigin::Client, "ORIGIN_CLIENT"),
    (EventOrigin::Import, "ORIGIN_IMPORT"),
    (EventOrigin::Simulated, "ORIGIN_SIMULATED"),
];

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct EventLine {
    user_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id_base64: Option<String>,
    book_number: u32,
    kind: Cow<'static, str>,
    /// In stars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rating: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<Moment>,
    record_time: Moment,
    origin: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribution_token: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retracted: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct ImpressionLine {
    user_number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_id_base64: Option<String>,
    book_number: u32,
    event_time: Moment,
    record_time: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribution_token: Option<String>,
    sequence: i64,
}

impl EventLine {
    pub(super) fn new(event: NewEvent, retracted: bool) -> Self {
        let EventIdText { event_id, event_id_base64 } = event.event_id.into();
        Self {
            user_number: event.user.0,
            event_id,
            event_id_base64,
            book_number: event.item.0,
            kind: name_of(&KINDS, event.kind),
            rating: event.rating.map(|rating| f64::from(rating.half_stars()) / 2.0),
            event_time: event.time_ms.map(Moment),
            record_time: Moment(event.recorded_ms),
            origin: name_of(&ORIGINS, event.origin),
            attribution_token: event.attribution_token,
            retracted,
        }
    }

    pub(super) fn row(self) -> Result<Row, FieldError> {
        let Self { event_id, event_id_base64, retracted, .. } = self;
        let event = NewEvent {
            user: UserNumber(self.user_number),
            item: ItemNumber(self.book_number),
            event_id: EventIdText { event_id, event_id_base64 }.event_id()?,
            kind: by_name(&KINDS, "kind", &self.kind)?,
            rating: self.rating.map(rating).transpose()?,
            time_ms: self.event_time.map(|time| time.0),
            recorded_ms: self.record_time.0,
            origin: by_name(&ORIGINS, "origin", &self.origin)?,
            attribution_token: self.attribution_token,
        };
        Ok(Row::Event { event, retracted })
    }
}

impl ImpressionLine {
    pub(super) fn new(impression: NewImpression, sequence: i64) -> Self {
        let EventIdText { event_id, event_id_base64 } = impression.event_id.into();
        Self {
            user_number: impression.user.0,
            event_id,
            event_id_base64,
            book_number: impression.item.0,
            event_time: Moment(impression.time_ms),
            record_time: Moment(impression.recorded_ms),
            attribution_token: impression.attribution_token,
            sequence,
        }
    }

    pub(super) fn row(self) -> Result<Row, FieldError> {
        let Self { event_id, event_id_base64, sequence, .. } = self;
        let impression = NewImpression {
            user: UserNumber(self.user_number),
            item: ItemNumber(self.book_number),
            event_id: EventIdText { event_id, event_id_base64 }.event_id()?,
            time_ms: self.event_time.0,
            recorded_ms: self.record_time.0,
            attribution_token: self.attribution_token,
        };
        Ok(Row::Impression { impression, sequence })
    }
}

/// A rating of so many stars.
fn rating(stars: f64) -> Result<Rating, FieldError> {
    const EXPECTED: &str = "1 to 5 stars in steps of 0.5";
    let half_stars = (2.0..=10.0).contains(&(2.0 * stars)).then_some((2.0 * stars) as u8);
    half_stars
        .filter(|half_stars| f64::from(*half_stars) == 2.0 * stars)
        .and_then(Rating::from_half_stars)
        .ok_or_else(|| FieldError::new("rating", &stars.to_string(), EXPECTED))
}

#[cfg(test)]
mod tests {
    use api::v1::stored_event::Origin;

    use super::*;

    #[test]
    fn kinds_and_origins_have_the_names_of_the_contract() {
        assert_eq!(KINDS.map(|(kind, _)| kind), EventKind::ALL);
        for (kind, name) in KINDS {
            let known = api::v1::EventKind::from_str_name(name).unwrap();
            assert_eq!(known as i32, i32::from(kind.number()));
        }
        assert_eq!(ORIGINS.map(|(origin, _)| origin), EventOrigin::ALL);
        for (origin, name) in ORIGINS {
            assert_eq!(Origin::from_str_name(name).unwrap() as i32, i32::from(origin.number()));
        }
    }

    #[test]
    fn ratings_are_whole_or_half_stars() {
        for half_stars in 2..=10 {
            let read = rating(f64::from(half_stars) / 2.0).unwrap();
            assert_eq!(read.half_stars(), half_stars);
        }
        for stars in [0.0, 0.5, 1.25, 5.5, -1.0, f64::NAN, f64::INFINITY] {
            assert!(rating(stars).is_err(), "{stars}");
        }
    }
}
