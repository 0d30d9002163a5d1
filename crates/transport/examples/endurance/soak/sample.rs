//! What the server's process takes and does at one moment.

use std::fmt;
use std::time::Duration;

use crate::Failure;
use crate::child::Serving;
use crate::server::Said;

/// One look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    pub(crate) resident_bytes: u64,
    pub(crate) files: usize,
    pub(crate) threads: usize,
    pub(crate) connections: usize,
    pub(crate) streams: usize,
    pub(crate) unfinished_bytes: usize,
}

type Figure = fn(&Sample) -> usize;

/// What follows the load and is not held against anything.
pub(crate) const OTHERS: [(&str, Figure); 3] = [
    ("open connections, before and at the end", |sample| sample.connections),
    ("open streams, before and at the end", |sample| sample.streams),
    ("bytes of unfinished messages, before and at the end", |sample| sample.unfinished_bytes),
];

impl Sample {
    pub(crate) async fn take(serving: &mut Serving, at: Duration) -> Result<Self, Failure> {
        let Said::Figures { connections, streams, unfinished_bytes, .. } =
            serving.figures().await?
        else {
            return Err("expected figures".into());
        };
        let process = serving.process();
        let count = |folder: &str| -> std::io::Result<usize> {
            Ok(std::fs::read_dir(format!("/proc/{}/{folder}", process.0))?.count())
        };
        Ok(Self {
            at,
            resident_bytes: process.usage()?.resident_bytes,
            files: count("fd")?,
            threads: count("task")?,
            connections,
            streams,
            unfinished_bytes,
        })
    }

    /// Files that are not connections.
    pub(crate) fn other_files(&self) -> usize {
        self.files.saturating_sub(self.connections)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} s: {:.1} MiB, {} files, {} threads, {} connections, {} streams",
            self.at.as_secs(),
            self.resident_bytes as f64 / f64::from(1 << 20),
            self.files,
            self.threads,
            self.connections,
            self.streams
        )
    }
}

/// The middle one of a figure; of none, 0.
pub(crate) fn median(samples: &[Sample], of: Figure) -> usize {
    let mut values: Vec<usize> = samples.iter().map(of).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
