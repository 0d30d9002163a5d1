//! A loop: one thread that moves the bytes of its connections.
//!
//! A `current_thread` runtime: with tokio's many-threaded one, each stream's task may run on
//! another thread than its connection, and each answer becomes a system call of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tower_service::Service;
use unstall::Executor;

use super::{Alarm, StartError};
use crate::BoxError;
use crate::connection::{Common, serve};
use crate::connections::Admission;
use crate::listen::Accepted;
use crate::message::RequestBody;

/// Connections that were accepted and that a loop has not yet looked at.
const WAITING_MAX: usize = 1024;

/// A running loop.
#[derive(Debug)]
pub(super) struct EventLoop {
    thread: JoinHandle<()>,
    handle: LoopHandle,
}

/// Where connections are handed in.
#[derive(Clone, Debug)]
pub(super) struct LoopHandle {
    sockets: mpsc::Sender<(Accepted, Admission)>,
    load: Arc<AtomicUsize>,
}

impl EventLoop {
    pub(super) fn start<S, B>(
        number: usize,
        executor: &Executor,
        mut alarm: Alarm,
        common: Arc<Common>,
        service: S,
    ) -> Result<Self, StartError>
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let name = format!("transport-{number}");
        let (runtime, postman) = build(&name, |builder| executor.serve_runtime(&name, builder))?;
        let (sockets, mut arriving) = mpsc::channel::<(Accepted, Admission)>(WAITING_MAX);
        let load = Arc::new(AtomicUsize::new(0));
        let handle = LoopHandle { sockets, load: Arc::clone(&load) };
        let run = async move {
            while let Some((socket, admission)) = arriving.recv().await {
                let (common, service) = (Arc::clone(&common), service.clone());
                let load = Arc::clone(&load);
                tokio::spawn(async move {
                    let _loaded = Loaded(load);
                    let connection = Arc::clone(admission.connection());
                    let ending = serve(socket, connection, common, service).await;
                    admission.leave(ending);
                });
            }
        };
        let run = move || {
            runtime.block_on(async {
                tokio::spawn(postman);
                tokio::select! {
                    () = run => {}
                    () = alarm.end() => {}
                }
            });
        };
        Ok(Self { thread: spawn(name, run)?, handle })
    }

    pub(super) fn handle(&self) -> LoopHandle {
        self.handle.clone()
    }

    pub(super) fn join(self) {
        drop(self.handle);
        // A panic there was reported when it happened.
        let _ = self.thread.join();
    }
}

/// Starts a thread.
pub(super) fn spawn(
    name: String,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StartError> {
    let builder = std::thread::Builder::new().name(name.clone());
    builder.spawn(run).map_err(|source| StartError::Thread { name, source })
}

/// A runtime for one thread, which the executor watches.
pub(super) fn runtime(name: &str, executor: &Executor) -> Result<Runtime, StartError> {
    build(name, |builder| executor.watch_runtime(name, builder)).map(|(runtime, ())| runtime)
}

fn build<T>(name: &str, watch: impl FnOnce(&mut Builder) -> T) -> Result<(Runtime, T), StartError> {
    let mut builder = Builder::new_current_thread();
    let watching = watch(builder.enable_all());
    let runtime =
        builder.build().map_err(|source| StartError::Thread { name: name.to_owned(), source })?;
    Ok((runtime, watching))
}

impl LoopHandle {
    /// How many connections the loop has.
    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Whether it takes connections.
    pub(super) fn is_running(&self) -> bool {
        !self.sockets.is_closed()
    }

    /// Hands a connection in; gives it back if the loop has too many to look at.
    pub(super) fn hand_in(
        &self,
        socket: Accepted,
        admission: Admission,
    ) -> Result<(), (Accepted, Admission)> {
        self.load.fetch_add(1, Ordering::Relaxed);
        self.sockets.try_send((socket, admission)).map_err(|error| {
            self.load.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(returned) | TrySendError::Closed(returned) => returned,
            }
        })
    }
}

/// A connection counted as its loop's load.
struct Loaded(Arc<AtomicUsize>);

impl Drop for Loaded {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
