//! The streams of a connection: each one's time limits, and how it is ended from outside.
//!
//! A [`StreamTask`] wraps hyper's future of a stream, in the executor that hyper is given. It
//! ends the stream when its deadline passes, its reader leaves it standing, or the server stops:
//! first by asking the answer to say so (a status), and if that cannot be said, because the
//! reader takes nothing, by dropping the stream, which resets it. A timer around the response
//! body would never fire then: hyper does not poll a body whose last piece has no room.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use pin_project_lite::pin_project;
use slab::Slab;
use tokio::time::{Instant, Sleep, sleep_until};

use super::Connection;
use crate::clock::Since;

/// Why a stream is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its deadline has passed.
    Deadline = 1,
    /// What is ready for the reader is not read.
    Reader = 2,
    /// The server stops.
    Stopping = 3,
}

/// A stream, as its task, its answer and the sweep see it.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    end: AtomicU8,
    /// The last piece was handed over and the next was not asked for.
    pub(crate) reader_awaited: Since,
    /// The head of the response is on its way.
    pub(crate) has_answered: Since,
    waker: AtomicWaker,
}

impl Stream {
    /// Ends it; whether it was not ended before.
    pub(crate) fn end(&self, end: End) -> bool {
        let first = self.end.compare_exchange(0, end as u8, Ordering::AcqRel, Ordering::Relaxed);
        if first.is_ok() {
            self.waker.wake();
        }
        first.is_ok()
    }

    /// Why it is to end, if it is.
    pub(crate) fn ended(&self) -> Option<End> {
        match self.end.load(Ordering::Acquire) {
            0 => None,
            1 => Some(End::Deadline),
            2 => Some(End::Reader),
            _ => Some(End::Stopping),
        }
    }

    /// Has the polling task woken when the stream is ended.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        self.waker.register(cx.waker());
    }
}

/// The open streams of a connection.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: Mutex<Slab<Arc<Stream>>>,
}

impl Streams {
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Shows every open stream.
    pub(crate) fn each(&self, mut look: impl FnMut(&Stream)) {
        for (_, stream) in self.lock().iter() {
            look(stream);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<Stream>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream's slot among the open ones; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Slot {
    connection: Arc<Connection>,
    stream: Arc<Stream>,
    key: usize,
}

impl Slot {
    pub(crate) fn take(connection: &Arc<Connection>) -> Self {
        let stream = Arc::new(Stream::default());
        let key = connection.streams.lock().insert(Arc::clone(&stream));
        connection.idle.end();
        connection.note(super::SEEN_ASKING);
        Self { connection: Arc::clone(connection), stream, key }
    }

    pub(crate) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.connection.streams.lock();
        open.remove(self.key);
        if open.is_empty() {
            self.connection.idle.begin();
        }
    }
}

/// What a request leaves for the task of its stream.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) slot: Slot,
    pub(crate) deadline: Option<Instant>,
}

/// Passes tickets from the service to the executor: hyper calls the one and then, at once, the
/// other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets(Arc<Mutex<Option<Ticket>>>);

impl Tickets {
    pub(crate) fn leave(&self, ticket: Ticket) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ticket);
    }

    fn take(&self) -> Option<Ticket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The executor of hyper's streams: tasks of the loop, each with its time limits.
#[derive(Clone, Debug)]
pub(crate) struct StreamExecutor(pub(crate) Tickets);

impl<F> hyper::rt::Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        match self.0.take() {
            Some(Ticket { slot, deadline }) => {
                let deadline = deadline.map(sleep_until);
                tokio::spawn(StreamTask { future, slot, deadline });
            }
            // What follows an upgraded CONNECT, which no service here answers with success.
            None => drop(future),
        }
    }
}

pin_project! {
    struct StreamTask<F> {
        #[pin]
        future: F,
        slot: Slot,
        #[pin]
        deadline: Option<Sleep>,
    }
}

impl<F: Future<Output = ()>> Future for StreamTask<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let stream = this.slot.stream();
        stream.register(cx);
        if this.future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(deadline) = this.deadline.as_mut().as_pin_mut()
            && stream.ended().is_none()
            && deadline.poll(cx).is_ready()
        {
            stream.end(End::Deadline);
        }
        if stream.ended().is_none() {
            return Poll::Pending;
        }
        // The answer now knows. If it still cannot be said, dropping the stream resets it.
        let _ = this.future.poll(cx);
        Poll::Ready(())
    }
}
