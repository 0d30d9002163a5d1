//! What is exchanged with a peer's process: a folder of files. Their layouts are described in
//! `peers/peer.py`, which is the other side.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use recommender::Interactions;
use serde::{Deserialize, Serialize};

/// Stands where a list has no more items.
const NOTHING: u32 = u32::MAX;

/// What a peer is asked besides the matrices.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Task {
    /// What its progress is told under.
    pub(super) name: &'static str,
    /// The length of the lists.
    pub(super) k: usize,
    pub(super) budget_seconds: f64,
    pub(super) threads: usize,
    pub(super) seed: u64,
    /// Memory that nobody uses when it starts; `None` where this is not known.
    pub(super) available_bytes: Option<u64>,
}

/// What a peer's process says at its end.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Answer {
    /// It is better left out.
    Skipped {
        /// Why, and what would help.
        skipped: String,
    },
    /// It wrote its lists.
    Measured(Measured),
}

/// What a peer says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Measured {
    pub(super) settings: serde_json::Map<String, serde_json::Value>,
    /// Candidates that were judged.
    pub(super) tried: usize,
    /// How many others failed.
    pub(super) failed: usize,
    /// Why the last of them did.
    pub(super) last_failure: Option<String>,
    /// Whether all of the first failed, so that no others were tried.
    pub(super) is_given_up: bool,
    /// Whether one was under way when the budget was over.
    pub(super) is_cut_off: bool,
    /// What of it was left out, and why.
    pub(super) notes: Vec<String>,
    pub(super) validation_ndcg: Option<f64>,
    pub(super) tune_seconds: f64,
    pub(super) fit_seconds: f64,
    pub(super) rank_seconds: f64,
    pub(super) peak_bytes: u64,
}

/// Writes a matrix.
pub(super) fn write_matrix(path: &Path, matrix: &Interactions) -> Result<()> {
    write(path, matrix).with_context(|| cannot_write(path))
}

/// Writes what is asked.
pub(super) fn write_task(path: &Path, task: &Task) -> Result<()> {
    let text = serde_json::to_string(task).context("cannot write JSON")?;
    fs::write(path, text).with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn write(path: &Path, matrix: &Interactions) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let rows = || (0..matrix.user_count()).map(|user| matrix.user(user));
    for size in [matrix.user_count(), matrix.item_count(), matrix.len()] {
        file.write_all(&(size as u64).to_le_bytes())?;
    }
    let mut offset = 0_u64;
    file.write_all(&offset.to_le_bytes())?;
    for (items, _) in rows() {
        offset += items.len() as u64;
        file.write_all(&offset.to_le_bytes())?;
    }
    for item in rows().flat_map(|(items, _)| items) {
        file.write_all(&item.to_le_bytes())?;
    }
    for value in rows().flat_map(|(_, values)| values) {
        file.write_all(&value.to_le_bytes())?;
    }
    file.flush()
}

/// Reads what a peer says of itself.
pub(super) fn read_answer(path: &Path) -> Result<Answer> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the report {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("cannot read the report {}", path.display()))
}

/// Reads the lists of so many users; each is cut where its peer had no more to say.
pub(super) fn read_lists(path: &Path, users: usize, k: usize) -> Result<Vec<Vec<u32>>> {
    let bytes =
        fs::read(path).with_context(|| format!("cannot read the lists {}", path.display()))?;
    let expected = users * k * size_of::<u32>();
    ensure!(
        bytes.len() == expected,
        "found {} bytes of lists, expected {expected}: {k} items for each of {users} users",
        bytes.len(),
    );
    let (words, _) = bytes.as_chunks::<4>();
    let list = |words: &[[u8; 4]]| {
        let items = words.iter().map(|word| u32::from_le_bytes(*word));
        items.take_while(|item| *item != NOTHING).collect()
    };
    Ok(words.chunks_exact(k).map(list).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_written_as_the_other_side_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("matrix.csr");
        let mut matrix = Interactions::new(9);
        matrix.push_user([(3, 1.5)]);
        matrix.push_user([]);
        matrix.push_user([(0, 1.0), (8, 2.0)]);
        write_matrix(&path, &matrix).unwrap();
        let mut expected = Vec::new();
        for number in [3_u64, 9, 3, 0, 1, 1, 3] {
            expected.extend(number.to_le_bytes());
        }
        for item in [3_u32, 0, 8] {
            expected.extend(item.to_le_bytes());
        }
        for value in [1.5_f32, 1.0, 2.0] {
            expected.extend(value.to_le_bytes());
        }
        assert_eq!(fs::read(&path).unwrap(), expected);
    }

    #[test]
    fn an_answer_holds_figures_or_why_there_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let answer = |text: &str| {
            fs::write(&path, text).unwrap();
            read_answer(&path)
        };
        let skipped = answer(r#"{"skipped":"too large"}"#).unwrap();
        assert!(matches!(skipped, Answer::Skipped { skipped } if skipped == "too large"));
        let measured = answer(
            r#"{"settings":{"K":20},"tried":0,"failed":1,"last_failure":"odd",
            "is_given_up":false,"is_cut_off":true,"notes":[],"validation_ndcg":null,"tune_seconds":1.5,"fit_seconds":1,"rank_seconds":1,
            "peak_bytes":1}"#,
        );
        assert!(matches!(measured, Ok(Answer::Measured(Measured { is_cut_off: true, .. }))));
        assert!(answer("{}").is_err());
    }

    #[test]
    fn lists_end_where_nothing_stands_and_odd_sizes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lists.bin");
        let words = [7_u32, NOTHING, NOTHING, 4, 5, 6];
        fs::write(&path, words.map(u32::to_le_bytes).concat()).unwrap();
        assert_eq!(read_lists(&path, 2, 3).unwrap(), [vec![7], vec![4, 5, 6]]);
        let error = read_lists(&path, 3, 3).unwrap_err().to_string();
        assert_eq!(error, "found 24 bytes of lists, expected 36: 3 items for each of 3 users");
    }
}
