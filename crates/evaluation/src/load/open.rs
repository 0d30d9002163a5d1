//! The open loop: requests are sent when they are due, whatever became of those before.
//!
//! One thread keeps the time and hands each request to the runtime at its moment; timers of
//! the runtime itself know only milliseconds. The schedule is the queue: while no stream is
//! free the thread waits, falls behind, and sends what is overdue as soon as it can, so that
//! nothing has to be stored and nothing is forgotten.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, Runtime};
use tonic::transport::Channel;

use crate::load::course::{Course, Due};
use crate::load::run::LOOK_EVERY;
use crate::load::{Outcome, Plan};

/// A request may be sent after the end of the window if it is no later than this: the thread
/// is always woken a little late, and the last request is no worse than the others.
const GRACE: Duration = Duration::from_millis(10);

/// Beyond its deadline, a call that does not even notice that it ran out of time is left.
const DRAIN_GRACE: Duration = Duration::from_secs(5);

/// Starts the thread. It ends once every request has its answer, and tells how many of the
/// counted ones had to wait for a stream.
pub(crate) fn start<C, A>(
    runtime: &Runtime,
    course: &Arc<Course<C>>,
    plan: &Plan,
) -> io::Result<JoinHandle<u64>>
where
    C: Fn(Channel, u64) -> A + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'static,
{
    let (give_back, free) = channel();
    let count = plan.connections.get() * plan.streams_per_connection.get();
    for stream in 0..count {
        // The receiver is alive: it is right here.
        let _ = give_back.send(stream);
    }
    let pacer = Pacer {
        course: Arc::clone(course),
        runtime: runtime.handle().clone(),
        streams: count,
        free,
        give_back,
        end: course.window.to,
        released: course.window.start,
        waited: 0,
    };
    let schedule = plan.arrivals.schedule();
    let deadline = plan.deadline;
    std::thread::Builder::new()
        .name("pacer".to_owned())
        .spawn(move || pacer.run(schedule.into_iter().flatten(), deadline))
}

/// A stream of a connection, lent to one request. Its number modulo the number of
/// connections is the connection, so that neighbours in the queue are on different ones.
struct Stream {
    number: usize,
    give_back: Sender<usize>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Fails only if the run is over.
        let _ = self.give_back.send(self.number);
    }
}

struct Pacer<C> {
    course: Arc<Course<C>>,
    runtime: Handle,
    /// All of them.
    streams: usize,
    /// Those that are free, the longest free one first.
    free: Receiver<usize>,
    give_back: Sender<usize>,
    /// Nothing that is due later is sent: the end of the window, or the cancellation.
    end: Instant,
    /// When this thread last had to wait for a stream.
    released: Instant,
    /// Counted requests that had to wait for a stream, and got one.
    waited: u64,
}

impl<C, A> Pacer<C>
where
    C: Fn(Channel, u64) -> A + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'static,
{
    fn run(mut self, schedule: impl Iterator<Item = Duration>, deadline: Duration) -> u64 {
        for (number, since_start) in (0..).zip(schedule) {
            let Some(at) = self.course.window.start.checked_add(since_start) else { break };
            self.sleep_until(at);
            if at >= self.end {
                break;
            }
            match self.stream(at) {
                Some(number_of_stream) => {
                    let stream =
                        Stream { number: number_of_stream, give_back: self.give_back.clone() };
                    self.send(number, Due { at, ready: at.max(self.released) }, stream);
                }
                None => self.course.leave(at, self.end),
            }
        }
        self.drain(deadline);
        self.waited
    }

    fn send(&self, number: u64, due: Due, stream: Stream) {
        let course = Arc::clone(&self.course);
        self.runtime.spawn(async move {
            course.ask(stream.number, number, Some(due)).await;
            drop(stream);
        });
    }

    /// Sleeps until a moment, the end, or a cancellation.
    fn sleep_until(&mut self, moment: Instant) {
        loop {
            self.look_up();
            let left = moment.min(self.end).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            #[expect(clippy::disallowed_methods, reason = "this thread is there to keep time")]
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }

    /// A free stream for a request that is due; `None` if there is none until the end.
    fn stream(&mut self, due: Instant) -> Option<usize> {
        if Instant::now() > self.end.max(due + GRACE) {
            return None;
        }
        if let Ok(stream) = self.free.try_recv() {
            return Some(stream);
        }
        loop {
            self.look_up();
            let left = self.end.max(due + GRACE).saturating_duration_since(Instant::now());
            match self.free.recv_timeout(left.min(LOOK_EVERY)) {
                Ok(stream) => {
                    self.released = Instant::now();
                    self.waited += u64::from(self.course.window.counts(due));
                    return Some(stream);
                }
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// After a cancellation, the end is now.
    fn look_up(&mut self) {
        if self.course.is_cancelled() {
            self.end = self.end.min(Instant::now());
        }
    }

    /// Waits until all streams are free again: every call has a deadline.
    fn drain(&self, deadline: Duration) {
        let last = Instant::now() + deadline + DRAIN_GRACE;
        let mut out = self.streams;
        while out > 0 {
            match self.free.recv_timeout(last.saturating_duration_since(Instant::now())) {
                Ok(_) => out -= 1,
                Err(_) => return,
            }
        }
    }
}
