//! What requests ask for, in bytes and in endings.

use tonic::{Code, Status};

use crate::proto::{EchoStatus, Payload, PayloadType};

/// The largest payload that is made: what clients accept in one message by default.
const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// Zeros, as many as a request asks for.
///
/// # Errors
///
/// `INVALID_ARGUMENT` if the kind is unknown, or the size negative or above
/// [`PAYLOAD_BYTES_MAX`].
pub(crate) fn payload(kind: i32, size: i32) -> Result<Payload, Status> {
    if PayloadType::try_from(kind).is_err() {
        return Err(Status::invalid_argument(format!("unknown payload type {kind}")));
    }
    match usize::try_from(size) {
        Ok(size) if size <= PAYLOAD_BYTES_MAX => Ok(Payload { r#type: kind, body: vec![0; size] }),
        _ => Err(Status::invalid_argument(format!(
            "payload of {size} bytes, expected 0 to {PAYLOAD_BYTES_MAX}"
        ))),
    }
}

/// Ends the call as the request asks for, if it does.
///
/// # Errors
///
/// The status that was asked for.
pub(crate) fn echo_status(wanted: Option<EchoStatus>) -> Result<(), Status> {
    match wanted {
        Some(EchoStatus { code, message }) if code != Code::Ok as i32 => {
            Err(Status::new(Code::from_i32(code), message))
        }
        _ => Ok(()),
    }
}
