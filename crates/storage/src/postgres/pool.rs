//! The connections to one database: a bounded number, opened when needed, used again.
//!
//! Made for a database that comes and goes. One that refuses is told at once instead of after
//! a time limit; that every connection is in use ([`StoreError::Busy`]) and that there is none
//! to be had ([`StoreError::Unavailable`]) are told apart; and no answer is waited for without
//! end. A connection whose answer was not read to its end is closed, never used again. One that
//! rested is asked before it is used; once one is found dead, those that rest are dropped too,
//! so that after a restart of the server the next call finds a new one.

use std::fmt;
use std::io::ErrorKind::NotConnected;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::StoreError;

use super::failure::{explain, is_lost, silence};

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// A connection that rested for no longer is used without asking whether it is still there.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long a connection has to say that it is still there.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection that is older is closed instead of used: the name of the server may meanwhile
/// lead to another one.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// How long to wait for a connection to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How connections are opened, and what bounds them.
#[derive(Clone)]
pub(super) struct PoolSettings {
    /// Where to connect.
    pub(super) options: PgConnectOptions,
    /// What every new connection is told first.
    pub(super) greeting: Arc<str>,
    /// The most connections.
    pub(super) connections: usize,
    /// How long to wait for a connection.
    pub(super) acquire_timeout: Duration,
    /// How long to wait for an answer; longer than what the greeting grants a statement.
    pub(super) answer_timeout: Duration,
}

/// Connections to one database. Cloning is cheap and shares them.
#[derive(Clone)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    settings: PoolSettings,
    permits: Arc<Semaphore>,
    /// The last one rested shortest.
    resting: Mutex<Vec<Resting>>,
    /// How many are trying to connect.
    connecting: AtomicUsize,
}

struct Resting {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A connection in use. Goes back when dropped, if its last answer was read to the end and no
/// transaction is open.
pub(super) struct Lease {
    shared: Arc<Shared>,
    /// `None` once it is lost.
    connection: Option<PgConnection>,
    opened: Instant,
    is_whole: bool,
    is_new: bool,
    is_in_transaction: bool,
    answer_timeout: Duration,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(settings: PoolSettings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.connections));
        let (resting, connecting) = (Mutex::default(), AtomicUsize::new(0));
        Self { shared: Arc::new(Shared { settings, permits, resting, connecting }) }
    }

    /// Takes a connection, opening one if none rests.
    pub(super) async fn lease(&self) -> Result<Lease, StoreError> {
        let shared = &self.shared;
        let deadline = Instant::now() + shared.settings.acquire_timeout;
        let permit = Arc::clone(&shared.permits).acquire_owned();
        let permit = match timeout_at(deadline, permit).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(StoreError::Closed),
            Err(_) if shared.connecting.load(Ordering::Relaxed) > 0 => {
                return Err(explain(silence()));
            }
            Err(_) => return Err(StoreError::Busy),
        };
        let mut lease = Lease {
            shared: Arc::clone(shared),
            connection: None,
            opened: Instant::now(),
            is_whole: false,
            is_new: false,
            is_in_transaction: false,
            answer_timeout: shared.settings.answer_timeout,
            _permit: permit,
        };
        while let Some(resting) = shared.take_resting() {
            lease.connection = Some(resting.connection);
            lease.opened = resting.opened;
            if resting.since.elapsed() < TRUSTED || lease.ping().await.is_ok() {
                lease.is_whole = true;
                return Ok(lease);
            }
        }
        lease.connection = Some(shared.connect(deadline).await?);
        lease.opened = Instant::now();
        lease.is_whole = true;
        lease.is_new = true;
        Ok(lease)
    }

    /// The rows of a statement that only reads. One whose connection turns out to be lost is sent
    /// once more, on a new one.
    pub(super) async fn rows<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let mut lease = self.lease().await?;
        match lease.rows(statement()).await {
            Err(StoreError::Unavailable(_)) if !lease.is_new => {
                drop(lease);
                self.lease().await?.rows(statement()).await
            }
            answer => answer,
        }
    }

    /// The one row of such a statement.
    pub(super) async fn row<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<PgRow, StoreError> {
        first(self.rows(statement).await?)
    }

    /// Closes every connection, waiting for those in use.
    pub(super) async fn close(&self) {
        let all = u32::try_from(self.shared.settings.connections).unwrap_or(u32::MAX);
        // Fails only if another call has closed it.
        let permits = self.shared.permits.acquire_many(all).await;
        self.shared.permits.close();
        drop(permits);
        for resting in self.shared.take_all_resting() {
            // Polite; the server also notices without.
            let _ = timeout(CLOSE_TIMEOUT, resting.connection.close()).await;
        }
    }
}

