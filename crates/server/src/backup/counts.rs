//! How many rows there are of each kind.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use storage::RowKind;

/// How many rows there are of each kind; as JSON, numbers by the kinds' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowCounts([u64; RowKind::ALL.len()]);

impl RowCounts {
    /// Counts one more row.
    pub(super) fn add(&mut self, kind: RowKind) {
        for (count, of) in self.0.iter_mut().zip(RowKind::ALL) {
            *count += u64::from(of == kind);
        }
    }

    /// Each kind with its number of rows, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (RowKind, u64)> {
        RowKind::ALL.into_iter().zip(self.0)
    }

    /// How many rows there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Serialize for RowCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(kind, count)| (kind.to_string(), count)))
    }
}

impl<'de> Deserialize<'de> for RowCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut named = BTreeMap::<String, u64>::deserialize(deserializer)?;
        let mut counts = Self::default();
        for (count, kind) in counts.0.iter_mut().zip(RowKind::ALL) {
            let found = named.remove(&kind.to_string());
            *count = found.ok_or_else(|| D::Error::custom(format!("no number of {kind} rows")))?;
        }
        match named.into_keys().next() {
            Some(unknown) => Err(D::Error::custom(format!("rows of an unknown kind {unknown:?}"))),
            None => Ok(counts),
        }
    }
}
