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
use crate::ingest::NotTaken;
use crate::reading_list::NoRoom;
use crate::recommend::UnknownBook;
use crate::settings::Rate;

/// The domain of the reasons in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "foreword";

/// Why, for programs. Told in docs/operating.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    BookUnknown,
    SoldOut,
    RequestConflicting,
    CategoryUnknown,
    UserUnknown,
    UserMerged,
    ReadingListsLimit,
    ReadingListLate,
    RuleUnknown,
    RulesLimit,
    ModelUnknown,
    ModelDamaged,
    NoOlderModel,
    TrainingRunning,
    TrainingFailed,
    NothingToLearn,
    WatchersLimit,
    StoreUnavailable,
    EventsQueueLimit,
    EventsWaitingLimit,
    Stopping,
    FieldsInvalid,
    CredentialsMissing,
    CredentialsInvalid,
    CredentialsExpired,
    NewTokensLimit,
    RoleMissing,
    MethodUnknown,
    RateLimited,
    OpenCallsLimit,
    OpenCallsPerIdentityLimit,
    Panicked,
}

impl Reason {
    #[cfg(test)]
    const ALL: [Self; 32] = [
        Self::BookUnknown,
        Self::SoldOut,
        Self::RequestConflicting,
        Self::CategoryUnknown,
        Self::UserUnknown,
        Self::UserMerged,
        Self::ReadingListsLimit,
        Self::ReadingListLate,
        Self::RuleUnknown,
        Self::RulesLimit,
        Self::ModelUnknown,
        Self::ModelDamaged,
        Self::NoOlderModel,
        Self::TrainingRunning,
        Self::TrainingFailed,
        Self::NothingToLearn,
        Self::WatchersLimit,
        Self::StoreUnavailable,
        Self::EventsQueueLimit,
        Self::EventsWaitingLimit,
        Self::Stopping,
        Self::FieldsInvalid,
        Self::CredentialsMissing,
        Self::CredentialsInvalid,
        Self::CredentialsExpired,
        Self::NewTokensLimit,
        Self::RoleMissing,
        Self::MethodUnknown,
        Self::RateLimited,
        Self::OpenCallsLimit,
        Self::OpenCallsPerIdentityLimit,
        Self::Panicked,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::BookUnknown => "BOOK_UNKNOWN",
            Self::SoldOut => "SOLD_OUT",
            Self::RequestConflicting => "REQUEST_CONFLICTING",
            Self::CategoryUnknown => "CATEGORY_UNKNOWN",
            Self::UserUnknown => "USER_UNKNOWN",
            Self::UserMerged => "USER_MERGED",
            Self::ReadingListsLimit => "READING_LISTS_LIMIT",
            Self::ReadingListLate => "READING_LIST_LATE",
            Self::RuleUnknown => "RULE_UNKNOWN",
            Self::RulesLimit => "RULES_LIMIT",
            Self::ModelUnknown => "MODEL_UNKNOWN",
            Self::ModelDamaged => "MODEL_DAMAGED",
            Self::NoOlderModel => "NO_OLDER_MODEL",
            Self::TrainingRunning => "TRAINING_RUNNING",
            Self::TrainingFailed => "TRAINING_FAILED",
            Self::NothingToLearn => "NOTHING_TO_LEARN",
            Self::WatchersLimit => "WATCHERS_LIMIT",
            Self::StoreUnavailable => "STORE_UNAVAILABLE",
            Self::EventsQueueLimit => "EVENTS_QUEUE_LIMIT",
            Self::EventsWaitingLimit => "EVENTS_WAITING_LIMIT",
            Self::Stopping => "STOPPING",
            Self::FieldsInvalid => "FIELDS_INVALID",
            Self::CredentialsMissing => "CREDENTIALS_MISSING",
            Self::CredentialsInvalid => "CREDENTIALS_INVALID",
            Self::CredentialsExpired => "CREDENTIALS_EXPIRED",
            Self::NewTokensLimit => "NEW_TOKENS_LIMIT",
            Self::RoleMissing => "ROLE_MISSING",
            Self::MethodUnknown => "METHOD_UNKNOWN",
            Self::RateLimited => "RATE_LIMITED",
            Self::OpenCallsLimit => "OPEN_CALLS_LIMIT",
            Self::OpenCallsPerIdentityLimit => "OPEN_CALLS_PER_IDENTITY_LIMIT",
            Self::Panicked => "PANICKED",
        }
    }
}

/// How long to wait where many calls are open: they are short.
const BUSY_RETRY: Duration = Duration::from_millis(100);

/// How long to wait where the store cannot be read or written: an import takes seconds, and so does
/// the restart of a database.
const STORE_RETRY: Duration = Duration::from_secs(1);

