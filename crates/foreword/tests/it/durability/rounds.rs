//! Rounds: a service under load on one data folder dies in one way after another, and is started
//! again.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use testbed::checker;
use testbed::faults::Faults;

use super::client::{Client, all_of};
use super::crowd::Crowd;
use super::serving::Serving;
use super::shop;
use super::table::{self, Row};
use super::trouble::Trouble;
use crate::process::until;
use crate::program::Program;

/// Names the seed of the first round; each other has the one after it. A round's seed decides what
/// goes wrong in it.
const SEED: &str = "FOREWORD_DURABILITY_SEED";

const CLIENTS: u32 = 4;
const USERS: u32 = 6;

/// No service may take longer to open. What is aimed at is a fifth of it: this one holds on a
/// machine that does much else.
const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// A round whose service is dead.
struct Round {
    seed: u64,
    trouble: Trouble,
    crowd: Crowd,
}

/// Runs so many rounds, and gives a table of them.
pub(super) async fn run(rounds: u64, first_seed: u64) -> String {
    let first_seed = std::env::var(SEED).map_or(first_seed, |text| text.parse().unwrap());
    let program = shop::small();
    let (mut over, mut rows) = (Vec::<Round>::new(), Vec::new());
    for seed in first_seed..first_seed + rounds {
        let faults = Faults::in_folder(program.folder.path()).unwrap();
        let trouble = Trouble::of_round(seed);
        let mut serving = start(&program, &faults, Some(trouble)).await;
        if let Some(last) = over.last() {
            rows.push(row(last, &serving));
            read_back(last, &serving).await;
        }
        over.push(play(seed, trouble, &mut serving, &faults).await);
        let forgotten = faults.counters().unwrap().forgotten;
        assert_eq!(forgotten, 0, "seed {seed}: a power cut was too mild");
    }
    let faults = Faults::in_folder(program.folder.path()).unwrap();
    let serving = start(&program, &faults, None).await;
    if let Some(last) = over.last() {
        rows.push(row(last, &serving));
        read_back(last, &serving).await;
    }
    // What was there after a round is there after all the others.
    for round in &over {
        judge(round, &stored(&round.crowd, &serving).await);
    }
    table::of(&rows)
}

/// Starts the service with a disk that works until the trouble begins.
async fn start(program: &Program, faults: &Faults, trouble: Option<Trouble>) -> Serving {
    let mut command = program.command("serve --listen 127.0.0.1:0");
    // Some trainings, so that there are model files as well. They have processes of their own.
    let trains = trouble.is_none_or(Trouble::goes_with_trainings);
    command.env("FOREWORD_RETRAIN__ON", trains.to_string());
    command.env("FOREWORD_RETRAIN__PAUSE_MS", "100").env("FOREWORD_RETRAIN__QUIET_MS", "20");
    let serving = Serving::start(command.envs(faults.environment())).await;
    assert!(serving.opened_in < OPENING_LIMIT, "it opened in {:?}", serving.opened_in);
    serving
}

/// Lets clients loose until the service is dead.
async fn play(seed: u64, trouble: Trouble, serving: &mut Serving, faults: &Faults) -> Round {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Shown if the round fails, wherever.
    eprintln!("{SEED}={seed}: {trouble}");
    let crowd = Crowd::new(&format!("round-{seed}"), USERS, vec![serving.channel.clone()]);
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(Client::new(&crowd, number, seed).run())).collect();
    tokio::time::sleep(Duration::from_millis(random.random_range(50..400))).await;
    trouble.befall(serving, faults, &crowd, &mut random).await;
    crowd.has_to_stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    Round { seed, trouble, crowd }
}

/// Sends again what was not acknowledged, reads everything, and looks whether it may be so.
async fn read_back(round: &Round, serving: &Serving) {
    let mut crowd = round.crowd.clone();
    crowd.channels = vec![serving.channel.clone()];
    let mut client = Client::new(&crowd, CLIENTS, round.seed);
    until("everything to be taken", async || client.repeat_all().await.is_ok()).await;
    for user in 0..crowd.users {
        let user = crowd.user(user);
        client.export_user(serving.channel.clone(), &user).await.unwrap();
    }
    for _ in 0..20 {
        assert!(client.recommend().await, "a shelf of a service that lives");
    }
    judge(round, &stored(&crowd, serving).await);
}

/// What the store holds of the users of a round.
async fn stored(crowd: &Crowd, serving: &Serving) -> Vec<checker::StoredEvent> {
    let mut rows = Vec::new();
    for user in 0..crowd.users {
        let user = crowd.user(user);
        let all = all_of(serving.channel.clone(), &user).await.unwrap();
        rows.extend(all.iter().map(|event| super::witness::stored(&user, event)));
    }
    rows
}

fn judge(round: &Round, stored: &[checker::StoredEvent]) {
    let complaints = round.crowd.witness.judge(stored);
    if complaints.is_empty() {
        return;
    }
    let mut text = format!("{SEED}={} ({}):", round.seed, round.trouble);
    for complaint in complaints.iter().take(10) {
        write!(text, "\n- {complaint}").unwrap();
    }
    panic!("{text}\n{} complaints in all", complaints.len());
}

fn row(round: &Round, serving: &Serving) -> Row {
    Row {
        trouble: round.trouble,
        operations: round.crowd.witness.history().operations().len(),
        counts: round.crowd.witness.counts(),
        opened_in: serving.opened_in,
    }
}
