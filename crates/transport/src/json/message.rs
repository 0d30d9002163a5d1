//! Messages between JSON and protobuf.
//!
//! Depth is bounded both ways, at about a hundred levels, by serde_json and by prost: what is
//! nested more deeply is an error, not an overflow of the stack.

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};

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
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let message = DynamicMessage::deserialize(self.descriptor.clone(), &mut deserializer)
            .and_then(|message| deserializer.end().map(|()| message))
            .map_err(|error| malformed(&error))?;
        let mut protobuf = Vec::with_capacity(free + message.encoded_len());
        protobuf.resize(free, 0);
        message.encode(&mut protobuf).expect("a Vec grows");
        Ok(protobuf)
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