impl From<UnknownBook> for Status {
    fn from(_: UnknownBook) -> Self {
        let details = because(Reason::BookUnknown);
        Self::with_error_details(Code::NotFound, "book_id: the shop has no such book", details)
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        let mut details = because(Reason::FieldsInvalid);
        details.set_bad_request(invalid.fields);
        Self::with_error_details(Code::InvalidArgument, invalid.message, details)
    }
}

impl From<UnknownCategory> for Status {
    fn from(unknown: UnknownCategory) -> Self {
        let details = because(Reason::CategoryUnknown);
        Self::with_error_details(Code::NotFound, unknown.to_string(), details)
    }
}

/// There are only so many units of a book, fewer than are to be taken.
pub(crate) fn sold_out(stock: u32) -> Status {
    let metadata = [("stock".to_owned(), stock.to_string())];
    let details = ErrorDetails::with_error_info(Reason::SoldOut.name(), DOMAIN, metadata);
    let message = format!("change: found {stock} in stock, expected as many as are to be taken");
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// The id of a change names another.
pub(crate) fn request_conflicting() -> Status {
    let details = because(Reason::RequestConflicting);
    let message = "request_id: found the id of another change, expected one of its own";
    Status::with_error_details(Code::AlreadyExists, message, details)
}

/// There is no such user.
pub(crate) fn unknown_user() -> Status {
    let details = because(Reason::UserUnknown);
    Status::with_error_details(Code::NotFound, "user_id: the shop knows no such user", details)
}

/// Two users cannot be merged any more.
pub(crate) fn merged_before() -> Status {
    let details = because(Reason::UserMerged);
    let message = "source_user_id: found a user who is merged into another than the target, or \
                   whom the target is merged into; expected one who is not";
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// As many reading lists are on their way as the server holds at once.
pub(crate) fn too_many_reading_lists(_: NoRoom) -> Status {
    let details = retry(Reason::ReadingListsLimit, STORE_RETRY);
    let message = "too many reading lists are on their way; try again later";
    Status::with_error_details(Code::Unavailable, message, details)
}

/// A reading list has not come whole within `limit`.
pub(crate) fn reading_list_late(limit: Duration) -> Status {
    let seconds = limit.as_secs();
    let message = format!("the list has not come within {seconds} seconds; send it again");
    let details = because(Reason::ReadingListLate);
    Status::with_error_details(Code::DeadlineExceeded, message, details)
}

/// There is no such rule.
pub(crate) fn unknown_rule() -> Status {
    let details = because(Reason::RuleUnknown);
    Status::with_error_details(Code::NotFound, "rule_id: there is no such rule", details)
}

/// There are as many rules as there can be.
pub(crate) fn too_many_rules(max: u32) -> Status {
    let details = because(Reason::RulesLimit);
    let message = format!("found {max} other rules, expected fewer: delete one first");
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// There is no such model.
pub(crate) fn unknown_model() -> Status {
    let details = because(Reason::ModelUnknown);
    Status::with_error_details(Code::NotFound, "version: no such model is kept", details)
}

/// The file of a model is not what it was.
pub(crate) fn model_damaged(found: &str) -> Status {
    let message = format!("version: the model is damaged: {found}");
    let details = because(Reason::ModelDamaged);
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// There is nothing to roll back to.
pub(crate) fn no_older_model() -> Status {
    let message = "no model is kept that is older than the active one";
    Status::with_error_details(Code::FailedPrecondition, message, because(Reason::NoOlderModel))
}

/// A training is running, here or elsewhere.
pub(crate) fn training_running() -> Status {
    let message = "a training is running; try again when it has ended";
    Status::with_error_details(Code::FailedPrecondition, message, because(Reason::TrainingRunning))
}

/// A training failed; the log says why.
pub(crate) fn training_failed() -> Status {
    let message = "the training failed, and the log of the server says why; the model before \
                   stays active";
    Status::with_error_details(Code::Internal, message, because(Reason::TrainingFailed))
}

/// No event speaks for a book.
pub(crate) fn nothing_to_learn() -> Status {
    let message = "the shop has no event that speaks for one of its books, expected some";
    Status::with_error_details(Code::FailedPrecondition, message, because(Reason::NothingToLearn))
}

/// As many watch the figures as may.
pub(crate) fn too_many_watchers(max: usize) -> Status {
    let details = retry(Reason::WatchersLimit, STORE_RETRY);
    let message = format!("found {max} others who watch, expected fewer; try again later");
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The store cannot be read or written just now.
pub(crate) fn store_unavailable() -> Status {
    let details = retry(Reason::StoreUnavailable, STORE_RETRY);
    let message = "the store cannot be used just now: its disk fails, its database is away, or \
                   another process is writing; try again later";
    Status::with_error_details(Code::Unavailable, message, details)
}

/// Events do not get into the store just now; none of those that were handed over was acknowledged.
pub(crate) fn not_taken(refused: NotTaken) -> Status {
    match refused {
        NotTaken::StoreAway => store_unavailable(),
        NotTaken::QueueFull => {
            let details = retry(Reason::EventsQueueLimit, BUSY_RETRY);
            let message = "too many events are waiting to be written; try again later";
            Status::with_error_details(Code::Unavailable, message, details)
        }
        NotTaken::NoRoom => {
            let details = retry(Reason::EventsWaitingLimit, STORE_RETRY);
            let message = "events of streams come faster than they can be written; send what was \
                           not acknowledged again later";
            Status::with_error_details(Code::ResourceExhausted, message, details)
        }
    }
}

/// The server stops: a stream has ended before its client was done.
pub(crate) fn stopping() -> Status {
    let details = retry(Reason::Stopping, BUSY_RETRY);
    Status::with_error_details(Code::Unavailable, "the server is stopping; try again", details)
}

/// The same for a stream of events.
pub(crate) fn stopping_events() -> Status {
    let details = retry(Reason::Stopping, BUSY_RETRY);
    let message = "the server is stopping; send what was not acknowledged again";
    Status::with_error_details(Code::Unavailable, message, details)
}

/// Nobody knows whose call it is; `expected` is what they had to show.
pub(crate) fn unauthenticated(refusal: Refusal, expected: &str) -> Status {
    let (reason, found) = match refusal {
        Refusal::Missing => (Reason::CredentialsMissing, "no credentials"),
        Refusal::Invalid => (Reason::CredentialsInvalid, "credentials that are not valid here"),
        Refusal::Expired => (Reason::CredentialsExpired, "credentials that have expired"),
        Refusal::TooMany(wait) => return too_many_new_tokens(wait),
    };
    let details = because(reason);
    let message = format!("found {found}, expected {expected}");
    Status::with_error_details(Code::Unauthenticated, message, details)
}

/// The caller of a stream was known and is not any more; what was acknowledged stays so.
pub(crate) fn not_authenticated_any_more(refusal: Refusal, expected: &str) -> Status {
    let (reason, found) = match refusal {
        Refusal::Expired => (Reason::CredentialsExpired, "credentials that have expired by now"),
        _ => (Reason::CredentialsInvalid, "credentials that are not valid any more"),
    };
    let message = format!(
        "found {found}, expected {expected}; what was not acknowledged is to be sent again with \
         valid ones"
    );
    Status::with_error_details(Code::Unauthenticated, message, because(reason))
}

fn too_many_new_tokens(wait: Duration) -> Status {
    let message = "too many new tokens from this address; try again later";
    let details = retry(Reason::NewTokensLimit, wait);
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The method is not for this caller.
pub(crate) fn role_missing(role: Role) -> Status {
    let metadata = [("role".to_owned(), role.name().to_owned())];
    let details = ErrorDetails::with_error_info(Reason::RoleMissing.name(), DOMAIN, metadata);
    let message = format!("this call needs the role {}, which you do not have", role.name());
    Status::with_error_details(Code::PermissionDenied, message, details)
}

/// There is no such method.
pub(crate) fn unknown_method() -> Status {
    let details = because(Reason::MethodUnknown);
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
    let mut details = ErrorDetails::with_error_info(Reason::RateLimited.name(), DOMAIN, metadata);
    details.set_retry_info(Some(wait));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// A layer panicked.
pub(crate) fn panicked() -> Status {
    Status::with_error_details(Code::Internal, "internal error", because(Reason::Panicked))
}

/// The server has as many open calls as it takes on.
pub(crate) fn too_many_open_calls() -> Status {
    let details = retry(Reason::OpenCallsLimit, BUSY_RETRY);
    Status::with_error_details(Code::Unavailable, "too busy; try again later", details)
}

/// The caller has as many open calls as one may have.
pub(crate) fn too_many_open_calls_of_one() -> Status {
    let details = retry(Reason::OpenCallsPerIdentityLimit, BUSY_RETRY);
    let message = "you have too many open calls; wait for answers first";
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

fn because(reason: Reason) -> ErrorDetails {
    ErrorDetails::with_error_info(reason.name(), DOMAIN, [])
}

fn retry(reason: Reason, after: Duration) -> ErrorDetails {
    let mut details = because(reason);
    details.set_retry_info(Some(after));
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_told_to_operators() {
        let operating = include_str!("../../../../docs/operating.md");
        for reason in Reason::ALL {
            let name = format!("`{}`", reason.name());
            assert!(operating.contains(&name), "docs/operating.md lacks {name}");
        }
    }
}
