//! How many entries JSON has, counted before it is parsed.
//!
//! A parsed message takes far more memory than its text: a one-field object of 11 bytes in a list
//! about 1.3 kB. The length of a body bounds its text; this bounds what becomes of it.

use std::slice;

/// The most entries of one body: fields of objects and elements of lists, on all levels together.
/// A history of 1,000 books with all their fields has 4,000.
pub(super) const ENTRIES_MAX: usize = 16_384;

/// Counts the entries of JSON.
///
/// Of text that is not JSON it counts no fewer than a parser gets to see before it gives up.
pub(super) fn count(json: &[u8]) -> usize {
    let mut entries = 0;
    // Whether what comes next is an entry, unless it closes what has none.
    let mut is_awaited = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b']' | b'}' => is_awaited = false,
            _ => {
                entries += usize::from(is_awaited);
                is_awaited = matches!(byte, b'[' | b'{' | b',');
                if *byte == b'"' {
                    skip_text(&mut bytes);
                }
            }
        }
    }
    entries
}

/// Skips the rest of a text in quotes.
fn skip_text(bytes: &mut slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn fields_and_elements_are_counted_on_all_levels() {
        for (json, expected) in [
            ("", 0),
            ("1", 0),
            ("{}", 0),
            ("[ \n]", 0),
            ("[1]", 1),
            ("[[], {}, [1]]", 4),
            (r#"{"a": {"b": [1, 2]}, "c": null}"#, 5),
            (r#"{"a,[{": ",\",[", "b\\": "]"}"#, 2),
        ] {
            assert_eq!(count(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn broken_text_is_counted_as_far_as_it_looks_like_json() {
        for (text, expected) in [("[1,2", 2), ("[,,,]", 3), ("[1,\"", 2), ("[\"\\", 1)] {
            assert_eq!(count(text.as_bytes()), expected, "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn entries(value: &Value) -> usize {
        match value {
            Value::Array(values) => values.iter().map(|value| 1 + entries(value)).sum(),
            Value::Object(fields) => fields.values().map(|value| 1 + entries(value)).sum(),
            _ => 0,
        }
    }

    proptest! {
        #[test]
        fn the_count_is_that_of_a_parser(json in any_json()) {
            prop_assert_eq!(count(json.to_string().as_bytes()), entries(&json));
            prop_assert_eq!(count(format!("{json:#}").as_bytes()), entries(&json));
        }
    }
}
