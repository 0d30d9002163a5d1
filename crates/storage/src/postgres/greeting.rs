//! What a new connection is told first, so that no setting of the server, the database or the
//! role weakens what the store promises.

use std::sync::Arc;
use std::time::Duration;

/// How long a statement may take.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait for an answer: longer, so that the server is the first to give up.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(65);

/// How long a writer may do nothing while others wait for it.
const IDLE_WRITER_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// For every connection. `search_path` names the store's schema and, last, that of temporary
/// tables, which would otherwise come first. Read committed, so that what a writer reads after it
/// has the lock is what the writer before it wrote. The server notices within a minute that a
/// client is gone, and lets go of its lock. Compiling a statement of a few rows costs more than
/// running it.
const COMMON: &str = "SET search_path = foreword, pg_temp;
    SET client_min_messages = warning;
    SET default_transaction_isolation = 'read committed';
    SET default_transaction_deferrable = off;
    SET idle_session_timeout = 0;
    SET tcp_keepalives_idle = 20;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = 50000;
    SET jit = off;";

/// A commit is on disk, and on the disks of standbys that the server waits for, when it returns;
/// `remote_apply` says more than that and stays.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') <> 'remote_apply';";

/// For connections that only read.
pub(super) fn reader(lock_timeout: Duration) -> Arc<str> {
    let limits = limits(lock_timeout);
    format!("{COMMON} {limits} SET default_transaction_read_only = on;").into()
}

/// For connections that write.
pub(super) fn writer(lock_timeout: Duration) -> Arc<str> {
    let limits = limits(lock_timeout);
    format!("{COMMON} {limits} SET default_transaction_read_only = off; {DURABLE}").into()
}

fn limits(lock_timeout: Duration) -> String {
    format!(
        "SET lock_timeout = {}; SET statement_timeout = {};
         SET idle_in_transaction_session_timeout = {};",
        // 0 would be for ever.
        lock_timeout.as_millis().clamp(1, i32::MAX as u128),
        STATEMENT_TIMEOUT.as_millis(),
        IDLE_WRITER_TIMEOUT.as_millis(),
    )
}
