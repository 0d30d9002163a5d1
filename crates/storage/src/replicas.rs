//! The services that share one database.

use std::fs;
use std::process;

use crate::error::StoreError;
use crate::store::Store;

/// A service that is connected to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The name of its machine, as far as that is known, and the number of its process there.
    pub name: String,
    /// Its address as the database sees it; `None` if it is on the database's own machine.
    pub address: Option<String>,
    /// Since when it has listened to what others commit, in milliseconds since 1970.
    pub since_ms: i64,
}

/// The most bytes of the name of a machine: names of connections are short.
const MACHINE_BYTES_MAX: usize = 30;

/// The name that this process has among replicas, such as `shop-1/4711`.
#[must_use]
pub fn replica_name() -> String {
    // Where the system does not tell, the database at least knows addresses.
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine: String =
        machine.trim().chars().filter(char::is_ascii_graphic).take(MACHINE_BYTES_MAX).collect();
    let machine = if machine.is_empty() { "machine" } else { &machine };
    format!("{machine}/{}", process::id())
}

impl Store {
    /// The services that [listen](Self::listen) to what is committed to the database, by the time since
    /// when they do; those that connect as another user of the database are not among them. Empty for a
    /// store in a file.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn replicas(&self) -> Result<Vec<Replica>, StoreError> {
        self.backend.replicas().await
    }
}
