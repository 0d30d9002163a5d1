//! A hundred restarts of two servers, in turn, under load.
//!
//! Each server has a port of its own, as two machines or two pods have, and binds it again when
//! it comes back. (On one machine systemd can hold the sockets instead: with `foreword.socket`
//! nothing is even refused during a restart. Here the harder case is tried, in which it is.)
//! One is sent SIGTERM, drains, ends, and is started again; only when it listens is it the
//! other's turn.
//!
//! Clients know both addresses: see `balance.rs` for what they do about an answer that says
//! "try elsewhere". Some hold streams open for ever, which a drain has to end.

mod balance;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use self::balance::Balance;
use crate::child::{Ended, Serving};
use crate::dialer::Dialer;
use crate::server::Order;
use crate::tally::Tally;
use crate::verdict::Verdict;
use crate::{Failure, calls, say};

/// How long streams may go on in a drain; production has two seconds.
const STREAM_GRACE: Duration = Duration::from_millis(300);

/// Between two restarts.
const PAUSE: Duration = Duration::from_millis(100);

/// Clients of each kind.
const CALLERS: usize = 8;
const STREAMERS: usize = 4;
const WATCHERS: usize = 4;

/// What the restarts came to.
#[derive(Debug, Default)]
struct Done {
    restarts: u64,
    /// Servers that did not end with 0.
    bad_ends: u64,
    /// Connections that had to be cut.
    cut: u64,
    /// Streams that were told that the server stops.
    told: u64,
    longest_drain: Duration,
    longest_start: Duration,
}

pub(crate) async fn run(count: usize) -> Result<Verdict, Failure> {
    let began = Instant::now();
    let mut servers =
        [start(([127, 0, 0, 1], 0).into()).await?, start(([127, 0, 0, 1], 0).into()).await?];
    let addresses = [address(&servers[0])?, address(&servers[1])?];
    let tally = Arc::new(Tally::default());
    let watched = Arc::new(Tally::default());
    let clients = load(addresses, &tally, &watched);
    let mut done = Done::default();
    for number in 0..count {
        tokio::time::sleep(PAUSE).await;
        let turn = number % 2;
        let [one, other] = servers;
        let (stopped, left) = if turn == 0 { (one, other) } else { (other, one) };
        done.note(stopped.terminate().await?);
        let starting = Instant::now();
        let started = start(addresses[turn]).await?;
        done.longest_start = done.longest_start.max(starting.elapsed());
        servers = if turn == 0 { [started, left] } else { [left, started] };
        if (number + 1) % 20 == 0 {
            let seconds = began.elapsed().as_secs();
            say(&format!("restarts: {} of {count} after {seconds} s", number + 1));
        }
    }
    tally.end();
    clients.join_all().await;
    Ok(judge(&done, &tally, &watched, began.elapsed()))
}

async fn start(address: SocketAddr) -> Result<Serving, Failure> {
    let stream_grace = u64::try_from(STREAM_GRACE.as_millis()).ok();
    let order = Order { plaintext: Some(address), stream_grace, ..Order::default() };
    Serving::start(&order).await
}

fn address(serving: &Serving) -> Result<SocketAddr, Failure> {
    serving.plaintext.ok_or_else(|| "the server has no address".into())
}

/// Callers, streamers and watchers, each with connections of its own.
fn load(addresses: [SocketAddr; 2], tally: &Arc<Tally>, watched: &Arc<Tally>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    let balance = |first| {
        let channels = addresses.map(|address| Dialer::plaintext(address).connect_lazily());
        Balance::new(channels, first, Arc::clone(tally))
    };
    for number in 0..CALLERS {
        let (mut balance, tally) = (balance(number), Arc::clone(tally));
        clients.spawn(async move {
            while !tally.is_over() {
                balance.call(calls::recommend).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
    for number in 0..STREAMERS {
        let (mut balance, tally) = (balance(number), Arc::clone(tally));
        clients.spawn(async move {
            while !tally.is_over() {
                let every = Duration::from_millis(10);
                balance.call(|channel| calls::stream(channel, 10, every)).await;
            }
        });
    }
    for number in 0..WATCHERS {
        let (mut balance, tally) = (balance(number), Arc::clone(tally));
        let watched = Arc::clone(watched);
        clients.spawn(async move {
            while !tally.is_over() {
                balance.watch(&watched).await;
            }
        });
    }
    clients
}

impl Done {
    fn note(&mut self, ended: Ended) {
        self.restarts += 1;
        self.bad_ends += u64::from(!ended.status.success());
        self.cut += ended.cut as u64;
        self.told += ended.streams_ended as u64;
        self.longest_drain = self.longest_drain.max(ended.took);
    }
}

fn judge(done: &Done, tally: &Tally, watched: &Tally, took: Duration) -> Verdict {
    let mut verdict = Verdict::new("restarts");
    verdict.tell("restarts", done.restarts);
    verdict.hold("that did not end with 0", done.bad_ends, 0);
    verdict.hold("connections cut", done.cut, 0);
    verdict.tell("calls answered", tally.good());
    verdict.tell("first tries that failed", tally.retried());
    tally.hold("calls failed after all tries", &mut verdict);
    verdict.tell("streams told to go", done.told);
    verdict.tell("endless streams that ended UNAVAILABLE", watched.good());
    watched.hold("endless streams that ended otherwise", &mut verdict);
    verdict.tell("longest drain, ms", done.longest_drain.as_secs_f64() * 1e3);
    verdict.tell("longest start, ms", done.longest_start.as_secs_f64() * 1e3);
    verdict.tell("seconds", took.as_secs_f64());
    verdict
}
