//! How what was shown is taken up.

use crate::error::StoreError;
use crate::store::Store;

/// What became of the books that answers of one kind showed. A book that one answer showed to one
/// user counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// What the attribution tokens of these answers begin with, up to their first dot: digits.
    pub head: String,
    /// What they end with, after their last dot: a letter.
    pub tail: String,
    /// Books that were shown.
    pub shown: u64,
    /// Those of them that the user did something to, with the token of the answer. To say "not for
    /// me" is nothing of that kind.
    pub clicked: u64,
    /// Those of them that the user bought, with it.
    pub bought: u64,
    /// When the first of them was shown, in milliseconds since 1970.
    pub first_ms: i64,
}

/// The most pairs of head and tail that are told of.
pub(crate) const ACCEPTANCES_MAX: i64 = 1_000;

impl Store {
    /// What became of the impressions from a time on that have an attribution token of four parts or
    /// more, of which the first is digits and the last one of the letters from a to z; as far as they
    /// are remembered: by the head and the tail of the token; those of which most was shown first,
    /// then by head and tail, and at most 1,000. Whatever else clients send as a token is left out.
    ///
    /// Reads every impression, and every event of whom something was shown to: some seconds for
    /// millions.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn acceptance(&self, from_ms: i64) -> Result<Vec<Acceptance>, StoreError> {
        self.backend.acceptance(from_ms).await
    }
}
