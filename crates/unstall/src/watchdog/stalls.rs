//! Stalls: which polls are reported, when, and how often.
//!
//! A poll is reported once it has lasted `report_after` of observed time, again whenever that
//! has doubled, and at its end. Stalls of one method and kind are reported at least
//! `report_interval` apart, and so are those that wait for one lock: a convoy is one report.
//! What is left out is counted.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::crowd::Crowd;
use super::poll::{Poll, Watched};
use crate::executor::Shared;
use crate::executor::lane::Backlog;
use crate::kernel::View;
use crate::observer::Observer;
use crate::report::{Stage, StallKind};
use crate::reporter::{Notice, Reporter, Sighting};
use crate::seat::{Kind, Seat};

/// So many keys are remembered before old ones are thrown away.
const KEYS_MAX: usize = 1_000;

/// A poll that counts as a stall.
#[derive(Debug)]
pub(super) struct Stall {
    kind: StallKind,
    key: Key,
    /// Its age at which it is reported again.
    again: Duration,
    /// Whether its beginning was reported, and not only counted.
    told: bool,
}

/// What reports are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Method(u16, StallKind),
    Lock(u64),
    Host,
    Shedding,
}

pub(super) struct Stalls {
    reporter: Reporter,
    observer: Arc<dyn Observer>,
    interval: Duration,
    reported: HashMap<Key, Instant>,
    suppressed: u64,
    now: usize,
}

impl Stalls {
    pub(super) fn start(observer: &Arc<dyn Observer>, interval: Duration) -> io::Result<Self> {
        Ok(Self {
            reporter: Reporter::start(observer)?,
            observer: Arc::clone(observer),
            interval,
            reported: HashMap::new(),
            suppressed: 0,
            now: 0,
        })
    }

    /// How many polls are stalls at this moment.
    pub(super) fn now(&self) -> usize {
        self.now
    }

    pub(super) fn review(
        &mut self,
        seats: &mut [Watched],
        crowd: &Crowd,
        clock: &Clock,
        shared: &Shared,
    ) {
        let convoys = convoys(seats);
        self.now = 0;
        for Watched { seat, poll, ended, .. } in seats {
            if let Some(ended) = ended.take() {
                self.end(seat, &ended, crowd, clock.now());
            }
            let Some(poll) = poll else { continue };
            let age = poll.age(clock);
            let long = shared.settings.report_after;
            if poll.stall.is_none() && poll.has_lasted(long, clock) {
                poll.ask(seat, clock);
                self.begin(seat, poll, &convoys, crowd, clock);
            } else if poll.stall.as_ref().is_some_and(|stall| age >= stall.again) {
                self.go_on(seat, poll, &convoys, crowd, clock);
            }
            self.now += usize::from(poll.stall.is_some());
        }
    }

    /// A thread has left its seat: its last stall is over.
    pub(super) fn left(&mut self, watched: &mut Watched, crowd: &Crowd, now: Instant) {
        for poll in [watched.ended.take(), watched.poll.take()].into_iter().flatten() {
            self.end(&watched.seat, &poll, crowd, now);
        }
    }

    /// The watchdog itself was late.
    pub(super) fn host_starved(&mut self, lag: Duration, now: Instant) {
        self.observer.stall("", StallKind::HostStarved);
        if self.admit(Key::Host, now) {
            self.send(Sighting::host_starved(lag, self.suppressed));
        } else {
            self.suppress();
        }
    }

    /// Says how many jobs were shed, at most once in `report_interval`.
    pub(super) fn tell_of_shedding(&mut self, crowd: &Crowd, now: Instant, shared: &Shared) {
        if shared.shed_count.load(Ordering::Relaxed) == 0 || !self.admit(Key::Shedding, now) {
            return;
        }
        let notice = Notice::Shed {
            jobs: shared.shed_count.swap(0, Ordering::Relaxed),
            stuck: crowd.stuck().workers,
            workers_max: shared.settings.workers_max.get(),
        };
        // If the reporter is that busy, the log is full of what matters.
        self.reporter.notice(notice);
    }

    fn begin(
        &mut self,
        seat: &Arc<Seat>,
        poll: &mut Poll,
        convoys: &HashMap<u64, usize>,
        crowd: &Crowd,
        clock: &Clock,
    ) {
        let Some(kind) = kind(seat, poll, clock) else { return };
        let others = convoy(poll, convoys);
        let key = match lock_address(poll.view) {
            Some(address) if others > 0 => Key::Lock(address),
            _ => Key::Method(poll.method.number(), kind),
        };
        self.observer.stall(poll.method.name(), kind);
        let age = poll.age(clock);
        let told = self.admit(key, clock.now());
        poll.stall = Some(Stall { kind, key, again: age * 2, told });
        if told {
            seat.ask_for_end();
            self.tell(seat, poll, Stage::Begun, others, crowd, clock.now());
        } else {
            self.suppress();
            crate::quiet::record(format!("{} {}", poll.method.name(), kind.name()));
        }
    }

