//! Fields of a line for people.

use std::fmt::{self, Debug, Write as _};

use tracing_subscriber::field::{RecordFields, Visit};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// `message name=value name=value`, without control characters.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'w> {
    writer: Writer<'w>,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, name: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        match (name, self.writer.has_ansi_escapes()) {
            ("message", _) => {}
            (_, true) => write!(self.writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m")?,
            (_, false) => write!(self.writer, "{name}=")?,
        }
        write!(Escaped(&mut self.writer), "{value}")
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        if self.result.is_ok() {
            self.result = self.write(field.name(), format_args!("{value:?}"));
        }
    }
}

/// A text without control characters, for a terminal.
pub(crate) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = Escaped(&mut written).write_str(text);
    written
}

/// Writes control characters as Rust does in a string: `\n`, `\u{1b}`.
struct Escaped<W>(W);

impl<W: fmt::Write> fmt::Write for Escaped<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(place) = rest.find(is_command) {
            let (plain, from) = rest.split_at(place);
            self.0.write_str(plain)?;
            let mut characters = from.chars();
            if let Some(command) = characters.next() {
                write!(self.0, "{}", command.escape_default())?;
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Control characters, and those that turn the direction of writing around or part lines.
fn is_command(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_terminals_are_escaped_and_letters_are_not() {
        let check = |text: &str, expected: &str| {
            assert_eq!(escaped(text), expected);
        };
        check("Bücher, 本 \"x\"", "Bücher, 本 \"x\"");
        check("a\u{1b}[31mb", "a\\u{1b}[31mb");
        check("a\nINFO forged\r", "a\\nINFO forged\\r");
        check("\u{9b}2J\u{202e}", "\\u{9b}2J\\u{202e}");
    }
}
