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
        self.turn += 1;
        let mut back_off = BACK_OFF;
        for tries in 0..=RETRIES {
            match ask(self.server(tries)).await {
                Ok(()) => return self.tally.count(Ok(())),
                Err(status) if tries < RETRIES && may_retry(&status) => {
                    if tries == 0 {
                        self.tally.retry();
                    }
                    tokio::time::sleep(back_off).await;
                    back_off *= 2;
                }
                Err(status) => return self.tally.count(Err(in_words(&status))),
            }
        }
    }

    /// Holds a stream open until the server ends it, or it is enough, and counts how the server
    /// ended it. A server that was not there, or that went before it had begun, does not count.
    pub(crate) async fn watch(&mut self, watched: &Tally) {
        let enough = async {
            while !self.tally.is_over() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        self.turn += 1;
        let ended = tokio::select! {
            () = enough => return,
            ended = watch(self.server(0)) => ended,
        };
        match ended {
            Err(status) if is_from_below(&status) => tokio::time::sleep(BACK_OFF).await,
            Err(status) if status.code() == Code::Unavailable => watched.count(Ok(())),
            Err(status) => watched.count(Err(in_words(&status))),
            Ok(()) => watched.count(Err("it ended with OK".to_owned())),
        }
    }

    /// The one whose turn it is, or for a second try the other.
    fn server(&self, tries: usize) -> Channel {
        self.servers[(self.turn + tries) % 2].clone()
    }
}

/// Whether another server may have an answer.
fn may_retry(status: &Status) -> bool {
    status.code() == Code::Unavailable || is_from_below(status)
}

/// Whether it was the connection that ended, or never was, instead of the call.
fn is_from_below(status: &Status) -> bool {
    status.source().is_some()
}
