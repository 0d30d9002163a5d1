//! What peers send: bodies of requests, seen as gRPC messages.
//!
//! tonic reserves the announced length of a message as soon as it has read five bytes, and
//! waits for the rest for ever. Here a message that is too long is refused by its length, one
//! that has begun counts with its whole length against the bytes of all
//! connections, and it has a time to end. Bodies that are not gRPC are held to the same as a
//! whole.

mod body;
mod budget;
mod framing;
mod whole;

pub use self::body::RequestBody;
pub(crate) use self::body::{Expected, MessageLimits, Messages};
pub(crate) use self::budget::Budget;
pub use self::framing::{Framing, FramingError};
pub(crate) use self::whole::Whole;
