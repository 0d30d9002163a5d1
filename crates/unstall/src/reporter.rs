//! The reporter: a thread that turns what the watchdog saw into reports.
//!
//! Following a stack takes a fraction of a millisecond, and names of functions may take tens of
//! milliseconds when they are looked up first; the watchdog must not wait for either.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::kernel::View;
use crate::observer::Observer;
use crate::quiet;
use crate::report::{Stage, StallKind, StallReport};
use crate::seat::{Seat, Word};
use crate::stack::{Frame, Stack, Tracer};

/// So many sightings may wait for the reporter.
const SIGHTINGS_MAX: usize = 64;

/// So many stalls are remembered until their end is told.
const LASTING_MAX: usize = 10_000;

/// What the watchdog saw of a stall.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) stage: Stage,
    pub(crate) kind: StallKind,
    pub(crate) method: String,
    pub(crate) elapsed: Duration,
    pub(crate) view: View,
    /// The thread, and the poll it was in.
    pub(crate) seat: Option<(Arc<Seat>, Word)>,
    pub(crate) queue_len: usize,
    pub(crate) workers: usize,
    pub(crate) convoy: usize,
    pub(crate) suppressed: u64,
}

impl Sighting {
    pub(crate) fn host_starved(lag: Duration, suppressed: u64) -> Self {
        Self {
            stage: Stage::Ended,
            kind: StallKind::HostStarved,
            method: String::new(),
            elapsed: lag,
            view: View::Unknown,
            seat: None,
            queue_len: 0,
            workers: 0,
            convoy: 0,
            suppressed,
        }
    }
}

/// What an operator should know besides stalls.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Jobs were refused.
    Shed { jobs: usize, stuck: usize, workers_max: usize },
}

#[derive(Debug)]
enum Message {
    Sighting(Box<Sighting>),
    Notice(Notice),
}

/// Where sightings go.
#[derive(Debug)]
pub(crate) struct Reporter(SyncSender<Message>);

impl Reporter {
    /// Starts the thread; it ends when this is dropped.
    pub(crate) fn start(observer: &Arc<dyn Observer>) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(SIGHTINGS_MAX);
        let observer = Arc::clone(observer);
        thread::Builder::new()
            .name("unstall-reporter".to_owned())
            .spawn(move || report_all(&receiver, observer.as_ref()))?;
        Ok(Self(sender))
    }

    /// Hands a sighting over; false if too many wait already.
    pub(crate) fn send(&self, sighting: Sighting) -> bool {
        quiet::expect_one();
        let sent = self.0.try_send(Message::Sighting(Box::new(sighting))).is_ok();
        if !sent {
            quiet::came();
        }
        sent
    }

    /// Hands a notice over, unless too much waits already.
    pub(crate) fn notice(&self, notice: Notice) {
        let _ = self.0.try_send(Message::Notice(notice));
    }
}

fn report_all(messages: &Receiver<Message>, observer: &dyn Observer) {
    let mut tracer = Tracer::new();
    let mut lasting = HashMap::new();
    for message in messages {
        let sighting = match message {
            Message::Sighting(sighting) => *sighting,
            Message::Notice(notice) => {
                // As below: a subscriber's panic ends nothing.
                let _ = catch_unwind(|| log_notice(&notice));
                continue;
            }
        };
        let told = catch_unwind(AssertUnwindSafe(|| {
            let report = report(sighting, &mut tracer, &mut lasting);
            if report.stage == Stage::Begun {
                quiet::record(report.to_string());
            }
            log(&report);
            observer.report(&report);
        }));
        if told.is_err() {
            // The debug information of others is none of our making, nor is a subscriber.
            tracer = Tracer::new();
        }
        if lasting.len() > LASTING_MAX {
            lasting.clear();
        }
        quiet::came();
    }
}

/// What the last report of a lasting stall said.
#[derive(Clone, Debug, Default)]
struct Scene {
    word: Option<Word>,
    syscall: Option<String>,
    target: Option<String>,
    frames: Vec<Frame>,
    exact: bool,
}

fn report(
    sighting: Sighting,
    tracer: &mut Tracer,
    lasting: &mut HashMap<u32, Scene>,
) -> StallReport {
    let mut scene = Scene::default();
    let mut thread = String::new();
    if let Some((seat, word)) = &sighting.seat {
        seat.thread.name().clone_into(&mut thread);
        let before = lasting.remove(&seat.thread.id()).filter(|scene| scene.word == Some(*word));
        if sighting.stage == Stage::Ended {
            scene = before.unwrap_or_default();
        } else {
            let seen = look(sighting.view, seat, *word, tracer);
            // A stack that cannot be had now may have been had before.
            scene = match before {
                Some(before) if seen.frames.is_empty() => before,
                _ => seen,
            };
            lasting.insert(seat.thread.id(), scene.clone());
        }
    }
    StallReport {
        stage: sighting.stage,
        method: sighting.method,
        kind: sighting.kind,
        elapsed: sighting.elapsed,
        syscall: scene.syscall,
        target: scene.target,
        frames: scene.frames,
        exact: scene.exact,
        thread,
        queue_len: sighting.queue_len,
        workers: sighting.workers,
        convoy: sighting.convoy,
        suppressed: sighting.suppressed,
    }
}

/// Looks at a thread that is still in the poll in question.
fn look(view: View, seat: &Seat, word: Word, tracer: &mut Tracer) -> Scene {
    let mut scene = Scene { word: Some(word), ..Scene::default() };
    let stack = match view {
        View::Blocked(call) => {
            scene.syscall = Some(call.name().into());
            scene.target = call.target();
            tracer.blocked(&seat.thread, call.sp, call.pc)
        }
        View::Paging { sp, pc } => tracer.blocked(&seat.thread, sp, pc),
        View::Running => tracer.running(&seat.thread),
        View::Gone | View::Unknown => None,
    };
    // What was seen after the poll's end belongs to another.
    if let Some(Stack { frames, exact }) = stack.filter(|_| seat.word() == word) {
        scene.frames = frames;
        scene.exact = exact;
    }
    scene
}

fn log_notice(notice: &Notice) {
    match notice {
        Notice::Shed { jobs, stuck, workers_max } => tracing::warn!(
            jobs,
            stuck,
            workers_max,
            "calls were shed: a limit is reached, or their methods hold the workers they may"
        ),
    }
}

fn log(report: &StallReport) {
    let StallReport { method, thread, queue_len, workers, suppressed, exact, .. } = report;
    let (kind, elapsed_ms) = (report.kind.name(), report.elapsed.as_millis());
    let stack = Trace(&report.frames);
    match report.stage {
        _ if report.kind == StallKind::HostStarved => {
            tracing::warn!(kind, elapsed_ms, suppressed, "{report}");
        }
        Stage::Begun => {
            tracing::warn!(method, kind, elapsed_ms, thread, queue_len, workers, suppressed, exact, %stack, "{report}");
        }
        Stage::Lasting => {
            tracing::warn!(
                method, kind, elapsed_ms, thread, queue_len, workers, suppressed, "{report}"
            );
        }
        Stage::Ended => tracing::info!(method, kind, elapsed_ms, thread, suppressed, "{report}"),
    }
}

/// A stack in one line, innermost first.
struct Trace<'a>(&'a [Frame]);

impl std::fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, frame) in self.0.iter().enumerate() {
            let arrow = if index == 0 { "" } else { " < " };
            let possibly = if frame.certain { "" } else { "?" };
            write!(f, "{arrow}{possibly}{}", frame.function)?;
            if let Some(location) = frame.location() {
                write!(f, " ({location})")?;
            }
        }
        Ok(())
    }
}
