//! Messages between JSON and protobuf.
//!
//! Depth is bounded both ways, at about a hundred levels, by `serde_json` and by prost: what is
//! nested more deeply is an error, not an overflow of the stack. So is JSON of more
//! [entries](super::entries) than are good for the memory.

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::entries::{self, ENTRIES_MAX};

/// The most characters of an error that are told; it may hold what the client wrote.
const TOLD_MAX: usize = 200;

/// A type of message.
#[derive(Clone, Debug)]
pub struct Message {
    descriptor: MessageDescriptor,
}

/// Bytes are not the JSON of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromJsonError {
    /// There are none.
    #[error("the body is empty, expected a JSON object such as {{}}")]
    Empty,
    /// They hold more than is parsed at once.
    #[error(
        "found {found} fields and elements of lists, expected at most {ENTRIES_MAX}: ask for less \
         at once"
    )]
    TooManyEntries {
        /// How many, on all levels together.
        found: usize,
    },
    /// They are no JSON, or hold what the message has not.
    #[error("{found} at line {line}, column {column}")]
    Malformed {
        /// What was found, and what was expected.
        found: String,
        /// Where, from 1.
        line: usize,
        /// Where in the line, in bytes, from 1.
        column: usize,
    },
}

/// Bytes are not the protobuf of a message, or hold what JSON cannot say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot write {message} as JSON: {cause}")]
pub struct ToJsonError {
    message: String,
    cause: String,
}

impl Message {
    pub(super) fn new(descriptor: MessageDescriptor) -> Self {
        Self { descriptor }
    }

    /// The protobuf of a message in canonical JSON, after so many bytes that are left free.
    ///
    /// # Errors
    ///
    /// [`FromJsonError`]; an unknown field is one.
    pub fn from_json(&self, json: &[u8], free: usize) -> Result<Vec<u8>, FromJsonError> {
        if json.trim_ascii().is_empty() {
            return Err(FromJsonError::Empty);
        }
        let found = entries::count(json);
        if found > ENTRIES_MAX {
            return Err(FromJsonError::TooManyEntries { found });
        }
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let message = DynamicMessage::deserialize(self.descriptor.clone(), &mut deserializer)
            .and_then(|message| deserializer.end().map(|()| message))
            .map_err(|error| malformed(&error))?;
        Ok([&vec![0; free][..], &message.encode_to_vec()].concat())
    }

    /// The canonical JSON of a message in protobuf, after so many bytes that are left free.
    ///
    /// # Errors
    ///
    /// [`ToJsonError`]
    pub fn to_json(&self, protobuf: &[u8], free: usize) -> Result<Vec<u8>, ToJsonError> {
        let failed = |cause: String| {
            let message = self.descriptor.full_name().to_owned();
            ToJsonError { message, cause }
        };
        let message = DynamicMessage::decode(self.descriptor.clone(), protobuf)
            .map_err(|error| failed(error.to_string()))?;
        // Names of fields come on top of the values.
        let mut json = Vec::with_capacity(free + protobuf.len() * 2);
        json.resize(free, 0);
        serde_json::to_writer(&mut json, &message).map_err(|error| failed(error.to_string()))?;
        Ok(json)
    }
}

fn malformed(error: &serde_json::Error) -> FromJsonError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let found = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let mut told: String = found.chars().take(TOLD_MAX).collect();
    if told.len() < found.len() {
        told.push('…');
    }
    FromJsonError::Malformed { found: told, line, column }
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;
    use prost_types::field_descriptor_proto::{Label, Type};
    use prost_types::{
        DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    };

    use super::*;

    /// A message that may hold itself: `message Node { Node next = 1; repeated string words = 2; }`
    fn node() -> Message {
        let field = |name: &str, number, label: Label, kind: Type| FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            label: Some(label.into()),
            r#type: Some(kind.into()),
            type_name: (kind == Type::Message).then(|| ".shop.Node".to_owned()),
            ..FieldDescriptorProto::default()
        };
        let message = DescriptorProto {
            name: Some("Node".to_owned()),
            field: vec![
                field("next", 1, Label::Optional, Type::Message),
                field("words", 2, Label::Repeated, Type::String),
            ],
            ..DescriptorProto::default()
        };
        let file = FileDescriptorProto {
            name: Some("shop.proto".to_owned()),
            package: Some("shop".to_owned()),
            message_type: vec![message],
            syntax: Some("proto3".to_owned()),
            ..FileDescriptorProto::default()
        };
        let set = FileDescriptorSet { file: vec![file] };
        let pool = DescriptorPool::from_file_descriptor_set(set).unwrap();
        Message::new(pool.get_message_by_name("shop.Node").unwrap())
    }

    #[test]
    fn deep_json_is_an_error_and_no_overflow() {
        let deep = |levels: usize| r#"{"next":"#.repeat(levels) + "{}" + &"}".repeat(levels);
        assert!(node().from_json(deep(50).as_bytes(), 0).is_ok());
        for levels in [128, 10_000] {
            let error = node().from_json(deep(levels).as_bytes(), 0).unwrap_err();
            assert!(error.to_string().starts_with("recursion limit exceeded at"), "{error}");
        }
        let lists = r#"{"words":"#.to_owned() + &"[".repeat(10_000);
        node().from_json(lists.as_bytes(), 0).unwrap_err();
    }

    #[test]
    fn deep_protobuf_is_an_error_and_no_overflow() {
        let mut protobuf = Vec::new();
        for _ in 0..200 {
            let mut outer = vec![0x0a];
            prost::encoding::encode_varint(protobuf.len() as u64, &mut outer);
            outer.extend(&protobuf);
            protobuf = outer;
        }
        assert!(node().to_json(&protobuf, 0).is_err());
    }

    #[test]
    fn errors_do_not_repeat_all_that_was_sent() {
        let json = format!("{{\n\"{}\": 1}}", "ü".repeat(100_000));
        let error = node().from_json(json.as_bytes(), 0).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("ü…") && text.chars().count() < 300, "{text}");
        let FromJsonError::Malformed { line, .. } = error else { panic!("{text}") };
        assert_eq!(line, 2);
    }

    #[test]
    fn more_entries_than_are_good_for_the_memory_are_refused() {
        let json = |words: usize| {
            let words = vec![r#""a""#; words].join(",");
            format!(r#"{{"words":[{words}]}}"#)
        };
        assert!(node().from_json(json(ENTRIES_MAX - 1).as_bytes(), 0).is_ok());
        let error = node().from_json(json(ENTRIES_MAX).as_bytes(), 0).unwrap_err();
        assert_eq!(error, FromJsonError::TooManyEntries { found: ENTRIES_MAX + 1 });
    }

    #[test]
    fn room_is_left_before_the_message() {
        let protobuf = node().from_json(br#"{"words":["a"]}"#, 5).unwrap();
        assert_eq!(protobuf, b"\0\0\0\0\0\x12\x01a");
        let json = node().to_json(&protobuf[5..], 2).unwrap();
        assert_eq!(json, b"\0\0{\"words\":[\"a\"]}");
    }
}
