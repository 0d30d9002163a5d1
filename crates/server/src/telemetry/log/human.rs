//! Fields of a line for people.
//!
//! Invariant: no value looks like another field. One that holds blanks, `=` or quotes is quoted as
//! Rust quotes strings; lists of such strings, as Debug writes them, are fine as they are.

use std::fmt::{self, Debug, Write as _};

use tracing_subscriber::field::{RecordFields, Visit};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// `message name=value name="a value"`, without control characters.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, text: String::new(), is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'w> {
    writer: Writer<'w>,
    /// The value that is written; kept for the next one's sake.
    text: String,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, name: &str, value: fmt::Arguments<'_>) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        match (name, self.writer.has_ansi_escapes()) {
            ("message", _) => return write!(Escaped(&mut self.writer), "{value}"),
            (_, true) => write!(self.writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m")?,
            (_, false) => write!(self.writer, "{name}=")?,
        }
        self.text.clear();
        write!(self.text, "{value}")?;
        if is_one_value(&self.text) {
            Escaped(&mut self.writer).write_str(&self.text)
        } else {
            write!(Escaped(&mut self.writer), "{:?}", self.text)
        }
    }
}

/// Whether nobody can take a text for several fields: it is a word, a string in quotes, or a list
/// of these.
fn is_one_value(text: &str) -> bool {
    let is_word = |text: &str| !text.is_empty() && !text.contains(is_parting);
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    is_word(text) || after_string(text) == Some("") || list.is_some_and(is_list)
}

/// Whether a text is words and strings with `, ` between.
fn is_list(text: &str) -> bool {
    let mut rest = text;
    loop {
        let word = rest.find(|character| is_parting(character) || character == ',');
        let after = after_string(rest).or_else(|| match word {
            None => Some(""),
            Some(0) => None,
            Some(end) => Some(&rest[end..]),
        });
        match after.map(|after| (after, after.strip_prefix(", "))) {
            Some(("", _)) => return true,
            Some((_, Some(next))) => rest = next,
            Some((_, None)) | None => return false,
        }
    }
}

/// What follows the string in quotes that a text begins with.
fn after_string(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inside.find(|character| {
        let is_end = character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        is_end
    })?;
    Some(&inside[end + 1..])
}

fn is_parting(character: char) -> bool {
    character.is_whitespace() || character == '=' || character == '"'
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
pub(super) fn is_command(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LogFormat;
    use crate::telemetry::log::captured;

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

    #[test]
    fn no_value_looks_like_another_field() {
        let check = |value: &str, expected: &str| {
            let line =
                captured(LogFormat::Human, || tracing::info!(sub = %value, code = 3, "call"));
            assert!(line.ends_with(&format!("call sub={expected} code=3\n")), "{line}");
        };
        check("ann", "ann");
        check("10.0.0.1:50051", "10.0.0.1:50051");
        check("", r#""""#);
        check("ann peer=10.0.0.1", r#""ann peer=10.0.0.1""#);
        check("ann=bob", r#""ann=bob""#);
        check("ann\u{a0}bob", r#""ann\u{a0}bob""#);
        check("ann\tbob\u{9b}", r#""ann\tbob\u{9b}""#);
        check(r#"ann" peer="x"#, r#""ann\" peer=\"x""#);
        check(r#""ann" peer="x""#, r#""\"ann\" peer=\"x\"""#);
        check(r#""ann\" peer=x"#, r#""\"ann\\\" peer=x""#);
        check(r#"["a b", "c=d", e]"#, r#"["a b", "c=d", e]"#);
        check("[]", "[]");
        check("[a] peer=[b]", r#""[a] peer=[b]""#);
        check("[a, peer=b]", r#""[a, peer=b]""#);
        check("[a b]", r#""[a b]""#);
        check(r#"["a" b]"#, r#""[\"a\" b]""#);
    }

    #[test]
    fn strings_are_quoted_once_and_a_line_names_its_call() {
        let line = captured(LogFormat::Human, || {
            let _call = tracing::info_span!("call", request_id = "r-1", user = "a b").entered();
            tracing::info!(title = "Emma = \"Emma\"", "read");
        });
        assert!(line.contains(r#"call{request_id="r-1" user="a b"}"#), "{line}");
        assert!(line.ends_with("read title=\"Emma = \\\"Emma\\\"\"\n"), "{line}");
    }
}
