//! Names to addresses: all that a name has, again when their time is over.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

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

/// Resolves the names of a target.
pub(super) struct Resolving {
    resolver: TokioResolver,
    common: Arc<Common>,
    pool: Weak<Pool>,
}

/// The addresses of a name, and how long they are good for.
struct Found {
    addresses: Vec<Address>,
    lasts: Duration,
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
    /// a connection breaks.
    pub(super) async fn run(self) {
        let mut failures = 0;
        self.common.resolve.notified().await;
        loop {
            let begun = Instant::now();
            let wait = self.resolve_all(&mut failures).await;
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
    async fn resolve_all(&self, failures: &mut u32) -> Duration {
        let names = &self.common.settings.names;
        let mut wait = names.ttl_max;
        let mut all_found = true;
        for (number, place) in self.common.target.places().iter().enumerate() {
            let Location::Name(host, port) = &place.location else { continue };
            let found = self.resolve(host, *port).await;
            let Some(pool) = self.pool.upgrade() else { return wait };
            match found {
                Ok(found) => {
                    wait = wait.min(found.lasts);
                    pool.resolved(number, Ok(found.addresses));
                }
                Err(reason) => {
                    tracing::warn!(host, reason, "a name cannot be resolved; what was known stays");
                    all_found = false;
                    pool.resolved(number, Err(format!("cannot resolve {host}: {reason}")));
                }
            }
        }
        if all_found {
            *failures = 0;
        } else {
            *failures += 1;
            let again =
                half_jitter(names.again_after, names.ttl_max, *failures, random::fraction());
            wait = wait.min(again);
        }
        wait.clamp(names.ttl_min.min(names.ttl_max), names.ttl_max)
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Found, String> {
        let names = &self.common.settings.names;
        // Of each name server twice, by UDP and then by TCP, for each domain of the search list:
        // whatever comes to more than this is no answer.
        let limit = names.timeout * 8;
        let both =
            async { tokio::join!(self.ask(host, RecordType::A), self.ask(host, RecordType::AAAA)) };
        let (four, six) = timeout(limit, both).await.map_err(|_| "no answer in time".to_owned())?;
        // With one kind missing for a failure, its addresses would be forgotten.
        let ((four, four_lasts), (six, six_lasts)) = (four?, six?);
        let addresses: BTreeSet<IpAddr> = four.into_iter().chain(six).collect();
        if addresses.is_empty() {
            return Err("the name has no address".to_owned());
        }
        let lasts = four_lasts.min(six_lasts);
        let addresses = addresses.into_iter().map(|ip| Address::Tcp(SocketAddr::new(ip, port)));
        Ok(Found { addresses: addresses.collect(), lasts })
    }

    /// Addresses of one kind, perhaps none, and how long they are good for.
    async fn ask(&self, host: &str, kind: RecordType) -> Result<(Vec<IpAddr>, Duration), String> {
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
