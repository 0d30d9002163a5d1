//! Errors as Connect has them: an HTTP status, and JSON with code, message and details.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use prost::Message as _;
use serde::Serialize;
use tonic::Code;
use tonic_types::pb;

use super::debug::debug;

/// An error on its way to the client.
#[derive(Debug, Serialize)]
pub(super) struct Error {
    #[serde(skip)]
    status: StatusCode,
    code: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
    /// When trying again may help.
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
}

/// A message that says more.
#[derive(Debug, Serialize)]
struct Detail {
    #[serde(rename = "type")]
    name: String,
    /// Protobuf as base64 without padding.
    value: String,
    /// The same in JSON, if the type is one of those of `google.rpc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<serde_json::Value>,
}

impl Error {
    /// An error with the HTTP status that its code stands for.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        let (code, status) = in_connect(code);
        let (details, retry_after_seconds) = (Vec::new(), None);
        Self { status, code, message: message.into(), details, retry_after_seconds }
    }

    /// The same with another HTTP status: what proxies and people know it by.
    pub(super) fn with_http_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Adds the details of an encoded `google.rpc.Status`; what cannot be read is left out.
    pub(super) fn with_details(mut self, status: &[u8]) -> Self {
        let Ok(status) = pb::Status::decode(status) else { return self };
        for detail in status.details {
            let name = detail.type_url.rsplit('/').next().unwrap_or_default().to_owned();
            if name == "google.rpc.RetryInfo" {
                self.retry_after_seconds = retry_after_seconds(&detail.value);
            }
            let debug = debug(&name, &detail.value);
            self.details.push(Detail { name, value: STANDARD_NO_PAD.encode(detail.value), debug });
        }
        self
    }

    /// The whole answer.
    pub(super) fn into_response(self) -> Response<Bytes> {
        let body = serde_json::to_vec(&self).expect("text and numbers are always JSON");
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2, asks for it; the service may say it better.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What Connect calls a code, and its HTTP status.
fn in_connect(code: Code) -> (&'static str, StatusCode) {
    match code {
        Code::Cancelled => ("canceled", client_closed_request()),
        // There is no error that is called well.
        Code::Ok | Code::Unknown => ("unknown", StatusCode::INTERNAL_SERVER_ERROR),
        Code::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST),
        Code::DeadlineExceeded => ("deadline_exceeded", StatusCode::GATEWAY_TIMEOUT),
        Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
        Code::AlreadyExists => ("already_exists", StatusCode::CONFLICT),
        Code::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN),
        Code::ResourceExhausted => ("resource_exhausted", StatusCode::TOO_MANY_REQUESTS),
        Code::FailedPrecondition => ("failed_precondition", StatusCode::BAD_REQUEST),
        Code::Aborted => ("aborted", StatusCode::CONFLICT),
        Code::OutOfRange => ("out_of_range", StatusCode::BAD_REQUEST),
        Code::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED),
        Code::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        Code::DataLoss => ("data_loss", StatusCode::INTERNAL_SERVER_ERROR),
        Code::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED),
    }
}

/// 499, which no standard names.
fn client_closed_request() -> StatusCode {
    StatusCode::from_u16(499).expect("it has three digits")
}

/// Whole seconds, rounded up.
fn retry_after_seconds(retry_info: &[u8]) -> Option<u64> {
    let delay = pb::RetryInfo::decode(retry_info).ok()?.retry_delay?;
    let seconds = u64::try_from(delay.seconds).ok()?;
    Some(seconds.saturating_add(u64::from(delay.nanos > 0)))
}
