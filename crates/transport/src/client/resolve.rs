//! Names to addresses: all that a name has, again when their time is over.
//!
//! Names are asked for side by side, and so are both kinds of addresses of each: what fails holds
//! up nothing else. A kind that fails keeps the addresses that it had.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::half_jitter;
use super::common::Common;
use super::connect::Address;
use super::pool::Pool;
use super::settings::Names;
use super::target::Location;
use crate::random;

/// How often one name server is asked before it counts as gone.
const ASKED: usize = 2;

/// Answers that are kept: none is looked at twice.
const CACHE: u64 = 16;

/// What is said of name servers that are silent.
const NO_ANSWER: &str = "no answer in time";

/// The longest wait after failures in a row: a name server that is back should be noticed soon.
const FAILURE_WAIT_MAX: Duration = Duration::from_secs(30);

/// Resolves the names of a target.
pub(super) struct Resolving {
    resolver: TokioResolver,
    common: Arc<Common>,
    pool: Weak<Pool>,
}

/// The addresses of one kind, perhaps none, and how long they are good for.
type Answer = Result<(Vec<IpAddr>, Duration), String>;

/// The addresses that were last found for a name.
#[derive(Default)]
struct Known {
    four: Vec<IpAddr>,
    six: Vec<IpAddr>,
}

/// What a name comes to.
struct Found {
    addresses: BTreeSet<IpAddr>,
    lasts: Duration,
    /// Why one kind was not found.
    missing: Option<String>,
}

impl Known {
    /// Takes what was found, and keeps what was known of a kind that failed.
    fn take(&mut self, four: Answer, six: Answer) -> Result<Found, String> {
        let (mut lasts, mut missing, mut failed) = (Duration::MAX, None, 0);
        for (known, answer) in [(&mut self.four, four), (&mut self.six, six)] {
            match answer {
                Ok((addresses, good_for)) => {
                    *known = addresses;
                    lasts = lasts.min(good_for);
                }
                Err(reason) => {
                    missing.get_or_insert(reason);
                    failed += 1;
                }
            }
        }
        let addresses: BTreeSet<IpAddr> = self.four.iter().chain(&self.six).copied().collect();
        match missing {
            Some(reason) if failed == 2 || addresses.is_empty() => Err(reason),
            None if addresses.is_empty() => Err("the name has no address".to_owned()),
            missing => Ok(Found { addresses, lasts, missing }),
        }
    }
}

