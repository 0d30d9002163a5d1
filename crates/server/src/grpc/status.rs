//! From what can go wrong to gRPC statuses, in one place.
//!
//! Every status carries `google.rpc` details that programs can go by: an `ErrorInfo` with a
//! reason in [`DOMAIN`], and a `RetryInfo` where trying again later helps. Causes are logged
//! where they happen and never sent.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::tutorial::UnknownCategory;
use super::violations::Invalid;
use crate::access::{Refusal, Role};
use crate::recommend::UnknownBook;
use crate::settings::Rate;

/// The domain of the reasons in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "foreword";

/// How long to wait where many calls are open: they are short.
const BUSY_RETRY: Duration = Duration::from_millis(100);

impl From<UnknownBook> for Status {
    fn from(_: UnknownBook) -> Self {
        let details = reason("BOOK_UNKNOWN");
        Self::with_error_details(Code::NotFound, "book_id: the shop has no such book", details)
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        let mut details = reason("FIELDS_INVALID");
        details.set_bad_request(invalid.fields);
        Self::with_error_details(Code::InvalidArgument, invalid.message, details)
    }
}

impl From<UnknownCategory> for Status {
    fn from(unknown: UnknownCategory) -> Self {
        let details = reason("CATEGORY_UNKNOWN");
        Self::with_error_details(Code::NotFound, unknown.to_string(), details)
    }
}

/// Nobody knows whose call it is; `expected` is what they had to show.
pub(crate) fn unauthenticated(refusal: Refusal, expected: &str) -> Status {
    let (reason, found) = match refusal {
        Refusal::Missing => ("CREDENTIALS_MISSING", "no credentials"),
        Refusal::Invalid => ("CREDENTIALS_INVALID", "credentials that are not valid here"),
        Refusal::Expired => ("CREDENTIALS_EXPIRED", "credentials that have expired"),
    };
    let details = self::reason(reason);
    let message = format!("found {found}, expected {expected}");
    Status::with_error_details(Code::Unauthenticated, message, details)
}

/// The method is not for this caller.
pub(crate) fn role_missing(role: Role) -> Status {
    let metadata = [("role".to_owned(), role.name().to_owned())];
    let details = ErrorDetails::with_error_info("ROLE_MISSING", DOMAIN, metadata);
    let message = format!("this method needs the role {}, which you do not have", role.name());
    Status::with_error_details(Code::PermissionDenied, message, details)
}

/// There is no such method.
pub(crate) fn unknown_method() -> Status {
    let details = reason("METHOD_UNKNOWN");
    Status::with_error_details(Code::Unimplemented, "there is no such method", details)
}

/// The caller has made as many calls as one may; the next one may come after `wait`.
pub(crate) fn rate_limited(rate: Rate, wait: Duration) -> Status {
    let calls_per_second = rate.calls_per_second.to_string();
    let message = format!(
        "more than {calls_per_second} calls a second; the next may come in {} ms",
        wait.as_micros().div_ceil(1000)
    );
    let metadata = [("calls_per_second".to_owned(), calls_per_second)];
    let mut details = ErrorDetails::with_error_info("RATE_LIMITED", DOMAIN, metadata);
    details.set_retry_info(Some(wait));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// A layer panicked.
pub(crate) fn panicked() -> Status {
    Status::with_error_details(Code::Internal, "internal error", reason("PANICKED"))
}

/// The server has as many open calls as it takes on.
pub(crate) fn too_many_open_calls() -> Status {
    let details = retry("OPEN_CALLS_LIMIT", BUSY_RETRY);
    Status::with_error_details(Code::Unavailable, "too busy; try again later", details)
}

/// The caller has as many open calls as one may have.
pub(crate) fn too_many_open_calls_of_one() -> Status {
    let details = retry("OPEN_CALLS_PER_IDENTITY_LIMIT", BUSY_RETRY);
    let message = "you have too many open calls; wait for answers first";
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

fn reason(reason: &str) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, DOMAIN, [])
}

fn retry(reason: &str, after: Duration) -> ErrorDetails {
    let mut details = self::reason(reason);
    details.set_retry_info(Some(after));
    details
}
