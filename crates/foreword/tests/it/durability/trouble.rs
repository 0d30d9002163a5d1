//! What goes wrong in a round, until the service is dead.

use std::fmt;
use std::time::Duration;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use testbed::faults::{Fault, Faults, Moment};

use super::client::Client;
use super::crowd::Crowd;
use super::serving::Serving;
use crate::process::{PATIENCE, until, within};

/// How long a fault may wait for its operation; the load is too low for it then.
const FIRE_LIMIT: Duration = Duration::from_secs(10);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// SIGKILL at any time.
    Kill,
    /// SIGKILL before or after an operation.
    KillAtOperation,
    /// SIGKILL within a write.
    TornWrite,
    /// The power goes: what was not synced is partly undone.
    PowerCut,
    /// Syncs fail, what they were for is undone, and some time later the power goes.
    FailingSyncs,
    /// The disk is full for a while, and some time later the power goes.
    FullDisk,
}

impl Trouble {
    const ALL: [Self; 6] = [
        Self::Kill,
        Self::KillAtOperation,
        Self::TornWrite,
        Self::PowerCut,
        Self::FailingSyncs,
        Self::FullDisk,
    ];

    /// What goes wrong in the round of a seed.
    pub(super) fn of_round(seed: u64) -> Self {
        Self::ALL[seed as usize % Self::ALL.len()]
    }

    /// Whether the service may train meanwhile. An operation of the disk is to be one of the service,
    /// not of the process that trains for it; and what a power cut undoes is what one process wrote.
    /// What befalls trainings is in [`models`](super::models).
    pub(super) fn goes_with_trainings(self) -> bool {
        self == Self::Kill
    }

    /// Brings it about, while clients go on. The service is dead afterwards.
    pub(super) async fn befall(
        self,
        serving: &mut Serving,
        faults: &Faults,
        crowd: &Crowd,
        random: &mut ChaCha8Rng,
    ) {
        let (operation, seed) = (random.random_range(1..150), random.random());
        let fault = match self {
            Self::Kill => {
                let moment = Duration::from_millis(random.random_range(0..200));
                tokio::time::sleep(moment).await;
                return serving.kill();
            }
            Self::KillAtOperation => {
                let moments = [Moment::Before, Moment::After];
                let moment = moments[random.random_range(0..moments.len())];
                Fault::Kill { operation, moment, seed }
            }
            Self::TornWrite => Fault::Kill { operation, moment: Moment::Torn, seed },
            Self::PowerCut => Fault::PowerCut { operation, seed },
            Self::FailingSyncs => {
                let mut probe = Client::probe(crowd, 0);
                syncs_fail(serving, faults, &mut probe, random).await;
                Fault::PowerCut { operation, seed }
            }
            Self::FullDisk => {
                let mut probe = Client::probe(crowd, 0);
                disk_is_full(serving, faults, &mut probe, random).await;
                Fault::PowerCut { operation, seed }
            }
        };
        faults.arm(fault).unwrap();
        // It may be a training's process that has died. A fault that does not come is a kill.
        let has_fired = || faults.counters().unwrap().has_fired;
        within(FIRE_LIMIT, async || serving.has_ended() || has_fired()).await;
        serving.kill();
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Kill => "kill -9",
            Self::KillAtOperation => "kill -9 at an operation",
            Self::TornWrite => "torn write",
            Self::PowerCut => "power cut",
            Self::FailingSyncs => "failing syncs",
            Self::FullDisk => "full disk",
        })
    }
}

/// Some syncs fail; then events are taken again, by a service that has gone on all the time.
async fn syncs_fail(
    serving: &mut Serving,
    faults: &Faults,
    probe: &mut Client,
    random: &mut ChaCha8Rng,
) {
    let count = random.random_range(1..4);
    let before = faults.counters().unwrap().failed_syncs;
    faults.arm(Fault::SyncsFail { first: random.random_range(1..4), count }).unwrap();
    until("syncs that fail", async || {
        probe.record().await;
        faults.counters().unwrap().failed_syncs - before >= count
    })
    .await;
    faults.disarm().unwrap();
    goes_on(serving, probe).await;
}

/// The disk is full: events are refused, recommendations go on; then there is room again.
async fn disk_is_full(
    serving: &mut Serving,
    faults: &Faults,
    probe: &mut Client,
    random: &mut ChaCha8Rng,
) {
    faults.arm(Fault::DiskFull { bytes: random.random_range(0..100_000) }).unwrap();
    until("a refusal", async || !probe.record().await).await;
    for _ in 0..10 {
        assert!(probe.recommend().await, "a full disk stops recommendations");
        assert!(!probe.record().await, "a full disk takes events");
    }
    faults.disarm().unwrap();
    goes_on(serving, probe).await;
}

/// Events are taken again, by a service that has gone on all the time.
async fn goes_on(serving: &mut Serving, probe: &mut Client) {
    let is_taken = within(PATIENCE, async || probe.record().await).await;
    assert!(is_taken, "no events are taken again: {}", serving.log());
    assert!(!serving.has_ended(), "the service has ended: {}", serving.log());
}