/// Makes a resolver, of the system's name servers unless there are others.
pub(super) fn resolver(names: &Names) -> Result<TokioResolver, NetError> {
    let mut builder = if names.servers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = names.servers.iter().map(|address| server(*address)).collect();
        let config = ResolverConfig::from_name_servers(servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    (options.timeout, options.attempts, options.cache_size) = (names.timeout, ASKED, CACHE);
    builder.build()
}

fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    let connections = connections.map(|mut one| {
        one.port = address.port();
        one
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

impl Resolving {
    pub(super) fn new(resolver: TokioResolver, common: Arc<Common>, pool: Weak<Pool>) -> Self {
        Self { resolver, common, pool }
    }

    /// Resolves when the first call comes, when times to live are over, and, not too often, when
    /// a connection breaks or a call finds a name that could not be resolved.
    pub(super) async fn run(self) {
        let places = self.common.target.places();
        let mut known: Vec<Known> = places.iter().map(|_| Known::default()).collect();
        let mut failures = 0;
        self.common.resolve.notified().await;
        loop {
            let begun = Instant::now();
            let wait = self.resolve_all(&mut known, &mut failures).await;
            let names = &self.common.settings.names;
            tokio::select! {
                () = sleep_until(Instant::now() + wait) => {}
                () = self.common.resolve.notified() => {
                    sleep_until(begun + names.again_after).await;
                }
            }
        }
    }

    /// Resolves each name; how long until the next time.
    async fn resolve_all(&self, known: &mut [Known], failures: &mut u32) -> Duration {
        let names = &self.common.settings.names;
        let places = self.common.target.places().iter().enumerate().zip(known);
        let all: FuturesUnordered<_> = places
            .filter_map(|((number, place), known)| match &place.location {
                Location::Name(host, port) => Some(self.resolve(number, host, *port, known)),
                _ => None,
            })
            .collect();
        let found: Vec<Option<Duration>> = all.collect().await;
        let lasts = found.iter().flatten().min().copied().unwrap_or(names.ttl_max);
        let wait = lasts.clamp(names.ttl_min.min(names.ttl_max), names.ttl_max);
        if found.iter().all(Option::is_some) {
            *failures = 0;
            return wait;
        }
        *failures = failures.saturating_add(1);
        let most = FAILURE_WAIT_MAX.min(names.ttl_max);
        wait.min(half_jitter(names.again_after, most, *failures, random::fraction()))
    }

    /// Resolves a name and tells the pool; how long that is good for, if all of it was found.
    async fn resolve(
        &self,
        number: usize,
        host: &str,
        port: u16,
        known: &mut Known,
    ) -> Option<Duration> {
        let (four, six) = self.both(host).await;
        let found = known.take(four, six);
        let pool = self.pool.upgrade()?;
        match found {
            Ok(Found { addresses, lasts, missing }) => {
                let addresses =
                    addresses.into_iter().map(|ip| Address::Tcp(SocketAddr::new(ip, port)));
                pool.resolved(number, Ok(addresses.collect()));
                if let Some(reason) = &missing {
                    tracing::debug!(host, reason, "a name is resolved in part; the rest stays");
                }
                missing.is_none().then_some(lasts)
            }
            Err(reason) => {
                tracing::warn!(host, reason, "a name cannot be resolved; what was known stays");
                pool.resolved(number, Err(format!("cannot resolve {host}: {reason}")));
                None
            }
        }
    }

    /// Asks for both kinds of addresses.
    async fn both(&self, host: &str) -> (Answer, Answer) {
        let four = pin!(self.ask(host, RecordType::A));
        let six = pin!(self.ask(host, RecordType::AAAA));
        match select(four, six).await {
            Either::Left((four, six)) => {
                let six = self.other(&four, six).await;
                (four, six)
            }
            Either::Right((six, four)) => {
                let four = self.other(&six, four).await;
                (four, six)
            }
        }
    }

    /// Waits for the other kind, and not for long if there are addresses of the first.
    async fn other(&self, first: &Answer, other: impl Future<Output = Answer>) -> Answer {
        if !matches!(first, Ok((addresses, _)) if !addresses.is_empty()) {
            return other.await;
        }
        let limit = self.common.settings.names.timeout;
        timeout(limit, other).await.unwrap_or_else(|_| Err(NO_ANSWER.to_owned()))
    }

    /// Asks for one kind of addresses.
    async fn ask(&self, host: &str, kind: RecordType) -> Answer {
        // Of each name server twice, by UDP and then by TCP, for each domain of the search list:
        // whatever comes to more than this is no answer.
        let limit = self.common.settings.names.timeout * 8;
        timeout(limit, self.look_up(host, kind)).await.unwrap_or_else(|_| Err(NO_ANSWER.to_owned()))
    }

    async fn look_up(&self, host: &str, kind: RecordType) -> Answer {
        // Our own times to live are kept, not those of a cache.
        self.resolver.clear_lookup_cache(host, kind);
        match self.resolver.lookup(host, kind).await {
            Ok(found) => {
                let lasts =
                    found.valid_until().saturating_duration_since(std::time::Instant::now());
                let addresses = found.answers().iter().filter_map(|one| one.data.ip_addr());
                Ok((addresses.collect(), lasts))
            }
            Err(error) if error.is_no_records_found() => Ok((Vec::new(), Duration::MAX)),
            Err(error) => Err(error.to_string()),
        }
    }
}
