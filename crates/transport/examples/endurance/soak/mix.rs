//! Everything that clients do, in a fixed order of a hundred calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tonic::Status;
use tonic::transport::Channel;

use crate::child::Serving;
use crate::dialer::Dialer;
use crate::{Failure, calls};

/// Connections of each kind that are kept.
const KEPT: usize = 4;

/// Between two answers of a stream.
const INTERVAL: Duration = Duration::from_millis(1);

/// Clients with connections in plaintext and over TLS.
pub(crate) struct Mix {
    kept: Vec<Channel>,
    newcomers: [Dialer; 2],
}

/// What a client does.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Recommend,
    Stream,
    Talk,
    Cancel,
    MissTheDeadline,
    NewConnection,
}

/// How many of each there are in a hundred.
const SHARES: [(Kind, usize); 6] = [
    (Kind::Recommend, 72),
    (Kind::Stream, 8),
    (Kind::Talk, 6),
    (Kind::Cancel, 5),
    (Kind::MissTheDeadline, 4),
    (Kind::NewConnection, 5),
];

impl Mix {
    pub(crate) async fn new(serving: &Serving, tls: &Arc<ClientConfig>) -> Result<Self, Failure> {
        let needed = |address: Option<SocketAddr>| address.ok_or("the server has no address");
        let plaintext = Dialer::plaintext(needed(serving.plaintext)?);
        let encrypted = Dialer::tls(needed(serving.tls)?, Arc::clone(tls), Arc::new(|_| {}));
        let newcomers = [plaintext, encrypted];
        let mut kept = Vec::new();
        for number in 0..2 * KEPT {
            kept.push(newcomers[number % 2].connect().await?);
        }
        Ok(Self { kept, newcomers })
    }

    /// Makes the call of a number.
    pub(crate) async fn call(&self, number: usize) -> Result<(), String> {
        // 37 has no divisor in common with 100: kinds are spread evenly, and each of them over
        // all connections.
        let kind = kind_at(number * 37 % 100);
        let kept = || self.kept[number / 100 % self.kept.len()].clone();
        let done = match kind {
            Kind::Recommend => calls::recommend(self.kept[number % self.kept.len()].clone()).await,
            Kind::Stream => calls::stream(kept(), 5, INTERVAL).await,
            Kind::Talk => calls::talk(kept()).await,
            Kind::Cancel => calls::cancel(kept()).await,
            Kind::MissTheDeadline => calls::miss_the_deadline(kept()).await,
            Kind::NewConnection => self.come(number).await,
        };
        done.map_err(|status| format!("{kind:?}: {}", calls::in_words(&status)))
    }

    async fn come(&self, number: usize) -> Result<(), Status> {
        let newcomer = &self.newcomers[number / 100 % 2];
        let channel =
            newcomer.connect().await.map_err(|error| Status::unavailable(error.to_string()))?;
        calls::recommend(channel).await
    }
}

fn kind_at(place: usize) -> Kind {
    let mut left = place;
    for (kind, share) in SHARES {
        if left < share {
            return kind;
        }
        left -= share;
    }
    Kind::Recommend
}
