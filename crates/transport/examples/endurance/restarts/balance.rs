//! A client that knows two servers.
//!
//! It asks them in turn. A call that ends `UNAVAILABLE`, or whose connection ended under it, is
//! asked again of the other server, after a short pause, and at most twice. tonic's client has
//! several codes for a connection that ended (UNKNOWN, CANCELLED, INTERNAL); what they have in
//! common is that they come from below and not from the server's trailers.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::calls::{in_words, watch};
use crate::tally::Tally;

/// After the first try there may be so many more.
const RETRIES: usize = 2;

/// Before the first retry, and twice that before the second.
const BACK_OFF: Duration = Duration::from_millis(10);

/// Two servers and whose turn it is.
pub(crate) struct Balance {
    servers: [Channel; 2],
    turn: usize,
    tally: Arc<Tally>,
}

impl Balance {
    pub(crate) fn new(servers: [Channel; 2], turn: usize, tally: Arc<Tally>) -> Self {
        Self { servers, turn, tally }
    }

    /// Asks until there is an answer, or no try is left, and counts it.
    pub(crate) async fn call<F>(&mut self, ask: impl Fn(Channel) -> F)
    where
        F: Future<Output = Result<(), Status>>,
    {
        let mut back_off = BACK_OFF;
        for left in (0..=RETRIES).rev() {
            match ask(self.next()).await {
                Ok(()) => return self.tally.count(Ok(())),
                Err(status) if left > 0 && may_retry(&status) => {
                    if left == RETRIES {
                        self.tally.retry();
                    }
                    tokio::time::sleep(back_off).await;
                    back_off *= 2;
                }
                Err(status) => return self.tally.count(Err(in_words(&status))),
            }
        }
    }

    /// Holds a stream open until the server ends it, or it is enough, and counts how it ended.
    pub(crate) async fn watch(&mut self, watched: &Tally) {
        let enough = async {
            while !self.tally.is_over() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let server = self.servers[self.turn % 2].clone();
        self.turn += 1;
        tokio::select! {
            () = enough => {}
            ended = watch(server) => match ended {
                Err(status) if may_retry(&status) && status.code() != Code::Unavailable => {
                    // It came to a connection that was just going.
                }
                Err(status) if status.code() == Code::Unavailable => {
                    // Asked of a server that is not there, or ended by one that goes.
                    if status.source().is_none() {
                        watched.count(Ok(()));
                    } else {
                        tokio::time::sleep(BACK_OFF).await;
                    }
                }
                Err(status) => watched.count(Err(in_words(&status))),
                Ok(()) => watched.count(Err("it ended with OK".to_owned())),
            },
        }
    }

    fn next(&mut self) -> Channel {
        self.turn += 1;
        self.servers[self.turn % 2].clone()
    }
}

/// Whether another server may have an answer.
fn may_retry(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}
