//! What is known of a user: from memory if it is new enough, else from the store.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recommender::UserNumber;
use recommender::id::FIRST_ASSIGNED;
use storage::StoreError;
use transport::Deadline;

use super::figures::FoundIn;
use super::kept::Lead;
use super::{Histories, History};

/// While the store is known to be away, reading it is tried for no longer than this.
const AWAY_PATIENCE: Duration = Duration::from_millis(250);

/// How often an id is looked up for one answer, while its users are merged with others.
const LOOK_UPS_MAX: usize = 4;

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

/// Whose history is asked for.
#[derive(Clone, Copy, Debug)]
enum Who<'a> {
    /// Whoever this id leads to.
    Id(&'a str),
    /// Nobody else.
    Number(UserNumber),
}

impl Histories {
    /// What is known of the user with this id.
    pub(crate) async fn of_id(&self, id: &str, fresh: Fresh) -> Known {
        self.find(Who::Id(id), fresh).await
    }

    /// What is known of the user with this number.
    pub(crate) async fn of_number(&self, number: UserNumber, fresh: Fresh) -> Known {
        match number.0 {
            0 => Known::Nobody,
            // Its own id, which may lead to another user since.
            own @ 1..FIRST_ASSIGNED => self.of_id(&own.to_string(), fresh).await,
            FIRST_ASSIGNED.. => self.find(Who::Number(number), fresh).await,
        }
    }

    async fn find(&self, who: Who<'_>, fresh: Fresh) -> Known {
        // Before the entry, which then has everything up to it.
        let known = self.kept.known();
        let lead = match who {
            Who::Id(id) => self.kept.lead(id),
            Who::Number(number) => Some(Lead { number, revision: 0 }),
        };
        let held = lead.and_then(|lead| Some((lead, self.kept.history(lead.number)?)));
        if let Some((lead, history)) = &held
            && fresh.revision.max(lead.revision) <= history.revision.max(known)
        {
            self.figures.count(FoundIn::Memory);
            return Known::User {
                number: lead.number,
                history: Arc::clone(history),
                revision: history.revision.max(fresh.revision),
                is_stale: self.reach.is_stale(),
            };
        }
        match self.within(fresh.deadline, self.read_through(who, fresh.revision)).await {
            Ok(read) => {
                if self.trouble.ended() {
                    tracing::info!("histories can be read again");
                }
                self.figures.count(FoundIn::Store);
                read
            }
            Err(failure) => {
                let answer = if held.is_some() { "from memory" } else { "with popular books" };
                if self.trouble.began(Instant::now()) {
                    tracing::warn!(error = %failure, "history cannot be read; answering {answer}");
                }
                let Some((Lead { number, .. }, history)) = held else {
                    self.figures.count(FoundIn::Nowhere);
                    return Known::Unavailable;
                };
                self.figures.count(FoundIn::OldMemory);
                let revision = history.revision;
                Known::User { number, history, revision, is_stale: true }
            }
        }
    }

    async fn read_through(&self, who: Who<'_>, revision: i64) -> Result<Known, StoreError> {
        // What is asked for may be the number of a commit that changed nothing of the user: then
        // that it was there before the reading began says that it is in what was read.
        let reflected = match revision {
            1.. => self.store.revisions().await?.events.min(revision),
            _ => 0,
        };
        let Some((number, history)) = self.look_up(who).await? else { return Ok(Known::Nobody) };
        let revision = history.revision.max(reflected);
        Ok(Known::User { number, history, revision, is_stale: false })
    }

    /// Who it is, and what the store knows of them. What it finds is kept.
    async fn look_up(
        &self,
        who: Who<'_>,
    ) -> Result<Option<(UserNumber, Arc<History>)>, StoreError> {
        let id = match who {
            Who::Id(id) => id,
            Who::Number(number) => return Ok(Some((number, self.read(number).await?))),
        };
        let mut found = None;
        for _ in 0..LOOK_UPS_MAX {
            let ticket = self.kept.ticket_of_id(id);
            let number = self.store.user_number(id).await?;
            match (number, found.take()) {
                (None, _) => return Ok(None),
                // Nobody was merged between the two readings: this user has no history.
                (Some(number), Some((before, history))) if number == before => {
                    return Ok(Some((number, history)));
                }
                (Some(number), _) => {
                    let history = self.read(number).await?;
                    if history.revision > 0 {
                        self.kept.keep_lead(ticket, id, number, history.revision);
                        return Ok(Some((number, history)));
                    }
                    found = Some((number, history));
                }
            }
        }
        Ok(found)
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
