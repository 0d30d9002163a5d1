//! `StreamEvents`: many requests on their way at once, their results in order.
//!
//! Requests are read, checked and handed over one after the other, so that the entries of a user
//! keep their order. The next is read while results of those before are awaited, until as many
//! entries are on their way as one stream may have: then the stream is not read from, and HTTP/2
//! holds the client back. A client who reads no results is not read from either, since then
//! nobody asks for the next result, which is what drives all of this.

use std::collections::VecDeque;
use std::sync::Arc;

use api::v1::{EventResult, StreamEventsRequest, StreamEventsResponse};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use tonic::{Status, Streaming};

use super::check::Checked;
use super::result::Answers;
use super::{Doorway, status};
use crate::ingest::{NotTaken, Receipt, Written};
use crate::layers::Permit;
use crate::settings::REQUEST_ENTRIES_MAX;

/// A request whose entries were handed over.
struct Pending {
    answers: Answers,
    /// None if no entry was valid.
    receipt: Option<Receipt>,
}

/// A stream from its first request to its last result.
struct Conversation {
    doorway: Arc<Doorway>,
    requests: BoxStream<'static, Result<Pending, Status>>,
    /// Whether more requests may come; if not, how the stream ends once the results are told.
    end: Option<Result<(), Status>>,
    pending: VecDeque<Pending>,
    pending_entries: usize,
}

/// The answers to a stream of requests.
pub(super) fn answers(
    doorway: Arc<Doorway>,
    permit: Permit,
    requests: Streaming<StreamEventsRequest>,
) -> BoxStream<'static, Result<StreamEventsResponse, Status>> {
    let conversation = Conversation {
        requests: handed_over(Arc::clone(&doorway), permit, requests),
        doorway,
        end: None,
        pending: VecDeque::new(),
        pending_entries: 0,
    };
    stream::unfold(conversation, |mut conversation| async {
        conversation.next().await.map(|answer| (answer, conversation))
    })
    .fuse()
    .boxed()
}

/// Reads, checks and hands over request after request, for as long as the client may call: after
/// that, not even one that waits for room.
fn handed_over(
    doorway: Arc<Doorway>,
    permit: Permit,
    requests: Streaming<StreamEventsRequest>,
) -> BoxStream<'static, Result<Pending, Status>> {
    let next = |(doorway, permit, mut requests): (Arc<Doorway>, Permit, Streaming<_>)| async {
        let pending = tokio::select! {
            biased;
            status = permit.ended() => Err(status),
            pending = doorway.next(&mut requests) => pending.transpose()?,
        };
        Some((pending, (doorway, permit, requests)))
    };
    stream::unfold((doorway, permit, requests), next).boxed()
}

impl Doorway {
    async fn next(
        &self,
        requests: &mut Streaming<StreamEventsRequest>,
    ) -> Result<Option<Pending>, Status> {
        match requests.message().await? {
            None => Ok(None),
            Some(request) => self.hand_over(request).await.map(Some),
        }
    }

    async fn hand_over(&self, request: StreamEventsRequest) -> Result<Pending, Status> {
        let Checked { entries, answers } = self.check(request.entries)?;
        let receipt = match entries.is_empty() {
            true => None,
            false => {
                let taken = self.ingest.submit_when_room(entries).await;
                Some(taken.map_err(status::not_taken)?)
            }
        };
        Ok(Pending { answers, receipt })
    }
}

impl Conversation {
    /// The next answer; the last one may say why there are no more.
    async fn next(&mut self) -> Option<Result<StreamEventsResponse, Status>> {
        loop {
            let settings = self.doorway.settings.current();
            let may_read = self.pending_entries < settings.events.stream_entries_max();
            tokio::select! {
                biased;
                written = first(&mut self.pending), if !self.pending.is_empty() => {
                    return Some(self.answer(written));
                }
                () = self.doorway.ingest.stopping(), if self.end.is_none() => {
                    self.end = Some(Err(status::stopping_events()));
                }
                request = self.requests.next(), if self.end.is_none() && may_read => {
                    self.take(request);
                }
                // All results are told.
                else => return self.end.replace(Ok(()))?.err().map(Err),
            }
        }
    }

    fn take(&mut self, request: Option<Result<Pending, Status>>) {
        match request {
            None => self.end = Some(Ok(())),
            Some(Err(status)) => self.end = Some(Err(status)),
            Some(Ok(pending)) => {
                self.pending_entries += pending.answers.len();
                self.pending.push_back(pending);
            }
        }
    }

    /// The results of the first request, and of those after it that are there as well.
    fn answer(
        &mut self,
        written: Result<Option<Written>, NotTaken>,
    ) -> Result<StreamEventsResponse, Status> {
        let mut results = Vec::new();
        self.tell(written, &mut results);
        while self.pending.front().is_some_and(|next| next.fits(results.len()))
            && let Some(written) = first(&mut self.pending).now_or_never()
        {
            self.tell(written, &mut results);
        }
        match results.is_empty() {
            // Nothing was taken of the first request, so there is nothing before the end.
            true => {
                Err(self.end.replace(Ok(())).and_then(Result::err).unwrap_or_else(status::stopping))
            }
            false => Ok(StreamEventsResponse { results }),
        }
    }

    /// Adds the results of the first request; if it was not taken, the stream ends there.
    fn tell(&mut self, written: Result<Option<Written>, NotTaken>, results: &mut Vec<EventResult>) {
        let Some(first) = self.pending.pop_front() else { return };
        self.pending_entries -= first.answers.len();
        match written {
            Ok(written) => results.extend(first.answers.results(written)),
            Err(refused) => {
                // What came after it was handed over later, and is not told of.
                self.pending.clear();
                self.pending_entries = 0;
                self.end = Some(Err(status::not_taken(refused)));
            }
        }
    }
}

impl Pending {
    /// Whether its results go into an answer that has so many already.
    fn fits(&self, results: usize) -> bool {
        results + self.answers.len() <= REQUEST_ENTRIES_MAX
    }
}

/// What became of the first request. Where it is dropped before it ends, nothing is lost.
async fn first(pending: &mut VecDeque<Pending>) -> Result<Option<Written>, NotTaken> {
    match pending.front_mut().and_then(|first| first.receipt.as_mut()) {
        None => Ok(None),
        // A job that was lost tells nobody.
        Some(receipt) => receipt.await.unwrap_or(Err(NotTaken::StoreAway)).map(Some),
    }
}
