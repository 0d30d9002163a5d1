//! What a process that trains tells the service that started it: lines of JSON on its standard
//! output. They are written and read here and nowhere else.
//!
//! First come stages, ten a second at most, then what came of the training, which is the last line.
//! A reader holds one line, and stops at the first that is none of these.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use super::stage::Stage;

/// The most bytes that a line has.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// One line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    At(Stage),
    Ended(Outcome),
}

/// Writes lines.
pub(super) struct Teller<W>(Mutex<W>);

impl<W: Write> Teller<W> {
    /// One who writes to `output`.
    pub(super) fn new(output: W) -> Self {
        Self(Mutex::new(output))
    }

    /// Tells how far it is. A service that does not listen any more is no reason to stop: it has
    /// other ways to say so.
    pub(super) fn stage(&self, stage: &Stage) {
        let _ = self.write(&Line::At(stage.clone()));
    }

    /// Tells what came of it.
    pub(super) fn ended(&self, outcome: Outcome) -> io::Result<()> {
        self.write(&Line::Ended(outcome))
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        output.write_all(&text)?;
        output.flush()
    }
}

/// Reads lines to their end, and shows each stage to `see`. What comes back is `None` if the last is no
/// outcome, or cannot be read.
pub(super) fn read(output: impl Read, mut see: impl FnMut(Stage)) -> Option<Outcome> {
    let mut output = BufReader::new(output);
    let mut outcome = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if output.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).ok()? == 0 {
            return outcome;
        }
        match serde_json::from_slice(&line).ok()? {
            Line::At(stage) => see(stage),
            Line::Ended(ended) => outcome = Some(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(done: u64) -> Stage {
        Stage { name: "solving for the weights".to_owned(), done, total: Some(7) }
    }

    #[test]
    fn what_is_told_is_read() {
        let mut output = Vec::new();
        let teller = Teller::new(&mut output);
        teller.stage(&stage(1));
        teller.stage(&stage(2));
        teller.ended(Outcome::failed(&"WHY")).unwrap();
        let mut seen = Vec::new();
        let outcome = read(output.as_slice(), |stage| seen.push(stage)).unwrap();
        assert!(matches!(outcome, Outcome::NotTrained { why, .. } if why == "WHY"));
        assert_eq!(seen, [stage(1), stage(2)]);
    }

    #[test]
    fn what_is_no_line_ends_the_reading() {
        let mut told = Vec::new();
        Teller::new(&mut told).ended(Outcome::failed(&"WHY")).unwrap();
        let long = vec![b' '; LINE_BYTES_MAX as usize];
        for wrong in [&b"nonsense\n"[..], &b"{\"at\":"[..], &long] {
            assert!(read([wrong, &told].concat().as_slice(), drop).is_none());
            assert!(read([&told, wrong].concat().as_slice(), drop).is_none());
        }
        assert!(read(&b""[..], drop).is_none());
        assert!(read(told.as_slice(), drop).is_some());
    }
}
