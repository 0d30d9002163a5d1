//! What PostgreSQL says when it fails, in our own words.
//!
//! Its messages hold no password. Whether a caller may try again later is decided here, by the
//! code of the failure.

use std::io;

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use crate::error::StoreError;

/// Codes after which a connection is of no use, since its server is shutting down, restarting,
/// taking nobody more, or a copy that only reads.
/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
const GONE: [&str; 9] = [
    "25006", // read_only_sql_transaction
    "25P03", // idle_in_transaction_session_timeout
    "3D000", // invalid_catalog_name: no such database
    "53300", // too_many_connections
    "57P01", // admin_shutdown
    "57P02", // crash_shutdown
    "57P03", // cannot_connect_now
    "57P04", // database_dropped
    "57P05", // idle_session_timeout
];

/// Codes of those that had to wait for too long, or to give way.
const WAITED: [&str; 4] = [
    "40001", // serialization_failure
    "40P01", // deadlock_detected
    "55P03", // lock_not_available
    "57014", // query_canceled, by statement_timeout
];

/// Codes of a server that has no room left, on disk or in memory.
const FULL: [&str; 2] = [
    "53100", // disk_full
    "53200", // out_of_memory
];

/// `insufficient_privilege`
const NO_RIGHT: &str = "42501";

/// What a role needs.
const RIGHTS: &str = "a role that owns the schema foreword and what is in it, or one that may \
    create it: GRANT CREATE ON DATABASE … TO …";

/// Whether the connection is of no use any more.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => true,
        Error::Database(_) => {
            // 08: connection exception; 28: not let in, or no longer.
            code(error).is_some_and(|code| {
                GONE.contains(&&*code) || code.starts_with("08") || code.starts_with("28")
            })
        }
        _ => false,
    }
}

/// Whether a failure comes from a PostgreSQL server, or from the way to it.
pub(crate) fn is_its_own(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => true,
        Error::Database(error) => error.try_downcast_ref::<PgDatabaseError>().is_some(),
        _ => false,
    }
}

/// What a failure means for whoever called.
pub(crate) fn explain(error: Error) -> StoreError {
    if is_lost(&error) {
        return StoreError::Unavailable(error);
    }
    match code(&error).as_deref() {
        Some(code) if WAITED.contains(&code) => StoreError::Busy,
        Some(code) if FULL.contains(&code) => StoreError::Unavailable(error),
        Some(NO_RIGHT) => StoreError::Unsuitable {
            found: error
                .as_database_error()
                .map_or_else(String::new, |error| error.message().to_owned()),
            expected: RIGHTS.to_owned(),
        },
        _ => StoreError::Database(error),
    }
}

/// What it means that no answer came in time.
pub(super) fn silence() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
}

fn code(error: &Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_a_lost_connection_and_no_defect() {
        assert!(is_lost(&silence()));
        assert!(matches!(explain(silence()), StoreError::Unavailable(_)));
        assert!(matches!(explain(Error::RowNotFound), StoreError::Database(_)));
    }
}
