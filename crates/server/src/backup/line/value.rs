//! Values as lines have them: readable where they can be, exact always.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use storage::EventId;

/// A field does not hold what its name says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {found}, expected {expected}")]
pub(in crate::backup) struct FieldError {
    /// The field.
    pub(super) field: &'static str,
    /// What is in it, shortened.
    pub(super) found: String,
    /// What it should hold.
    pub(super) expected: &'static str,
}

impl FieldError {
    /// What was found, as text, is not what was expected.
    pub(super) fn new(field: &'static str, found: &str, expected: &'static str) -> Self {
        let head: String = found.chars().take(40).collect();
        let rest = if head.len() < found.len() { "…" } else { "" };
        Self { field, found: format!("{head:?}{rest}"), expected }
    }
}

/// A moment in milliseconds since 1970: RFC 3339 in UTC, or the number itself for a year before
/// -9999 or after 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Timestamp::from_millisecond(self.0) {
            Ok(moment) => serializer.collect_str(&moment),
            Err(_) => serializer.serialize_i64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MomentVisitor)
    }
}

struct MomentVisitor;

impl Visitor<'_> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a time by RFC 3339, or milliseconds since 1970")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
        let moment: Result<Timestamp, _> = text.parse();
        moment
            .map(|moment| Moment(moment.as_millisecond()))
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Moment, E> {
        Ok(Moment(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Moment, E> {
        i64::try_from(number)
            .map(Moment)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }
}

/// An event's id: as text if it is UTF-8, otherwise its bytes in base64.
pub(super) struct EventIdText {
    pub(super) event_id: Option<String>,
    pub(super) event_id_base64: Option<String>,
}

impl From<EventId> for EventIdText {
    fn from(id: EventId) -> Self {
        match std::str::from_utf8(id.as_bytes()) {
            Ok(text) => Self { event_id: Some(text.to_owned()), event_id_base64: None },
            Err(_) => {
                Self { event_id: None, event_id_base64: Some(STANDARD.encode(id.as_bytes())) }
            }
        }
    }
}

impl EventIdText {
    pub(super) fn event_id(self) -> Result<EventId, FieldError> {
        const EXPECTED: &str = "1 to 64 bytes, in event_id or in event_id_base64";
        let (bytes, text) = match (self.event_id, self.event_id_base64) {
            (Some(text), None) => (text.clone().into_bytes(), text),
            (None, Some(text)) => (STANDARD.decode(&text).unwrap_or_default(), text),
            (Some(_), Some(_)) => (Vec::new(), "in both".to_owned()),
            (None, None) => (Vec::new(), String::new()),
        };
        EventId::new(&bytes).map_err(|_| FieldError::new("event_id", &text, EXPECTED))
    }
}

/// The name of a value.
pub(super) fn name_of<T: PartialEq + Copy>(
    names: &[(T, &'static str)],
    value: T,
) -> Cow<'static, str> {
    let named = names.iter().find(|(named, _)| *named == value);
    named.map(|(_, name)| Cow::Borrowed(*name)).expect("every value has a name in its list")
}

/// The value with a name.
pub(super) fn by_name<T: Copy>(
    names: &[(T, &'static str)],
    field: &'static str,
    name: &str,
) -> Result<T, FieldError> {
    let named = names.iter().find(|(_, known)| *known == name);
    let unknown = || FieldError::new(field, name, "one of the names that the contract has for it");
    named.map(|(value, _)| *value).ok_or_else(unknown)
}
