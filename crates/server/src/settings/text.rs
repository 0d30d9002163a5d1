//! Texts of others within messages of ours: short, on one line, without control characters.

use std::path::Path;

use toml::Value;

/// The most characters of a name or a value in a message.
const CHARACTERS_MAX: usize = 80;

/// The most characters of a path: to cut it would hide which file it is.
const PATH_CHARACTERS_MAX: usize = 4096;

/// The most characters of a message that another part of the program made.
const SENTENCE_CHARACTERS_MAX: usize = 400;

/// A text as it is but for control characters, and cut.
pub(super) fn plain(text: &str) -> String {
    shortened(text, CHARACTERS_MAX)
}

/// A path for a message.
pub(super) fn quoted_path(path: &Path) -> String {
    shortened(&path.to_string_lossy(), PATH_CHARACTERS_MAX)
}

/// What another part of the program says of a value.
pub(super) fn sentence(text: &str) -> String {
    shortened(&text.lines().collect::<Vec<_>>().join(", "), SENTENCE_CHARACTERS_MAX)
}

fn shortened(text: &str, characters_max: usize) -> String {
    let mut short = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == characters_max {
            short.push('…');
            break;
        }
        if character.is_control() || matches!(character, '\u{2028}'..='\u{202e}') {
            short.extend(character.escape_unicode());
        } else {
            short.push(character);
        }
    }
    short
}

/// A value as TOML, for a message.
pub(super) fn excerpt(value: &Value) -> String {
    plain(&value.to_string())
}

/// A key with its sections; parts that are no bare keys are quoted.
pub(super) fn dotted(path: &[String]) -> String {
    let is_bare = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        !part.is_empty() && part.bytes().all(fits)
    };
    let parts: Vec<String> = path
        .iter()
        .map(|part| if is_bare(part) { plain(part) } else { plain(&format!("{part:?}")) })
        .collect();
    shortened(&parts.join("."), 4 * CHARACTERS_MAX)
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_are_short_and_on_one_line() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check("train", "train");
        check("a\nb\u{1b}[31m", "a\\u{a}b\\u{1b}[31m");
        check("\u{202e}gpj", "\\u{202e}gpj");
        assert!(plain(&"x".repeat(1000)).chars().count() <= CHARACTERS_MAX + 1);
        let path = ["access", "certificates", "shop.example"].map(str::to_owned);
        assert_eq!(dotted(&path), "access.certificates.\"shop.example\"");
    }
}
