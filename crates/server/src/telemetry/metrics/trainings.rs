//! Trainings of the service itself: how they went, and what is still to be learnt.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::families::{CHANGES_NOT_LEARNT, TRAINING, TRAINING_PEAK, TRAINING_SECONDS, TRAININGS};
use super::page::Page;

/// What is counted of trainings.
#[derive(Debug, Default)]
pub(crate) struct TrainingFigures {
    /// Trainings that failed.
    pub(crate) failed: AtomicU64,
    /// Trainings that were left to another process, which was at it.
    pub(crate) busy: AtomicU64,
    done: AtomicU64,
    last_ms: AtomicU64,
    last_peak_bytes: AtomicU64,
    under_way: AtomicBool,
    events: AtomicU64,
    new_books: AtomicU64,
    /// Whether anybody has looked what is news.
    is_known: AtomicBool,
}

impl TrainingFigures {
    /// A training has begun.
    pub(crate) fn begun(&self) {
        self.under_way.store(true, Ordering::Relaxed);
    }

    /// It has ended, however that was.
    pub(crate) fn ended(&self) {
        self.under_way.store(false, Ordering::Relaxed);
    }

    /// There is a new model; its training took so long and so much memory, if that is known.
    pub(crate) fn trained(&self, took: Duration, peak_bytes: Option<u64>) {
        self.done.fetch_add(1, Ordering::Relaxed);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(ms.max(1), Ordering::Relaxed);
        self.last_peak_bytes.store(peak_bytes.unwrap_or(0), Ordering::Relaxed);
    }

    /// What the latest model was not trained on.
    pub(crate) fn set_news(&self, events: u64, new_books: u64) {
        self.events.store(events, Ordering::Relaxed);
        self.new_books.store(new_books, Ordering::Relaxed);
        self.is_known.store(true, Ordering::Release);
    }

    /// How many events are news; `None` until somebody has looked.
    pub(crate) fn news_events(&self) -> Option<u64> {
        let is_known = self.is_known.load(Ordering::Acquire);
        is_known.then(|| self.events.load(Ordering::Relaxed))
    }

    /// Whether one is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed)
    }

    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let ended = [("trained", &self.done), ("failed", &self.failed), ("busy", &self.busy)];
        let ended = ended.map(|(outcome, cell)| ([outcome], read(cell)));
        page.counters(&TRAININGS, ended)?;
        page.gauge(&TRAINING, f64::from(u8::from(self.under_way.load(Ordering::Relaxed))))?;
        let known = |cell| Some(read(cell)).filter(|value| *value > 0);
        let last = known(&self.last_ms).map(|ms| ([], ms as f64 / 1e3));
        page.gauges(&TRAINING_SECONDS, last)?;
        let peak = known(&self.last_peak_bytes).map(|bytes| ([], bytes as f64));
        page.gauges(&TRAINING_PEAK, peak)?;
        let news = [(["events"], &self.events), (["books"], &self.new_books)];
        page.gauges(&CHANGES_NOT_LEARNT, news.map(|(kind, cell)| (kind, read(cell) as f64)))
    }
}
