//! The load generator: asks a gRPC server in an open or a closed loop and tells how long it
//! took, how it ended, and what it cost the server.
//!
//! 1. [`Plan`] and [`Arrivals`]: when requests are due, over how many connections;
//! 2. [`Target`]: where the server is, in plaintext or over TLS; [`Process`]: its CPU and memory;
//! 3. a call: any function of a connection and a number, such as those of [`Questions`];
//! 4. [`run()`]: one run, with a [`Probe`] beside it; [`paired`]: targets in turn, round by round;
//! 5. [`Report`]: the figures of a run;
//! 6. [`events`]: events instead of questions, and how soon answers have them.
//!
//! What keeps the figures honest:
//!
//! - In an open loop the latency of a request begins when it was due, whether or not the
//!   client could send it then; one that could not be sent at all is counted as unsent, with
//!   the time that it had waited at the end.
//! - Every call counts in the latency, however it ended; each ending also has its own.
//! - How late the client itself sent, and how late the machine woke an idle thread, stand
//!   beside the latency: a client that is the limit is seen to be it.

mod appearing;
mod arrivals;
mod client;
mod closed;
mod cold_file;
mod course;
pub mod events;
mod latencies;
mod mapping;
mod open;
mod outcome;
mod pages;
pub mod paired;
mod plan;
mod probe;
mod process;
mod question;
mod report;
mod run;

pub use appearing::appears;
pub use arrivals::{Arrivals, Schedule};
pub use client::{ConnectError, Target, Tls};
pub use cold_file::put_out_of_memory;
pub use latencies::{Latencies, Summary};
pub use mapping::MappedFile;
pub use outcome::{EXAMPLES_MAX, Outcome, OutcomeTally, Outcomes};
pub use pages::{Pages, SignInError};
pub use plan::{
    CONNECTIONS_MAX, DEADLINE_MAX, IN_FLIGHT_MAX, LENGTH_MAX, Plan, PlanError, THREADS_MAX,
};
pub use probe::Probe;
pub use process::{Memory, Process, Usage};
pub(crate) use question::content_fault;
pub use question::{Draw, Question, Questions, bearer};
pub use report::{OutcomeRow, Report, ServerRow};
pub use run::{Finished, LoadError, Measured, ServerUse, run};
pub use tonic::metadata::AsciiMetadataValue;
