#![doc = include_str!("../README.md")]

mod kernel;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod raw;
mod stack;

mod body;
mod executor;
mod grpc;
mod job;
mod layer;
mod loops;
mod mailbox;
mod method;
mod observer;
mod quiet;
mod report;
mod reporter;
mod seat;
mod settings;
mod sync;
mod watchdog;

pub use body::Body;
pub use executor::{Executor, StartError, Stopped};
pub use grpc::{GrpcFuture, GrpcLayer, GrpcService, MalformedTimeout, grpc_timeout};
pub use job::{Job, JobError, Shed};
pub use layer::{LayerError, Unstall, UnstallFuture, UnstallService};
pub use loops::Postman;
pub use method::{Lane, Method};
pub use observer::{Observer, WorkerState};
pub use quiet::{NoStalls, assert_no_stalls};
pub use report::{Stage, StallKind, StallReport};
pub use settings::Settings;
pub use stack::Frame;
