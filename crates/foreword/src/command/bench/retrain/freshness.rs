//! How soon a new book is known while events come.

use std::time::{Duration, Instant};

use anyhow::Result;
use evaluation::load::appears;
use serde::Serialize;
use server::progress::Stages;

use super::writer::Writer;
use super::{Bench, PATIENCE};
use crate::arguments::Retrain;
use crate::command::bench::serving::{Serving, Training};

/// Among how many books a new one is looked for.
pub(super) const RESULTS: u32 = 20;

/// How soon new books were known.
#[derive(Serialize)]
pub(super) struct Freshness {
    /// How many events were to be written.
    pub(super) events_per_second: u32,
    /// Events that were written meanwhile.
    pub(super) events: u64,
    /// How long that took.
    pub(super) seconds: f64,
    /// For each new book; `None` if it was not known in time.
    pub(super) appeared_seconds: Vec<Option<f64>>,
    /// Trainings meanwhile that came to their end.
    pub(super) trainings: Vec<Training>,
}

impl Bench {
    /// Serves with the settings as they are while events come, and publishes new books.
    #[expect(clippy::disallowed_methods, reason = "this thread is there to wait")]
    pub(super) fn freshness(&self, writer: Writer) -> Result<Option<Freshness>> {
        let Retrain { events_per_second, new_books, .. } = self.arguments;
        let serving = Serving::start(&self.data, &self.flags)?;
        let target = serving.target();
        let stages = Stages::new(&*self.progress);
        let began = Instant::now();
        writer.events(events_per_second);
        let mut appeared_seconds = Vec::new();
        for number in 0..new_books {
            stages.at("publishing new books", number as usize, new_books as usize);
            // Anywhere in a training or in the pause after it.
            let wait = Duration::from_millis(u64::from(number * 7_919 + 3_571) % 10_000);
            std::thread::sleep(wait);
            let new = writer.publish()?;
            let pair = (new.seed.as_str(), new.book.as_str());
            let appeared = appears(&target, pair, RESULTS, PATIENCE, &self.cancelled)?;
            if self.is_cancelled() {
                return Ok(None);
            }
            appeared_seconds.push(appeared.map(|time| time.as_secs_f64()));
        }
        let seconds = began.elapsed().as_secs_f64();
        let trainings = serving.trainings();
        drop(serving);
        let events = writer.end()?;
        Ok(Some(Freshness { events_per_second, events, seconds, appeared_seconds, trainings }))
    }
}
