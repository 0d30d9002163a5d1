//! What is known of a user: from memory if it is new enough, else from the store.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use recommender::UserNumber;
use recommender::id::FIRST_ASSIGNED;
use storage::StoreError;
use transport::Deadline;

use super::figures::FoundIn;
use super::{Histories, History};

/// While the store is known to be away, reading it is tried for no longer than this.
const AWAY_PATIENCE: Duration = Duration::from_millis(250);

/// How new the answer has to be, and how long there is for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fresh {
    /// The revision that it has to reflect; 0 for what is known here.
    pub revision: i64,
    /// When the caller ceases to wait.
    pub deadline: Option<Deadline>,
}

/// What is known of a user.
#[derive(Debug, PartialEq)]
pub(crate) enum Known {
    /// All this.
    User {
        /// Their number.
        number: UserNumber,
        /// What they did.
        history: Arc<History>,
        /// The revision that it reflects.
        revision: i64,
        /// Whether it may be behind, since the store cannot be reached.
        is_stale: bool,
    },
    /// There is no such user.
    Nobody,
    /// They are not in memory, and the store cannot be read.
    Unavailable,
}

impl Histories {
    /// What is known of the user with this id.
    pub(crate) async fn of_id(&self, id: &str, fresh: Fresh) -> Known {
        let number = self.kept.number(id);
        self.find(number, fresh, async { self.number(id).await }).await
    }

    /// What is known of the user with this number.
    pub(crate) async fn of_number(&self, number: UserNumber, fresh: Fresh) -> Known {
        match number.0 {
            0 => Known::Nobody,
            // Its own id, which may lead to another user since.
            own @ 1..FIRST_ASSIGNED => self.of_id(&own.to_string(), fresh).await,
            FIRST_ASSIGNED.. => self.find(Some(number), fresh, async { Ok(Some(number)) }).await,
        }
    }

    async fn find(
        &self,
        number: Option<UserNumber>,
        fresh: Fresh,
        look_up: impl Future<Output = Result<Option<UserNumber>, StoreError>>,
    ) -> Known {
        // Before the entry, which then has everything up to it.
        let known = self.kept.known();
        let held = number.and_then(|number| Some((number, self.kept.history(number)?)));
        if let Some((number, history)) = &held
            && fresh.revision <= history.revision.max(known)
        {
            self.figures.count(FoundIn::Memory);
            return Known::User {
                number: *number,
                history: Arc::clone(history),
                revision: history.revision.max(fresh.revision),
                is_stale: self.reach.is_stale(),
            };
        }
        match self.within(fresh.deadline, self.read_through(fresh.revision, look_up)).await {
            Ok(read) => {
                self.figures.count(FoundIn::Store);
                read
            }
            Err(failure) => {
                let Some((number, history)) = held else {
                    tracing::warn!(error = %failure, "history cannot be read; answering with popular books");
                    self.figures.count(FoundIn::Nowhere);
                    return Known::Unavailable;
                };
                tracing::warn!(error = %failure, "history cannot be read; answering from memory");
                self.figures.count(FoundIn::OldMemory);
                let revision = history.revision;
                Known::User { number, history, revision, is_stale: true }
            }
        }
    }

    async fn read_through(
        &self,
        revision: i64,
        look_up: impl Future<Output = Result<Option<UserNumber>, StoreError>>,
    ) -> Result<Known, StoreError> {
        // What is asked for may be the number of a commit that changed nothing of the user: then
        // that it was there before the reading began says that it is in what was read.
        let reflected = match revision {
            1.. => self.store.revisions().await?.events.min(revision),
            _ => 0,
        };
        let Some(number) = look_up.await? else { return Ok(Known::Nobody) };
        let history = self.read(number).await?;
        let revision = history.revision.max(reflected);
        Ok(Known::User { number, history, revision, is_stale: false })
    }

    /// Reads, for as long as the caller can wait for it and still be answered.
    async fn within<T>(
        &self,
        deadline: Option<Deadline>,
        reading: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, ReadError> {
        let left = deadline.map(|deadline| deadline.remaining() * 3 / 4);
        let away = self.reach.is_away().then_some(AWAY_PATIENCE);
        match left.into_iter().chain(away).min() {
            None => Ok(reading.await?),
            Some(left) => match tokio::time::timeout(left, reading).await {
                Ok(read) => Ok(read?),
                Err(_) => Err(ReadError::Late { waited: left }),
            },
        }
    }
}

/// Why a history could not be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store has not answered within {waited:?}")]
    Late { waited: Duration },
}
