//! A line for programs: `timestamp`, `level`, `target`, `message`, then the fields.
//!
//! The fields are those of the event, then those of the spans around it, so that a line of a
//! handler has `method` and `request_id` where the line of its call has them. Of several by one
//! name the event's counts, then that of the innermost span.

use std::fmt::{self, Debug, Write as _};

use serde_json::{Map, Value};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::{RecordFields, Visit};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime as _;
use tracing_subscriber::fmt::{
    FmtContext, FormatEvent, FormatFields, FormattedFields, time::SystemTime,
};
use tracing_subscriber::registry::LookupSpan;

use super::human::is_command;

/// One object of JSON a line. A field by the name of one of the first four gets `_` after it.
pub(super) struct Lines;

const FIRST: [&str; 4] = ["timestamp", "level", "target", "message"];

impl<S> FormatEvent<S, SpanFields> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, SpanFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.message.take().unwrap_or_default();
        // From the current span outwards.
        for span in context.event_scope().into_iter().flatten() {
            if let Some(of_span) = span.extensions().get::<FormattedFields<SpanFields>>() {
                for (name, value) in parsed(of_span) {
                    fields.others.entry(name).or_insert(value);
                }
            }
        }
        let metadata = event.metadata();
        let (level, target) = (metadata.level().as_str(), metadata.target());
        let first = [&timestamp, level, target, &message];
        let mut line = Escaped(&mut writer);
        for (place, (name, value)) in FIRST.iter().zip(first).enumerate() {
            let parted = if place == 0 { '{' } else { ',' };
            write!(line, "{parted}\"{name}\":{}", Value::from(value))?;
        }
        for (name, value) in &fields.others {
            write!(line, ",{}:{value}", Value::from(name.as_str()))?;
        }
        writeln!(writer, "}}")
    }
}

/// Keeps the fields of a span for the lines within it, as one object of JSON.
pub(super) struct SpanFields;

impl<'writer> FormatFields<'writer> for SpanFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut visitor = Fields::default();
        fields.record(&mut visitor);
        write!(writer, "{}", Value::from(visitor.of_span()))
    }

    fn add_fields(
        &self,
        current: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        let mut visitor = Fields { others: parsed(current), ..Fields::default() };
        fields.record(&mut visitor);
        current.fields = Value::from(visitor.of_span()).to_string();
        Ok(())
    }
}

/// The fields that [`SpanFields`] kept.
fn parsed(kept: &FormattedFields<SpanFields>) -> Map<String, Value> {
    serde_json::from_str(&kept.fields).unwrap_or_default()
}

/// Writes JSON. What its strings need not escape and a terminal may take as a command is escaped
/// too; outside of strings there is nothing of that kind.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(is_command) {
            let (plain, from) = rest.split_at(place);
            self.0.write_str(plain)?;
            let mut characters = from.chars();
            if let Some(command) = characters.next() {
                // All of them have four digits.
                write!(self.0, "\\u{:04x}", u32::from(command))?;
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

#[derive(Default)]
struct Fields {
    message: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    fn insert(&mut self, field: &tracing::field::Field, value: Value) {
        let name = field.name();
        let after = if FIRST.contains(&name) { "_" } else { "" };
        self.others.insert(format!("{name}{after}"), value);
    }

    /// All of them. A span has no message of its own.
    fn of_span(mut self) -> Map<String, Value> {
        if let Some(message) = self.message {
            self.others.insert("message_".to_owned(), Value::from(message));
        }
        self.others
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = Some(format!("{value:?}"));
        } else {
            self.insert(field, Value::from(format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "message" {
            self.message = Some(value.to_owned());
        } else {
            self.insert(field, Value::from(value));
        }
    }

    fn record_u64(&mut self, field: &tracing::field::Field, value: u64) {
        self.insert(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &tracing::field::Field, value: i64) {
        self.insert(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &tracing::field::Field, value: f64) {
        self.insert(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &tracing::field::Field, value: bool) {
        self.insert(field, Value::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LogFormat;
    use crate::telemetry::log::captured;

    fn check(logging: impl FnOnce(), after_target: &str) {
        let line = captured(LogFormat::Json, logging);
        let (_, found) = line.split_once("\"target\":\"t\",").unwrap();
        assert_eq!(found, format!("{after_target}}}\n"));
        assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    }

    #[test]
    fn a_line_has_the_fields_of_the_spans_around_it_and_its_own_count_more() {
        check(
            || {
                let _outer =
                    tracing::info_span!("outer", method = "/a", books = 3, level = 1).entered();
                let call = tracing::info_span!("call", method = "/b", request_id = "r-1", user = 7)
                    .entered();
                call.record("user", 8);
                tracing::info!(target: "t", user = "ann", "within");
            },
            r#""message":"within","books":3,"level_":1,"method":"/b","request_id":"r-1","user":"ann""#,
        );
        check(
            || {
                let span = tracing::info_span!("call", user = tracing::field::Empty, message = "m");
                span.record("user", "ann").in_scope(|| tracing::info!(target: "t", "later"));
            },
            r#""message":"later","message_":"m","user":"ann""#,
        );
    }

    #[test]
    fn no_command_to_a_terminal_is_left_in_a_line() {
        let bad = "\u{7f}\u{9b}2J\u{85}\u{200e}\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}\u{1b}ü";
        let escaped = r"\u007f\u009b2J\u0085\u200e\u2028\u2029\u202e\u2066\u2069\u001bü";
        check(
            || {
                let _call = tracing::info_span!("call", user = bad).entered();
                tracing::info!(target: "t", bad, "a {bad}");
            },
            &format!(r#""message":"a {escaped}","bad":"{escaped}","user":"{escaped}""#),
        );
        let line = format!("{{\"found\":\"{escaped}\"}}");
        let parsed: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["found"], bad);
    }
}
