//! A service whose training dies while it writes a model, or makes one the active one, and which
//! then dies itself.

use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{Fallback, RecommendRequest};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testbed::faults::{Fault, Faults, Moment};

use super::client::Client;
use super::crowd::Crowd;
use super::serving::Serving;
use super::shop;
use crate::process::until;
use crate::program::Program;

/// Some trainings together do more in the folder of models.
const OPERATIONS_MAX: u64 = 20;

/// Runs so many rounds.
pub(super) async fn run(rounds: u64, first_seed: u64) {
    let program = shop::small();
    for seed in first_seed..first_seed + rounds {
        die_within_a_training(&program, seed).await;
        // Whatever is left of that one, the service starts, and trains another.
        let serving = start(&program, None).await;
        let found = version(&serving).await;
        let crowd = Crowd::new(&format!("after-{seed}"), 3, vec![serving.channel.clone()]);
        let mut client = Client::new(&crowd, 0, seed);
        until("another model", async || {
            client.record().await;
            version(&serving).await != found
        })
        .await;
    }
}

/// Lets trainings follow one another until the folder of models has its fault.
async fn die_within_a_training(program: &Program, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let faults = Faults::in_folder(&program.folder.path().join("models")).unwrap();
    let mut serving = start(program, Some(&faults)).await;
    let operation = random.random_range(1..OPERATIONS_MAX);
    let kill = |moment| Fault::Kill { operation, moment, seed };
    let kinds = [
        kill(Moment::Before),
        kill(Moment::Torn),
        kill(Moment::After),
        Fault::PowerCut { operation, seed },
    ];
    faults.arm(kinds[seed as usize % kinds.len()]).unwrap();
    let crowd = Crowd::new(&format!("models-{seed}"), 3, vec![serving.channel.clone()]);
    let mut client = Client::new(&crowd, 0, seed);
    let has_fired = || faults.counters().unwrap().has_fired;
    until("a death", async || {
        client.record().await;
        has_fired() || serving.has_ended()
    })
    .await;
    assert!(has_fired(), "it died of itself: {}", serving.log());
    serving.kill();
}

/// A service that trains whenever there is something new.
async fn start(program: &Program, faults: Option<&Faults>) -> Serving {
    let mut command = program.command("serve --listen 127.0.0.1:0");
    for (setting, value) in
        [("QUIET_MS", "20"), ("SOON_MS", "100"), ("PAUSE_MS", "50"), ("EVENTS_SHARE", "0.0001")]
    {
        command.env(format!("FOREWORD_RETRAIN__{setting}"), value);
    }
    command.env("FOREWORD_SERVE__POLL_MS", "50");
    if let Some(faults) = faults {
        command.envs(faults.environment());
    }
    Serving::start(&mut command).await
}

/// Which model answers a reader; there is one, always.
async fn version(serving: &Serving) -> String {
    let request = RecommendRequest { user_id: "1".to_owned(), ..RecommendRequest::default() };
    let mut client = RecommendationServiceClient::new(serving.channel.clone());
    let answer = client.recommend(request).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), Fallback::Unspecified);
    assert!(!answer.model_version.is_empty() && !answer.books.is_empty());
    answer.model_version
}
