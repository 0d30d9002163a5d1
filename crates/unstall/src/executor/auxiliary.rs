//! The auxiliary tokio runtime: what handlers need of tokio happens there.
//!
//! Workers have it entered, so sockets, timers and `tokio::spawn` of a handler belong to it and
//! never to the transport's runtime, which a blocking task would hold up. Its threads are
//! watched like workers, but nothing can be added for them: tokio has as many as it began with.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use tokio::runtime::{Builder, Handle, Runtime};

use super::StartError;
use crate::loops::Place;
use crate::method::{Lane, Method};
use crate::seat::{Kind, Seat};
use crate::settings::Settings;
use crate::watchdog::{Pace, Watch};

thread_local! {
    static SEAT: RefCell<Option<(Arc<Watch>, Occupied)>> = const { RefCell::new(None) };
}

/// A thread's seat, left when the thread ends.
struct Occupied(Arc<Seat>);

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The runtime; dropping it waits for nothing.
#[derive(Debug)]
pub(super) struct Auxiliary(Option<Runtime>);

impl Auxiliary {
    pub(super) fn start(
        settings: &Settings,
        watch: &Arc<Watch>,
        method: &Method,
    ) -> Result<Self, StartError> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(settings.auxiliary_workers.get());
        builder.thread_name("unstall-tokio");
        builder.enable_all();
        // A worker that lost its core in `block_in_place` ends as an idle thread of the blocking
        // pool, and its seat still says that it is at work: let it end before that is a stall.
        builder.thread_keep_alive(settings.report_after / 2);
        watch_threads(&mut builder, watch, method, settings.auxiliary_workers.get());
        let runtime = builder
            .build()
            .map_err(|source| StartError { thread: "unstall-tokio".to_owned(), source })?;
        Ok(Self(Some(runtime)))
    }

    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().expect("it is there until it is dropped").handle().clone()
    }
}

impl Drop for Auxiliary {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Dropping a runtime within another one would panic, and waiting could last.
            runtime.shutdown_background();
        }
    }
}

/// Lets the threads of a runtime publish when they are at work and when they are parked. The
/// first `workers` threads that it starts are at work from their start on; tokio starts others
/// too, for `spawn_blocking`, which never park and are not watched.
pub(super) fn watch_threads(
    builder: &mut Builder,
    watch: &Arc<Watch>,
    method: &Method,
    workers: usize,
) {
    set_hooks(builder, watch, method, workers, || {});
}

/// [`watch_threads`] for a loop, which comes by at its mailbox before it sleeps and after.
pub(super) fn serve_loop(
    builder: &mut Builder,
    watch: &Arc<Watch>,
    method: &Method,
    place: &Arc<Place>,
) {
    let place = Arc::clone(place);
    set_hooks(builder, watch, method, 0, move || place.come_by());
}

fn set_hooks(
    builder: &mut Builder,
    watch: &Arc<Watch>,
    method: &Method,
    workers: usize,
    when_idle: impl Fn() + Clone + Send + Sync + 'static,
) {
    let when_back = when_idle.clone();
    let started = AtomicUsize::new(0);
    let (at_start, at_unpark) = (Watcher::new(watch, method), Watcher::new(watch, method));
    let at_park = Watcher::new(watch, method);
    builder
        .on_thread_start(move || {
            if started.fetch_add(1, Ordering::Relaxed) < workers {
                at_start.begin();
            }
        })
        .on_thread_unpark(move || {
            at_unpark.begin();
            when_back();
        })
        .on_thread_park(move || {
            when_idle();
            at_park.with_seat(Seat::end);
        });
}

struct Watcher {
    watch: Arc<Watch>,
    method: Method,
}

impl Watcher {
    fn new(watch: &Arc<Watch>, method: &Method) -> Self {
        Self { watch: Arc::clone(watch), method: method.clone() }
    }

    fn begin(&self) {
        self.with_seat(|seat| seat.begin(&self.method));
        // Not ordered by a lock, as the workers' polls are.
        fence(Ordering::SeqCst);
        self.watch.rouse(Pace::Steady);
    }

    /// Shows the calling thread's seat, which it takes when it first comes by.
    fn with_seat(&self, show: impl FnOnce(&Seat)) {
        // A thread that is ending has none any more.
        let _ = SEAT.try_with(|occupied| {
            let mut occupied = occupied.borrow_mut();
            // The thread may have served a runtime of another executor before.
            if occupied.as_ref().is_some_and(|(watch, _)| !Arc::ptr_eq(watch, &self.watch)) {
                *occupied = None;
            }
            let (_, Occupied(seat)) = occupied.get_or_insert_with(|| {
                let seat = Arc::new(Seat::new(Kind::Runtime, Lane::Express));
                self.watch.add(Arc::clone(&seat));
                (Arc::clone(&self.watch), Occupied(seat))
            });
            show(seat);
        });
    }
}