impl Shared {
    fn take_resting(&self) -> Option<Resting> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let found = resting.pop()?;
            if found.opened.elapsed() < LIFETIME {
                return Some(found);
            }
        }
    }

    fn take_all_resting(&self) -> Vec<Resting> {
        std::mem::take(&mut *self.resting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn connect(&self, deadline: Instant) -> Result<PgConnection, StoreError> {
        let _connecting = Counted::new(&self.connecting);
        match timeout_at(deadline, connect(&self.settings.options, &self.settings.greeting)).await {
            Ok(connected) => connected,
            Err(_) => Err(explain(silence())),
        }
    }
}

/// Opens a connection and greets the server.
pub(super) async fn connect(
    options: &PgConnectOptions,
    greeting: &str,
) -> Result<PgConnection, StoreError> {
    // Whatever hinders it, nobody was reached.
    let mut connection = options.connect().await.map_err(StoreError::Unavailable)?;
    // What the greeting says is made of constants and durations.
    connection.execute(AssertSqlSafe(greeting)).await.map_err(explain)?;
    Ok(connection)
}

impl Lease {
    /// The rows of a statement.
    pub(super) async fn rows(
        &mut self,
        statement: Statement<'_>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let limit = self.answer_timeout;
        let answer = timeout(limit, statement.fetch_all(self.ask()?)).await;
        self.answered(answer.unwrap_or_else(|_| Err(silence())))
    }

    /// The one row of a statement.
    pub(super) async fn row(&mut self, statement: Statement<'_>) -> Result<PgRow, StoreError> {
        first(self.rows(statement).await?)
    }

    /// Runs a statement; returns how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let limit = self.answer_timeout;
        let answer = timeout(limit, statement.execute(self.ask()?)).await;
        Ok(self.answered(answer.unwrap_or_else(|_| Err(silence())))?.rows_affected())
    }

    /// Runs statements without values, one after the other, in one message. The text is made of
    /// constants and numbers.
    pub(super) async fn script(&mut self, text: &str) -> Result<(), StoreError> {
        let limit = self.answer_timeout;
        let answer = timeout(limit, self.ask()?.execute(AssertSqlSafe(text))).await;
        self.answered(answer.unwrap_or_else(|_| Err(silence())))?;
        Ok(())
    }

    /// Runs a script that begins a transaction. Until [`end`](Self::end), dropping this closes
    /// the connection, and so takes everything back.
    pub(super) async fn begin(&mut self, text: &str) -> Result<(), StoreError> {
        self.is_in_transaction = true;
        self.script(text).await
    }

    /// Runs a script that ends a transaction.
    pub(super) async fn end(&mut self, text: &str) -> Result<(), StoreError> {
        self.script(text).await?;
        self.is_in_transaction = false;
        Ok(())
    }

    /// Grants each of the following statements this long, on our side; returns what they had.
    pub(super) fn set_answer_timeout(&mut self, answer_timeout: Duration) -> Duration {
        std::mem::replace(&mut self.answer_timeout, answer_timeout)
    }

    /// Whether it was opened for this lease, so that it cannot have been lost while it rested.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Has the connection closed instead of used again.
    pub(super) fn discard(&mut self) {
        self.connection = None;
    }

    /// Whether the connection could be asked something.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole && self.connection.is_some()
    }

    async fn ping(&mut self) -> Result<(), StoreError> {
        self.is_whole = true;
        let answer = timeout(PING_TIMEOUT, self.ask()?.ping()).await;
        self.answered(answer.unwrap_or_else(|_| Err(silence())))
    }

    /// The connection, marked as one that owes an answer: if the answer is not waited for, its
    /// state is unknown.
    fn ask(&mut self) -> Result<&mut PgConnection, StoreError> {
        let is_whole = std::mem::replace(&mut self.is_whole, false);
        match &mut self.connection {
            Some(connection) if is_whole => Ok(connection),
            _ => Err(StoreError::Unavailable(sqlx::Error::Io(NotConnected.into()))),
        }
    }

    fn answered<T>(&mut self, answer: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        match answer {
            Ok(answer) => {
                self.is_whole = true;
                Ok(answer)
            }
            Err(error) => {
                self.is_whole = !is_lost(&error);
                if !self.is_whole {
                    self.connection = None;
                    // The others have most likely lost theirs too.
                    drop(self.shared.take_all_resting());
                }
                Err(explain(error))
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let is_clean = self.is_whole && !self.is_in_transaction;
        let Some(connection) = self.connection.take().filter(|_| is_clean) else { return };
        let resting = Resting { connection, opened: self.opened, since: Instant::now() };
        // Never more than there are permits: this lease still has its own.
        let mut all = self.shared.resting.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(resting);
    }
}

fn first(rows: Vec<PgRow>) -> Result<PgRow, StoreError> {
    rows.into_iter().next().ok_or(StoreError::Database(sqlx::Error::RowNotFound))
}

/// One more of something, until it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Leaves out how to get in.
impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pool")
            .field("connections", &self.shared.settings.connections)
            .field("free", &self.shared.permits.available_permits())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lease").field("is_whole", &self.is_whole).finish_non_exhaustive()
    }
}
