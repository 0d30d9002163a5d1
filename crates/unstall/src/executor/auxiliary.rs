//! The auxiliary tokio runtime: what handlers need of tokio happens there.
//!
//! Workers have it entered, so sockets, timers and `tokio::spawn` of a handler belong to it and
//! never to the transport's runtime, which a blocking task would hold up. Its threads are
//! watched like workers, but nothing can be added for them: tokio has as many as it began with.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};

use super::StartError;
use crate::method::{Lane, Method};
use crate::seat::{Kind, Seat};
use crate::settings::Settings;
use crate::watchdog::{Pace, Watch};

thread_local! {
    static SEAT: RefCell<Option<Arc<Seat>>> = const { RefCell::new(None) };
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
        watch_threads(&mut builder, watch, method);
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

/// Lets the threads of a runtime publish when they are at work and when they are parked.
pub(super) fn watch_threads(builder: &mut Builder, watch: &Arc<Watch>, method: &Method) {
    let (arrivals, woken, method) = (Arc::clone(watch), Arc::clone(watch), method.clone());
    builder
        .on_thread_start(move || {
            let seat = Arc::new(Seat::new(Kind::Runtime, Lane::Express));
            SEAT.set(Some(Arc::clone(&seat)));
            arrivals.add(seat);
        })
        .on_thread_stop(|| {
            if let Some(seat) = SEAT.take() {
                seat.leave();
            }
        })
        .on_thread_unpark(move || {
            SEAT.with_borrow(|seat| {
                if let Some(seat) = seat {
                    seat.begin(&method);
                }
            });
            // Not ordered by a lock, as the workers' polls are.
            std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
            woken.rouse(Pace::Steady);
        })
        .on_thread_park(|| {
            SEAT.with_borrow(|seat| {
                if let Some(seat) = seat {
                    seat.end();
                }
            });
        });
}
