//! gRPC's frame around one message that is not compressed.

use bytes::Bytes;
use tonic::Status;

/// Bytes before a message: a flag, and a length of four bytes.
pub(super) const HEAD: usize = 5;

/// Fills in the head of a message for which so many bytes were left free.
///
/// # Errors
///
/// If the message is longer than the head can say.
pub(super) fn close(mut framed: Vec<u8>) -> Result<Bytes, Status> {
    let len = u32::try_from(framed.len() - HEAD)
        .map_err(|_| Status::resource_exhausted("message of more than 4 GiB"))?;
    framed[1..HEAD].copy_from_slice(&len.to_be_bytes());
    Ok(framed.into())
}

/// The one message in a body.
///
/// # Errors
///
/// If there is none, more than one, or a compressed one.
pub(super) fn open(body: &Bytes) -> Result<Bytes, Status> {
    let [0, a, b, c, d, ..] = **body else {
        return Err(Status::internal("expected one message that is not compressed"));
    };
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    if body.len() - HEAD != len {
        return Err(Status::internal("expected one whole message"));
    }
    Ok(body.slice(HEAD..))
}
