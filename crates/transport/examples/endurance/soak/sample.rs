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
    pub(crate) resident_bytes: usize,
    pub(crate) files: usize,
    pub(crate) threads: usize,
    pub(crate) connections: usize,
    pub(crate) streams: usize,
    pub(crate) unfinished_bytes: usize,
}

type Figure = fn(&Sample) -> usize;

/// By how much a figure may have grown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slack {
    Nothing,
    /// 5 % or 2 MiB, whichever is more.
    Memory,
}

impl Slack {
    pub(crate) fn of(self, before: f64) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Memory => (before * 0.05).max(2.0 * MEBIBYTE),
        }
    }
}

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// What must not grow, and its unit. Figures are told as the medians of five fifths.
pub(crate) const HELD: [(&str, f64, Slack, Figure); 3] = [
    ("memory by fifths, MiB", MEBIBYTE, Slack::Memory, |sample| sample.resident_bytes),
    ("files beside connections by fifths", 1.0, Slack::Nothing, Sample::other_files),
    ("threads by fifths", 1.0, Slack::Nothing, |sample| sample.threads),
];

/// What follows the load and is not held against anything.
pub(crate) const OTHERS: [(&str, Figure); 3] = [
    ("open connections by fifths", |sample| sample.connections),
    ("open streams by fifths", |sample| sample.streams),
    ("bytes of unfinished messages by fifths", |sample| sample.unfinished_bytes),
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
            resident_bytes: usize::try_from(process.usage()?.resident_bytes)?,
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
            self.resident_bytes as f64 / MEBIBYTE,
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
