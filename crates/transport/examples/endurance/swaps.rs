//! A thousand new certificates under load.
//!
//! The files change as they do in practice: renamed into place (certbot), written in place (`cp`),
//! and by Kubernetes' swap of its `..data` link, a third of the swaps each. Before every hundredth
//! comes a pair that cannot be used: the server must say so and go on with what it has. And ten
//! times the authority of both sides is replaced, as operators do it: the server trusts both,
//! clients trust both, the server's certificate changes, the clients' change, the old one goes.
//!
//! After each swap somebody waits until a client has seen the new certificate.

mod load;
mod spoil;
mod volume;

use std::time::{Duration, Instant};

use tempfile::TempDir;

use self::load::Load;
use self::spoil::Spoilt;
use self::volume::{Volume, Way};
use crate::authority::{Authority, Pair};
use crate::child::Serving;
use crate::dialer::Dialer;
use crate::server::{AUTHORITIES, CERTIFICATE, KEY, Order, Said};
use crate::verdict::Verdict;
use crate::{Failure, say};

/// Before the last of so many swaps comes a bad pair …
const BAD_EVERY: usize = 100;
/// … and the one in the middle comes with a new authority.
const ROTATE_AT: usize = 50;

/// A swap that nobody has seen for so long is none.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often somebody looks whether a change has come through.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What was done.
#[derive(Debug, Default)]
struct Done {
    swaps: u64,
    taken_up: u64,
    rotations: u64,
    bad: u64,
    refused: u64,
    /// New connections that were served while the files were bad.
    served_meanwhile: u64,
    slowest: Duration,
}

/// The files of a server, who signs them, and its clients.
struct Scene {
    volume: Volume,
    way: Way,
    authority: Authority,
    serving: Serving,
    load: Load,
    done: Done,
}

pub(crate) async fn run(count: usize) -> Result<Verdict, Failure> {
    let began = Instant::now();
    let mut scene = Scene::set().await?;
    for number in 0..count {
        scene.way = Way::ALL[number * Way::ALL.len() / count];
        if number % BAD_EVERY == BAD_EVERY - 1 {
            scene.swap_badly(number / BAD_EVERY).await?;
        }
        if number % BAD_EVERY == ROTATE_AT {
            scene.rotate(number).await?;
        } else {
            let pair = scene.authority.server()?;
            scene.swap(&pair).await?;
        }
        if (number + 1) % 100 == 0 {
            let seconds = began.elapsed().as_secs();
            say(&format!("swaps: {} of {count} after {seconds} s", number + 1));
        }
    }
    scene.judge(began.elapsed()).await
}

impl Scene {
    async fn set() -> Result<Self, Failure> {
        let authority = Authority::new("first")?;
        let pair = authority.server()?;
        let volume = Volume::new(TempDir::new()?);
        let files = [
            (KEY, pair.key.as_str()),
            (CERTIFICATE, pair.certificate.as_str()),
            (AUTHORITIES, &authority.pem()),
        ];
        volume.begin(&files)?;
        let order = Order {
            tls: Some(([127, 0, 0, 1], 0).into()),
            certificates: Some(volume.path().to_owned()),
            ..Order::default()
        };
        let serving = Serving::start(&order).await?;
        let address = serving.tls.ok_or("the server speaks no TLS")?;
        let load = Load::start(address, &authority.pem(), &authority.client()?).await?;
        let done = Done::default();
        Ok(Self { volume, way: Way::Rename, authority, serving, load, done })
    }

    /// A new certificate for the server.
    async fn swap(&mut self, pair: &Pair) -> Result<(), Failure> {
        let began = Instant::now();
        self.volume.put(self.way, &[(KEY, &pair.key), (CERTIFICATE, &pair.certificate)])?;
        self.done.swaps += 1;
        let der = pair.der()?;
        while began.elapsed() < PATIENCE {
            if self.load.has_seen(&der) {
                self.done.taken_up += 1;
                self.done.slowest = self.done.slowest.max(began.elapsed());
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Files that cannot be used, until the server has said so.
    async fn swap_badly(&mut self, turn: usize) -> Result<(), Failure> {
        let spoilt = Spoilt::ALL[turn % Spoilt::ALL.len()];
        let pair = spoilt.pair(&self.authority)?;
        let before = self.refused().await?;
        self.volume.put(self.way, &[(KEY, &pair.key), (CERTIFICATE, &pair.certificate)])?;
        self.done.bad += 1;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.refused().await? > before {
                self.done.refused += 1;
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let handshakes = self.load.handshakes();
        let began = Instant::now();
        while self.load.handshakes() < handshakes + 10 && began.elapsed() < PATIENCE {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.done.served_meanwhile += self.load.handshakes() - handshakes;
        if let Ok(der) = pair.der()
            && self.load.has_seen(&der)
        {
            self.load.tally.count(Err(format!("a client was shown a bad certificate: {spoilt:?}")));
        }
        Ok(())
    }

    /// A new authority of both sides.
    async fn rotate(&mut self, number: usize) -> Result<(), Failure> {
        let next = Authority::new(&format!("of swap {number}"))?;
        let (old_client, next_client) = (self.authority.client()?, next.client()?);
        let both = format!("{}{}", self.authority.pem(), next.pem());

        self.volume.put(self.way, &[(AUTHORITIES, &both)])?;
        self.wait_until_served(&both, &next_client, true).await?;
        self.load.trust(&both, &old_client).await?;
        self.swap(&next.server()?).await?;
        self.load.trust(&next.pem(), &next_client).await?;
        self.volume.put(self.way, &[(AUTHORITIES, &next.pem())])?;
        self.wait_until_served(&both, &old_client, false).await?;

        self.authority = next;
        self.done.rotations += 1;
        Ok(())
    }

    /// Waits until a client with a certificate is served, or is refused.
    async fn wait_until_served(
        &self,
        roots: &str,
        identity: &Pair,
        expected: bool,
    ) -> Result<(), Failure> {
        let config = crate::authority::client_config(roots, Some(identity))?;
        let address = self.serving.tls.ok_or("the server speaks no TLS")?;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let dialer = Dialer::tls(address, config.clone(), std::sync::Arc::new(|_| {}));
            let is_served = match dialer.connect().await {
                Ok(channel) => crate::calls::recommend(channel).await.is_ok(),
                Err(_) => false,
            };
            if is_served == expected {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err("a change of the authorities did not come through".into())
    }

    async fn refused(&mut self) -> Result<u64, Failure> {
        match self.serving.figures().await? {
            Said::Figures { refused_pairs, .. } => Ok(refused_pairs),
            other => Err(format!("expected figures, found {other:?}").into()),
        }
    }

    async fn judge(self, took: Duration) -> Result<Verdict, Failure> {
        let Self { load, done, .. } = self;
        load.end().await;
        let mut verdict = Verdict::new("swaps");
        verdict.tell("certificates swapped", done.swaps);
        verdict.hold("of them seen by a client", done.taken_up, done.swaps);
        verdict.tell("authorities replaced", done.rotations);
        verdict.tell("bad pairs", done.bad);
        verdict.hold("of them refused, and said so", done.refused, done.bad);
        verdict.tell("connections opened while a pair was bad", done.served_meanwhile);
        verdict.tell("calls answered", load.tally.good());
        load.tally.hold("calls failed", &mut verdict);
        verdict.tell("handshakes", load.handshakes());
        verdict.hold("long connections lost", load.lost(), 0);
        verdict.tell("slowest swap to be seen, ms", done.slowest.as_secs_f64() * 1e3);
        verdict.tell("seconds", took.as_secs_f64());
        Ok(verdict)
    }
}
