//! Details of errors in JSON, for those who read the answer without protobuf.
//!
//! `google.rpc` wants fields to be named as the client knows them, which in JSON is in
//! lowerCamelCase; the protobuf beside it keeps the names of the protos.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value;
use tonic_types::pb;

/// A detail in JSON, if its type is one of those of `google.rpc`.
pub(super) fn debug(name: &str, value: &[u8]) -> Option<Value> {
    static GOOGLE_RPC: LazyLock<Option<DescriptorPool>> =
        LazyLock::new(|| DescriptorPool::decode(pb::FILE_DESCRIPTOR_SET).ok());
    let descriptor = GOOGLE_RPC.as_ref()?.get_message_by_name(name)?;
    let message = DynamicMessage::decode(descriptor, value).ok()?;
    let mut debug = serde_json::to_value(&message).ok()?;
    if name == "google.rpc.BadRequest" {
        rename_fields(&mut debug);
    }
    Some(debug)
}

fn rename_fields(bad_request: &mut Value) {
    let violations = bad_request.get_mut("fieldViolations").and_then(Value::as_array_mut);
    for violation in violations.into_iter().flatten() {
        if let Some(Value::String(field)) = violation.get_mut("field") {
            *field = in_lower_camel_case(field);
        }
    }
}

/// The path of a field as JSON has it. What is in brackets is an index or a key, and stays.
fn in_lower_camel_case(path: &str) -> String {
    let mut renamed = String::with_capacity(path.len());
    let (mut is_key, mut begins_word) = (false, false);
    for character in path.chars() {
        match character {
            '[' => is_key = true,
            ']' => is_key = false,
            _ => {}
        }
        if character == '_' && !is_key {
            begins_word = true;
            continue;
        }
        renamed.push(if begins_word { character.to_ascii_uppercase() } else { character });
        begins_word = false;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_json_has_them() {
        for (path, expected) in [
            ("", ""),
            ("title", "title"),
            ("user_id", "userId"),
            ("history[0].book_id", "history[0].bookId"),
            ("filter.excluded_book_ids[12]", "filter.excludedBookIds[12]"),
            ("prices_by_shop[\"old_town\"].in_cents", "pricesByShop[\"old_town\"].inCents"),
            ("line_2.x", "line2.x"),
        ] {
            assert_eq!(in_lower_camel_case(path), expected);
        }
    }
}
