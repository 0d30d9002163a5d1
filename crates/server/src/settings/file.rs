//! The settings file: TOML, with the line of each key.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Value;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::layers::Layers;
use super::reference::KeyPath;
use super::source::Source;
use super::text::{plain, quoted_path};

/// More is no settings file.
const BYTES_MAX: u64 = 1 << 20;

/// Adds what a file says.
pub(super) fn add(path: &Path, layers: &mut Layers) {
    match read(path, BYTES_MAX) {
        Ok(text) => add_text(path, &text, layers),
        Err(reason) => layers.other(format!(
            "settings file {} {reason}; --config or FOREWORD_CONFIG names it",
            quoted_path(path)
        )),
    }
}

/// The text of a file of at most so many bytes, or what is wrong with it.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    if !about.is_file() {
        return Err("is no file, expected a readable one".to_owned());
    }
    if about.len() > bytes_max {
        return Err(format!("has {} bytes, expected at most {bytes_max}", about.len()));
    }
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "cannot be read: permission denied; the account of the service needs to read it"
                .to_owned()
        }
        _ => format!("cannot be read: {error}"),
    })?;
    String::from_utf8(bytes).map_err(|error| {
        format!("is not UTF-8 from its byte {} on", error.utf8_error().valid_up_to() + 1)
    })
}

fn add_text(path: &Path, text: &str, layers: &mut Layers) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let first = errors.iter().min_by_key(|error| error.span().map_or(0, |span| span.start));
    if let Some(error) = first {
        return layers.other(syntax(path, text, error));
    }
    let mut lines = BTreeMap::new();
    let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
    collect(&mut Vec::new(), table.get_ref(), &ends, &mut lines);
    let spanned = toml::Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    let whole = match Value::deserialize(ValueDeserializer::from(spanned)) {
        Ok(whole) => whole,
        Err(error) => return layers.other(syntax(path, text, &error)),
    };
    let path: Arc<Path> = Arc::from(path);
    let source_of = |key: &KeyPath| {
        let line = (1..=key.len()).rev().find_map(|length| lines.get(&key[..length]));
        Source::File { path: Arc::clone(&path), line: line.copied().unwrap_or(1) }
    };
    let Value::Table(whole) = whole else { unreachable!("a document is a table") };
    for (key, value) in whole {
        layers.put(vec![key], value, &source_of);
    }
}

/// What is no TOML, and where.
fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let span = error.span().unwrap_or_default();
    let (line, column) = place(text, span.start);
    let message = error.message();
    // The parser says only that there is one.
    let key = text.get(span).filter(|_| message == "duplicate key").map(plain);
    let message = match key {
        Some(key) => format!("duplicate key {key}, expected each key once"),
        None => plain(&message.replace('\n', ", ")),
    };
    format!("{} line {line} column {column}: {message}", quoted_path(path))
}

/// Line and column, from 1, of a byte.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The line of each key, from the ends of the lines before it.
fn collect(
    path: &mut KeyPath,
    table: &DeTable<'_>,
    ends: &[usize],
    lines: &mut BTreeMap<KeyPath, usize>,
) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        let line = ends.partition_point(|end| *end < key.span().start) + 1;
        lines.insert(path.clone(), line);
        if let DeValue::Table(inner) = value.get_ref() {
            collect(path, inner, ends, lines);
        }
        path.pop();
    }
}
