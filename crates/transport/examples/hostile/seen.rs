//! What the attackers see of the server: closed connections, error codes, statuses.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::frames::code_name;

/// A tally that all attackers of a case share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Seen>>);

/// What was seen.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Seen {
    /// Connections that were opened.
    pub(crate) connections: u64,
    /// Connections that could not be opened, or lost before they were asked anything.
    pub(crate) refused: u64,
    /// Connections that the server closed.
    pub(crate) closed: u64,
    /// Connections that were open when the attack ended, or that the attacker closed.
    pub(crate) left: u64,
    /// The longest time that a connection lived, in seconds.
    pub(crate) longest_seconds: f64,
    /// What was written, in bytes.
    pub(crate) sent_bytes: u64,
    /// What was read, in bytes.
    pub(crate) received_bytes: u64,
    /// GOAWAY frames by their code.
    pub(crate) goaways: BTreeMap<String, u64>,
    /// `RST_STREAM` frames by their code.
    pub(crate) resets: BTreeMap<String, u64>,
    /// Answers by their gRPC status, or HTTP status if there was none.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// Settings that the server sent first, by their identifiers.
    pub(crate) settings: BTreeMap<u16, u32>,
}

impl Tally {
    /// Changes it.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A connection ended after so much time.
    pub(crate) fn ended(&self, lived: Duration, by_server: bool) {
        self.note(|seen| {
            *if by_server { &mut seen.closed } else { &mut seen.left } += 1;
            seen.longest_seconds = seen.longest_seconds.max(lived.as_secs_f64());
        });
    }

    /// A GOAWAY frame came.
    pub(crate) fn goaway(&self, code: u32) {
        self.note(|seen| *seen.goaways.entry(code_name(code)).or_default() += 1);
    }

    /// An `RST_STREAM` frame came.
    pub(crate) fn reset(&self, code: u32) {
        self.note(|seen| *seen.resets.entry(code_name(code)).or_default() += 1);
    }

    /// A call was answered.
    pub(crate) fn status(&self, status: impl Into<String>) {
        self.note(|seen| *seen.statuses.entry(status.into()).or_default() += 1);
    }

    /// All of it so far.
    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Seen {
    /// In a few words.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!(
            "{} connections, {} closed by the server, longest {:.1} s",
            self.connections, self.closed, self.longest_seconds
        );
        if self.refused > 0 {
            // Writing to a string cannot fail, here and below.
            let _ = write!(text, ", {} refused", self.refused);
        }
        for (name, codes) in
            [("GOAWAY", &self.goaways), ("RST", &self.resets), ("answers", &self.statuses)]
        {
            if !codes.is_empty() {
                let list: Vec<_> =
                    codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
                let _ = write!(text, "; {name} {}", list.join(", "));
            }
        }
        text
    }
}
