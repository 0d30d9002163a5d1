//! What the clients of one round share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tonic::transport::Channel;

use super::witness::Witness;

/// What the clients of one round share.
#[derive(Clone)]
pub(crate) struct Crowd {
    pub(crate) witness: Arc<Witness>,
    /// Begins the ids of events and users.
    pub(crate) name: String,
    pub(crate) users: u32,
    pub(crate) has_to_stop: Arc<AtomicBool>,
    /// One for each replica.
    pub(crate) channels: Vec<Channel>,
}

impl Crowd {
    pub(crate) fn new(name: &str, users: u32, channels: Vec<Channel>) -> Self {
        let (witness, has_to_stop) = (Arc::default(), Arc::default());
        Self { witness, name: name.to_owned(), users, has_to_stop, channels }
    }

    pub(crate) fn user(&self, number: u32) -> String {
        format!("{}-user-{number}", self.name)
    }

    pub(crate) fn has_to_stop(&self) -> bool {
        self.has_to_stop.load(Ordering::Relaxed)
    }
}
