//! `--set SECTION.KEY=VALUE`, other flags that stand for a key, and values given as a text.

use toml::Value;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use serde::Deserialize;

use super::layers::Layers;
use super::reference::{KeyPath, Kind, Place, Reference};
use super::source::{Source, Sources};

const SET: &str = "--set";

/// Adds what the command line says: `--set` in its order, over it the flags of single keys.
pub(super) fn add(sources: &Sources, layers: &mut Layers) {
    let source = Source::Flag { name: SET };
    for (place, assignment) in sources.assignments.iter().enumerate() {
        let Some((path, text)) = parse(assignment) else {
            // It is not shown, because it may have been meant to be secret.
            layers.other(format!(
                "number {} of {SET}, expected SECTION.KEY=VALUE, such as train.neighbours=200",
                place + 1
            ));
            continue;
        };
        if layers.reference.place(&path) == Place::Unknown {
            layers.unknown(&path, &source);
            continue;
        }
        // With quotes as in the file, or without.
        let value = match parse_value(text) {
            Some(Value::String(quoted)) => Value::String(quoted),
            _ => value(layers.reference, &path, text),
        };
        layers.put(path, value, &|_| source.clone());
    }
    for flag in &sources.flags {
        let values = flag.values.iter().cloned().map(Value::String).collect();
        let path = flag.key.split('.').map(str::to_owned).collect();
        layers.put(path, Value::Array(values), &|_| Source::Flag { name: flag.name });
    }
}

/// A key, its parts quoted where TOML wants it, and the text after the equals sign.
fn parse(assignment: &str) -> Option<(KeyPath, &str)> {
    // Within quotes an equals sign is part of the key.
    let mut quote = None;
    let equals = assignment.char_indices().find_map(|(at, character)| {
        match (quote, character) {
            (None, '=') => return Some(at),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
        None
    })?;
    let (key, value_of) = (&assignment[..equals], &assignment[equals + 1..]);
    if key.chars().any(|character| character.is_control() || character == '#') {
        return None;
    }
    let document = format!("{key} = 0");
    let parsed = DeTable::parse(&document).ok()?;
    let mut path = Vec::new();
    let mut table = parsed.get_ref();
    loop {
        let (key, value) = table.iter().next()?;
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some((path, value_of)),
        }
    }
}

/// A value of a key from a text without a file around it: of a text as it is, of a list with
/// commas between, otherwise as in TOML.
pub(super) fn value(reference: &Reference, path: &KeyPath, text: &str) -> Value {
    let trimmed = text.trim();
    if reference.place(path) == Place::Key(Kind::Text) {
        return Value::String(text.to_owned());
    }
    let as_text = || Value::String(text.to_owned());
    if reference.place(path) == Place::Key(Kind::List) && !trimmed.starts_with('[') {
        let holds_text = match reference.default_of(path) {
            Some(Value::Array(values)) => values.iter().all(Value::is_str),
            _ => false,
        };
        let parts = trimmed.split(',').map(str::trim).filter(|part| !part.is_empty());
        let element = |part: &str| match parse_value(part) {
            Some(value) if !holds_text || value.is_str() => value,
            _ => Value::String(part.to_owned()),
        };
        return Value::Array(parts.map(element).collect());
    }
    parse_value(trimmed).unwrap_or_else(as_text)
}

fn parse_value(text: &str) -> Option<Value> {
    Value::deserialize(ValueDeserializer::parse(text.trim()).ok()?).ok()
}
