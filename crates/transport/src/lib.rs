#![doc = include_str!("../README.md")]

#[doc = include_str!("../docs/attacks.md")]
#[expect(clippy::doc_markdown, reason = "names of the protocol, in a table for eyes")]
pub mod attacks {}
pub mod client;
mod clock;
mod compression;
mod connection;
mod connections;
mod deadline;
mod descriptors;
pub mod development;
mod ending;
pub mod frames;
pub mod guard;
pub mod health;
mod http_status;
pub mod json;
mod listen;
mod lookout;
mod message;
mod peer;
mod random;
mod response;
mod server;
mod settings;
pub mod supervisor;
pub mod tls;
pub mod web;

pub use compression::mirror_compression;
pub use deadline::{Deadline, timeout_value};
pub use ending::Ending;
pub use listen::{Address, AddressError, ListenError, Listeners};
pub use lookout::Lookout;
pub use message::{Framing, FramingError, RequestBody};
pub use peer::Peer;
pub use server::{ConnectionFigures, Drained, Figures, Monitor, Server, StartError};
pub use settings::{OtherRequests, Settings};
/// What handlers run on, for services that are built on the transport.
pub use unstall;

/// An error of any kind.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
