//! A JSON object whose names are all different.
//!
//! RFC 7519 lets a reader take the last of two claims of one name. Then one reader sees another
//! subject than the next, so such a token is refused here.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// Names and values of a JSON object.
pub(super) struct Object(HashMap<String, Value>);

impl Object {
    /// Reads an object; none if the bytes are anything else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut values = HashMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if values.insert(name, value).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_refused() {
        let check = |text: &str, expected: Option<&str>| {
            let object = Object::parse(text.as_bytes());
            assert_eq!(object.as_ref().and_then(|object| object.text("sub")), expected, "{text}");
        };
        check(r#"{"sub": "ann"}"#, Some("ann"));
        check(r#"{"sub": "ann", "sub": "bob"}"#, None);
        check(r#"{"sub": "ann", "\u0073ub": "bob"}"#, None);
        check(r#"{"sub": "ann"} {}"#, None);
        check(r#"["sub"]"#, None);
        check("", None);
    }
}
