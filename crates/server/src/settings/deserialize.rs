//! Values into Rust's types, by serde: a fault knows its key, what was found and what is
//! expected, and whoever reads learns which keys are secret.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::{Table, Value};

use super::reference::KeyPath;
use super::secret;
use super::text::{excerpt, plain, sentence};

/// Why a value cannot be used.
#[derive(Debug, Default)]
pub(super) struct Fault {
    pub(super) path: KeyPath,
    pub(super) found: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) message: String,
}

/// Reads a table, and returns the keys that are secret as well.
pub(super) fn read<T: DeserializeOwned>(table: &Value) -> (Result<T, Fault>, BTreeSet<KeyPath>) {
    let secrets = RefCell::default();
    let read = T::deserialize(At { value: table, path: Vec::new(), secrets: &secrets });
    (read, secrets.into_inner())
}

impl Fault {
    /// Everything but the key.
    pub(super) fn text(&self) -> String {
        match &self.expected {
            Some(expected) => format!("expected {expected}"),
            None => self.message.clone(),
        }
    }

    fn expecting(expected: String) -> Self {
        Self { expected: Some(expected), ..Self::default() }
    }

    /// The innermost place is the one that is told.
    fn at(mut self, at: &At<'_>) -> Self {
        if self.path.is_empty() {
            self.path.clone_from(&at.path);
            self.found = Some(excerpt(at.value));
        }
        self
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self { message: sentence(&message.to_string()), ..Self::default() }
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expecting(in_words(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::expecting(in_words(&expected.to_string()))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::expecting(in_words(&expected.to_string()))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::expecting(format!("one of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format!("unknown key {field}, expected {}", expected.join(", ")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("the key {field} is missing"))
    }
}

/// What serde calls by the names of Rust's types.
fn in_words(expected: &str) -> String {
    let (name, least) = match expected.strip_prefix("a nonzero ") {
        Some(name) => (name, 1),
        None => (expected, 0),
    };
    let most = match name {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" => u64::MAX,
        "usize" => usize::MAX as u64,
        "f32" | "f64" => return "a number".to_owned(),
        "i32" | "i64" => return "a whole number".to_owned(),
        "a string" | "path string" => return "text".to_owned(),
        "a boolean" => return "true or false".to_owned(),
        "a sequence" => return "a list".to_owned(),
        "a map" => return "a table".to_owned(),
        other => return plain(&other.replace("an array of length", "a list of length")),
    };
    // TOML's numbers end there.
    let most = most.min(i64::MAX.unsigned_abs());
    format!("a whole number from {least} to {most}")
}

/// A value at its place.
#[derive(Clone)]
struct At<'a> {
    value: &'a Value,
    path: KeyPath,
    secrets: &'a RefCell<BTreeSet<KeyPath>>,
}

impl<'a> At<'a> {
    fn visit<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::String(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(switch) => visitor.visit_bool(*switch),
            Value::Datetime(date) => visitor.visit_string(date.to_string()),
            Value::Array(values) => self.visit_list(values, visitor),
            Value::Table(table) => {
                visitor.visit_map(Entries { at: self, entries: table.iter(), value: None })
            }
        }
    }

    fn visit_list<'de, V: Visitor<'de>>(
        &self,
        values: &'a [Value],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let mut elements = Elements { at: self, values: values.iter() };
        let list = visitor.visit_seq(&mut elements)?;
        match elements.values.len() {
            0 => Ok(list),
            more => Err(Fault::expecting(format!("a list of length {}", values.len() - more))),
        }
    }
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor).map_err(|fault| fault.at(&self))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == secret::NAME {
            self.secrets.borrow_mut().insert(self.path.clone());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Value::String(text) = self.value else {
            return Err(Fault::unknown_variant(name, variants).at(&self));
        };
        let variant: StrDeserializer<'_, Fault> = text.as_str().into_deserializer();
        visitor.visit_enum(variant).map_err(|fault: Fault| fault.at(&self))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Elements<'a, 'b> {
    at: &'b At<'a>,
    values: std::slice::Iter<'a, Value>,
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.values.next() else { return Ok(None) };
        seed.deserialize(At { value, ..self.at.clone() }).map(Some)
    }
}

struct Entries<'a, 'b> {
    at: &'b At<'a>,
    entries: <&'a Table as IntoIterator>::IntoIter,
    value: Option<(&'a String, &'a Value)>,
}

impl<'de> MapAccess<'de> for Entries<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.value = self.entries.next();
        let Some((key, value)) = self.value else { return Ok(None) };
        let within = |mut fault: Fault| {
            fault.path.clone_from(&self.at.path);
            fault.path.push(key.clone());
            fault.found = Some(excerpt(value));
            fault
        };
        let name: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(within)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self.value.take().ok_or_else(|| Fault::custom("no key was read"))?;
        let mut path = self.at.path.clone();
        path.push(key.clone());
        let at = At { value, path, secrets: self.at.secrets };
        // What a field's own function finds wrong belongs to this field.
        seed.deserialize(at.clone()).map_err(|fault| fault.at(&at))
    }
}
