//! Minutes of everything that clients do, at a third of what the machine can.
//!
//! What the machine can is measured first, by the same mix in a closed loop. Then the mix comes
//! at a third of that rate, and each second the server's process is looked at. It is flat if the
//! last fifth has no more than the second, by their medians: resident memory within 5 % or 2 MiB,
//! whichever is more; files, those of open connections not counted, and threads exactly. Leave
//! the machine alone meanwhile: `unstall` adds threads while others keep its own from running.

mod mix;
mod plot;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::mix::Mix;
use self::sample::Sample;
use crate::authority::{Authority, client_config};
use crate::child::Serving;
use crate::server::{CERTIFICATE, KEY, Order};
use crate::tally::Tally;
use crate::verdict::Verdict;
use crate::{Failure, say};

/// How long the capacity is measured, and by how many clients.
const CALIBRATION: Duration = Duration::from_secs(5);
const CLIENTS: usize = 48;

/// Of the capacity.
const SHARE: f64 = 1.0 / 3.0;

/// Calls under way at once; what is due beyond is left out and counted.
const UNDER_WAY_MAX: usize = 400;

/// How often calls that are due are sent.
const SEND_EVERY: Duration = Duration::from_millis(5);

pub(crate) async fn run(duration: Duration) -> Result<Verdict, Failure> {
    let folder = TempDir::new()?;
    let authority = Authority::new("soak")?;
    let pair = authority.server()?;
    std::fs::write(folder.path().join(CERTIFICATE), &pair.certificate)?;
    std::fs::write(folder.path().join(KEY), &pair.key)?;
    let any = ([127, 0, 0, 1], 0).into();
    let certificates = Some(folder.path().to_owned());
    let order = Order { plaintext: Some(any), tls: Some(any), certificates, stream_grace: None };
    let mut serving = Serving::start(&order).await?;
    let tls = client_config(&authority.pem(), None)?;
    let mix = Arc::new(Mix::new(&serving, &tls).await?);

    let capacity = calibrate(&mix).await?;
    let per_second = capacity * SHARE;
    say(&format!("soak: {per_second:.0} calls/s, a third of {capacity:.0}"));
    let tally = Arc::new(Tally::default());
    let load = tokio::spawn(pace(Arc::clone(&mix), Arc::clone(&tally), per_second, duration));
    let samples = watch(&mut serving, duration).await?;
    let left_out = load.await?;
    let ended = serving.terminate().await?;

    let mut verdict = Verdict::new("soak");
    verdict.tell("calls a second, at full load", capacity.round());
    verdict.tell("calls a second, asked for", per_second.round());
    verdict.tell("calls answered as expected", tally.good());
    tally.hold("calls that ended otherwise", &mut verdict);
    verdict.tell("calls left out, because too many were under way", left_out);
    hold_flat(&samples, &mut verdict);
    verdict.hold("server ended with other than 0", u64::from(!ended.status.success()), 0);
    verdict.draw(plot::draw(&samples));
    Ok(verdict)
}

/// Calls a second when clients do not pause.
async fn calibrate(mix: &Arc<Mix>) -> Result<f64, Failure> {
    let tally = Arc::new(Tally::default());
    let mut clients = JoinSet::new();
    let began = Instant::now();
    for number in 0..CLIENTS {
        let (mix, tally) = (Arc::clone(mix), Arc::clone(&tally));
        clients.spawn(async move {
            let mut number = number;
            while began.elapsed() < CALIBRATION {
                tally.count(mix.call(number).await);
                number += CLIENTS + 1;
            }
        });
    }
    clients.join_all().await;
    let rate = tally.good() as f64 / began.elapsed().as_secs_f64();
    if rate < 1.0 { Err("no call was answered".into()) } else { Ok(rate) }
}

/// Calls at a rate; returns how many were left out.
async fn pace(mix: Arc<Mix>, tally: Arc<Tally>, per_second: f64, duration: Duration) -> u64 {
    let room = Arc::new(Semaphore::new(UNDER_WAY_MAX));
    let mut ticks = interval(SEND_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let began = Instant::now();
    let (mut sent, mut left_out) = (0_usize, 0);
    while began.elapsed() < duration {
        ticks.tick().await;
        let due = (began.elapsed().as_secs_f64() * per_second) as usize;
        for number in sent..due {
            let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                left_out += 1;
                continue;
            };
            let (mix, tally) = (Arc::clone(&mix), Arc::clone(&tally));
            tokio::spawn(async move {
                tally.count(mix.call(number).await);
                drop(place);
            });
        }
        sent = due;
    }
    // Each call is bounded by itself.
    let all = u32::try_from(UNDER_WAY_MAX).unwrap_or(u32::MAX);
    let _ = room.acquire_many(all).await;
    left_out
}

async fn watch(serving: &mut Serving, duration: Duration) -> Result<Vec<Sample>, Failure> {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let began = Instant::now();
    let mut samples = Vec::new();
    loop {
        ticks.tick().await;
        if began.elapsed() > duration {
            return Ok(samples);
        }
        let sample = Sample::take(serving, began.elapsed()).await?;
        if samples.len() % 60 == 0 {
            say(&format!("soak: {sample}"));
        }
        samples.push(sample);
    }
}

/// The last fifth against the second. What has become less is no leak: it was somebody else's
/// load on the machine, for which threads were added, that has gone.
fn hold_flat(samples: &[Sample], verdict: &mut Verdict) {
    let fifth = samples.len() / 5;
    if fifth == 0 {
        return verdict.miss("too short to tell");
    }
    let fifths: Vec<&[Sample]> = samples.chunks(fifth).take(5).collect();
    for (name, unit, slack, of) in sample::HELD {
        let medians: Vec<f64> =
            fifths.iter().map(|fifth| sample::median(fifth, of) as f64 / unit).collect();
        let (before, after) = (medians[1], medians[4]);
        let most = before + slack.of(before * unit) / unit;
        if after > most {
            verdict.miss(format!("{name}: {after:.1}, expected at most {most:.1}"));
        }
        verdict.tell(name, in_words(&medians));
    }
    for (name, of) in sample::OTHERS {
        let medians: Vec<f64> =
            fifths.iter().map(|fifth| sample::median(fifth, of) as f64).collect();
        verdict.tell(name, in_words(&medians));
    }
}

fn in_words(medians: &[f64]) -> String {
    let words: Vec<_> = medians.iter().map(|median| format!("{median:.0}")).collect();
    words.join(" ")
}
