//! Bodies that are not gRPC, as a whole: each is held to the limits of one message.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use http_body::SizeHint;
use tokio::time::{Sleep, sleep};
use tonic::Status;

use super::body::{HOLD_BYTES_MIN, MessageLimits, no_room};
use super::budget::Hold;
use crate::connection::Connection;

/// One body.
pub(crate) struct Whole {
    limits: Arc<MessageLimits>,
    connection: Arc<Connection>,
    /// Bytes that have come.
    read: usize,
    /// The bytes that count, and their room.
    hold: Option<(usize, Hold)>,
    /// When it is due.
    overdue: Option<Pin<Box<Sleep>>>,
}

impl Whole {
    pub(crate) fn new(limits: Arc<MessageLimits>, connection: Arc<Connection>) -> Self {
        Self { limits, connection, read: 0, hold: None, overdue: None }
    }

    /// Looks at what is announced of what is still to come.
    ///
    /// # Errors
    ///
    /// If that is too long, before any of it is read.
    pub(super) fn expect(&mut self, coming: &SizeHint) -> Result<(), Status> {
        let coming = usize::try_from(coming.lower()).unwrap_or(usize::MAX);
        self.check(self.read.saturating_add(coming))
    }

    /// Counts bytes that have come.
    ///
    /// # Errors
    ///
    /// If they are too many, or there is no room for them.
    pub(super) fn read(&mut self, bytes: usize, coming: &SizeHint) -> Result<(), Status> {
        self.read = self.read.saturating_add(bytes);
        self.expect(coming)?;
        match coming.exact() {
            Some(0) => {
                self.end();
                Ok(())
            }
            _ => self.make_room(coming),
        }
    }

    /// All has come: it is the service's now, as a message that has ended.
    pub(super) fn end(&mut self) {
        self.hold = None;
    }

    /// Why what is missing will not be waited for.
    pub(super) fn given_up(&mut self, coming: &SizeHint, cx: &mut Context<'_>) -> Option<Status> {
        if let Err(status) = self.make_room(coming) {
            return Some(status);
        }
        if self.hold.as_ref().is_some_and(|(_, hold)| hold.is_taken_away(cx)) {
            return Some(no_room());
        }
        let limit = self.limits.timeout;
        let overdue = self.overdue.get_or_insert_with(|| Box::pin(sleep(limit)));
        overdue.as_mut().poll(cx).is_ready().then(|| {
            Status::deadline_exceeded(format!("the body has not come to its end in {limit:?}"))
        })
    }

    fn check(&self, found: usize) -> Result<(), Status> {
        let max = self.limits.bytes_max;
        if found <= max {
            return Ok(());
        }
        let text = format!("body of at least {found} bytes, expected at most {max}");
        Err(Status::resource_exhausted(text))
    }

    /// Takes room for all that is announced. If nothing is, for a power of two that holds what
    /// has come, so that a body in small pieces does not ask for room at each.
    fn make_room(&mut self, coming: &SizeHint) -> Result<(), Status> {
        let bytes = match coming.exact().and_then(|coming| usize::try_from(coming).ok()) {
            Some(coming) => self.read.saturating_add(coming),
            None if self.read == 0 => return Ok(()),
            None => self.read.next_power_of_two().min(self.limits.bytes_max),
        };
        let bytes = bytes.max(HOLD_BYTES_MIN);
        if self.hold.as_ref().is_some_and(|(held, _)| *held >= bytes) {
            return Ok(());
        }
        // The room for less is free.
        self.hold = None;
        let hold = self.limits.budget.hold(&self.connection, bytes).ok_or_else(no_room)?;
        self.hold = Some((bytes, hold));
        Ok(())
    }
}
