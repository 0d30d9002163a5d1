//! The job that writes: group after group, for as long as the service lives.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use storage::StoreError;
use tokio::time::timeout;

use super::group::{Durable, write};
use super::queue::Submission;
use super::{Ingest, NotTaken};
use crate::backoff::Backoff;
use crate::blocking::blocking;

/// How long to wait before the store is tried again, at first and at most.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
const AGAIN_AFTER_AT_MOST: Duration = Duration::from_secs(5);

/// Why a group could not be written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the store has not written within {0:?}")]
    Late(Duration),
}

/// Whether it is an entry that the store does not take, and not the store that takes nothing.
fn is_about_entries(error: &StoreError) -> bool {
    matches!(error, StoreError::Event(_) | StoreError::Id(_) | StoreError::OutOfNumbers { .. })
}

impl Ingest {
    /// Writes what is handed over, for ever. To be run once at a time; where it is dropped, those
    /// whose entries it was writing learn that nothing is known of them.
    pub(crate) async fn write_all(&self) {
        let mut backoff = Backoff::new(AGAIN_AFTER, AGAIN_AFTER_AT_MOST);
        let mut has_failed = false;
        if !self.queue.is_open() {
            // The job before was lost while it waited for the store.
            self.wait_for_store(&mut backoff).await;
        }
        loop {
            let submissions = self.queue.take(self.group_entries_max).await;
            match self.write_group(submissions).await {
                Ok(()) => {
                    backoff.reset();
                    if std::mem::take(&mut has_failed) {
                        tracing::info!("the store can be written to again; events are taken");
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::error!(%error, "the store cannot be written to; events are refused");
                    }
                    self.wait_for_store(&mut backoff).await;
                }
            }
        }
    }

    /// Writes a group, has it taken up, and only then tells everybody.
    async fn write_group(&self, submissions: Vec<Submission>) -> Result<(), WriteError> {
        let began = Instant::now();
        let writing = self.write_in_turn(&submissions);
        let written = match timeout(self.write_timeout, writing).await {
            Ok(written) => written.map_err(WriteError::from),
            Err(_) => Err(WriteError::Late(self.write_timeout)),
        };
        let Durable { written, group } = match written {
            Ok(durable) => durable,
            // Checks of the contract let nothing through that the store refuses. If one does, it
            // is no reason to refuse what others send.
            Err(WriteError::Store(error)) if is_about_entries(&error) => {
                tracing::error!(%error, "the store refuses what was checked; its group is refused");
                self.refuse(submissions.into());
                self.figures.failed();
                return Ok(());
            }
            Err(error) => {
                // Closed before anybody hears of it: who tries again at once is refused at once.
                let waiting = self.queue.close();
                self.refuse(submissions.into_iter().chain(waiting).collect());
                self.figures.failed();
                return Err(error);
            }
        };
        let took = began.elapsed();
        let histories = Arc::clone(&self.histories);
        blocking(move || histories.take_up(group)).await;
        self.figures.written(written.iter().map(|one| one.entries.len()).sum(), took);
        for (submission, written) in submissions.into_iter().zip(written) {
            for (entry, written) in submission.entries.iter().zip(&written.entries) {
                self.figures.recorded(entry, written.recorded);
            }
            // Nobody may be there any more.
            let _ = submission.reply.send(Ok(written));
        }
        Ok(())
    }

    /// Writes a group as soon as it is its turn. While others write, nothing is lost by waiting.
    async fn write_in_turn(&self, submissions: &[Submission]) -> Result<Durable, StoreError> {
        let began = Instant::now();
        loop {
            match write(&self.store, submissions, self.impressions_max).await {
                Err(StoreError::Busy) if began.elapsed() < self.write_timeout => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                written => return written,
            }
        }
    }

    fn refuse(&self, submissions: VecDeque<Submission>) {
        for Submission { entries, reply } in submissions {
            self.figures.refused(&entries);
            let _ = reply.send(Err(NotTaken::StoreAway));
        }
    }

    /// Waits until a transaction can begin, and takes entries again. Whether it can be committed
    /// as well, the next group finds out.
    async fn wait_for_store(&self, backoff: &mut Backoff) {
        loop {
            tokio::time::sleep(backoff.next()).await;
            let begin = async { self.store.begin().await?.rollback().await };
            if let Ok(Ok(())) = timeout(self.write_timeout, begin).await {
                return self.queue.open();
            }
        }
    }
}