    /// A stall has lasted twice as long as when it was last told of, or would have been. One
    /// whose beginning was suppressed is told of now, if the rate allows: it may never end.
    fn go_on(
        &mut self,
        seat: &Arc<Seat>,
        poll: &mut Poll,
        convoys: &HashMap<u64, usize>,
        crowd: &Crowd,
        clock: &Clock,
    ) {
        poll.ask(seat, clock);
        let now = kind(seat, poll, clock);
        let Some(stall) = &mut poll.stall else { return };
        // It may have computed first and be waiting now.
        stall.kind = now.unwrap_or(stall.kind);
        stall.again *= 2;
        let stage = if stall.told { Stage::Lasting } else { Stage::Begun };
        if !stall.told {
            if !self.admit(stall.key, clock.now()) {
                return;
            }
            stall.told = true;
            seat.ask_for_end();
        }
        self.tell(seat, poll, stage, convoy(poll, convoys), crowd, clock.now());
    }

    fn end(&mut self, seat: &Arc<Seat>, poll: &Poll, crowd: &Crowd, now: Instant) {
        if poll.stall.as_ref().is_some_and(|stall| stall.told) {
            let now = seat.ended(poll.word).unwrap_or(now);
            self.tell(seat, poll, Stage::Ended, 0, crowd, now);
        }
    }

    fn tell(
        &mut self,
        seat: &Arc<Seat>,
        poll: &Poll,
        stage: Stage,
        convoy: usize,
        crowd: &Crowd,
        now: Instant,
    ) {
        let Some(Stall { kind, .. }) = poll.stall else { return };
        let Backlog { jobs: queue_len, workers, .. } = crowd.backlog(seat.lane());
        self.send(Sighting {
            stage,
            kind,
            method: poll.method.name().to_owned(),
            elapsed: now.saturating_duration_since(poll.since),
            view: if kind == StallKind::Busy {
                View::Running
            } else {
                poll.blocked_in.unwrap_or(poll.view)
            },
            seat: Some((Arc::clone(seat), poll.word)),
            queue_len,
            workers,
            convoy,
            suppressed: self.suppressed,
        });
    }

    fn send(&mut self, sighting: Sighting) {
        let told = format!("{} {}", sighting.method, sighting.kind.name());
        let begun = sighting.stage == Stage::Begun;
        if self.reporter.send(sighting) {
            self.suppressed = 0;
            return;
        }
        self.suppress();
        if begun {
            crate::quiet::record(told);
        }
    }

    /// Whether a report may be made now.
    fn admit(&mut self, key: Key, now: Instant) -> bool {
        let recent = |reported: &Instant| now.saturating_duration_since(*reported) < self.interval;
        if self.reported.get(&key).is_some_and(recent) {
            return false;
        }
        if self.reported.len() >= KEYS_MAX {
            self.reported.retain(|_, reported| recent(reported));
        }
        self.reported.insert(key, now);
        true
    }

    fn suppress(&mut self) {
        self.suppressed += 1;
        self.observer.suppressed(1);
    }
}

/// What kind of stall a poll is; `None` while it only waits for a CPU.
fn kind(seat: &Seat, poll: &Poll, clock: &Clock) -> Option<StallKind> {
    let computes = poll.cpu_used().is_some_and(|used| used >= poll.age(clock) / 2)
        && seat.kind == Kind::Worker;
    if computes {
        return Some(StallKind::Busy);
    }
    if poll.cpu_used().is_none() && poll.view == View::Unknown {
        return Some(StallKind::Unknown);
    }
    if !poll.is_mostly_off(clock) {
        return None;
    }
    match poll.blocked_in {
        Some(View::Paging { .. }) => Some(StallKind::Paging),
        _ => Some(StallKind::Blocked),
    }
}

/// How many others wait for the lock that a poll waits for.
fn convoy(poll: &Poll, convoys: &HashMap<u64, usize>) -> usize {
    let all = lock_address(poll.view).and_then(|address| convoys.get(&address));
    all.map_or(0, |all| all - 1)
}

/// How many threads wait for each lock.
fn convoys(seats: &[Watched]) -> HashMap<u64, usize> {
    let mut convoys = HashMap::new();
    let polls = seats.iter().filter(|watched| watched.is_blocked());
    for address in polls.filter_map(|watched| lock_address(watched.poll.as_ref()?.view)) {
        *convoys.entry(address).or_default() += 1;
    }
    convoys
}

fn lock_address(view: View) -> Option<u64> {
    match view {
        View::Blocked(call) => call.futex_address(),
        _ => None,
    }
}
