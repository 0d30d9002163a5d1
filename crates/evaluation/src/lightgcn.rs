//! The LightGCN file format: a line a user, first the user, then their items.
//!
//! Users and items are numbered from 0, without gaps to speak of: memory grows with the
//! largest number, so a number far beyond the interactions is refused as a mistake.
//! Source: the data sets of He et al. (2020, *LightGCN*).

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;

/// The items of each user, by user number; sorted, without repeats.
pub type Histories = Vec<Vec<u32>>;

/// The largest numbers that a file may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The last user.
    pub user_max: u32,
    /// The last item.
    pub item_max: u32,
    /// Where these come from, as the end of an error message.
    pub origin: &'static str,
}

impl Bounds {
    /// For a file that stands alone.
    pub const ALONE: Self = Self { user_max: 9_999_999, item_max: 9_999_999, origin: "" };

    /// For a file that goes with a training file: its users and items only.
    #[must_use]
    pub fn of_training(train: &Histories) -> Self {
        Self {
            user_max: train.len().saturating_sub(1) as u32,
            item_max: item_count(train).saturating_sub(1) as u32,
            origin: ", the last of the training file",
        }
    }
}

/// How many numbers may be left out before a file is refused.
const GAPS_MAX: usize = 1000;

/// Reads a file, plain or gzip. Users without a line have no items.
///
/// # Errors
///
/// Names the file, the line, what was found there and what was expected. A file without
/// an interaction is an error too.
pub fn read(path: &Path, bounds: Bounds) -> Result<Histories> {
    let place = || format!("cannot read {}", path.display());
    let mut file = BufReader::new(File::open(path).with_context(place)?);
    let gzip = file.fill_buf().with_context(place)?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> =
        if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    parse(BufReader::new(text), bounds).with_context(place)
}

fn parse(reader: impl BufRead, bounds: Bounds) -> Result<Histories> {
    let mut histories = Histories::new();
    for (index, line) in reader.lines().enumerate() {
        let place = || format!("line {}", index + 1);
        let line = line.with_context(place)?;
        let mut words = line.split_ascii_whitespace();
        let Some(user) = words.next() else { continue };
        let user = number("user", user, bounds.user_max, bounds).with_context(place)? as usize;
        if histories.len() <= user {
            histories.resize(user + 1, Vec::new());
        }
        let items = words.map(|word| number("item", word, bounds.item_max, bounds));
        let items: Result<Vec<u32>> = items.collect();
        let history = &mut histories[user];
        ensure!(history.is_empty(), "{}: user {user} has a line already", place());
        *history = items.with_context(place)?;
        history.sort_unstable();
        history.dedup();
    }
    check_sizes(&histories)?;
    Ok(histories)
}

fn number(what: &str, word: &str, max: u32, bounds: Bounds) -> Result<u32> {
    match word.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => bail!("found {what} {word:?}, expected a whole number up to {max}{}", bounds.origin),
    }
}

fn check_sizes(histories: &Histories) -> Result<()> {
    let interactions: usize = histories.iter().map(Vec::len).sum();
    ensure!(interactions > 0, "found no interactions, expected lines of a user and their items");
    for (what, count) in [("users", histories.len()), ("items", item_count(histories))] {
        ensure!(
            count <= interactions + GAPS_MAX,
            "found {what} up to {} in {interactions} interactions, expected numbers from 0 without gaps",
            count - 1,
        );
    }
    Ok(())
}

/// One more than the largest item number.
#[must_use]
pub fn item_count(histories: &Histories) -> usize {
    let last = histories.iter().filter_map(|items| items.last()).max();
    last.map_or(0, |item| *item as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_may_come_in_any_order_and_have_no_items() {
        let histories = parse("2 5 3 5\r\n0 1\n\n1\n".as_bytes(), Bounds::ALONE).unwrap();
        assert_eq!(histories, [vec![1], vec![], vec![3, 5]]);
        assert_eq!(item_count(&histories), 6);
    }

    fn check_refused(text: &str, bounds: Bounds, expected: &str) {
        let error = parse(text.as_bytes(), bounds).unwrap_err();
        assert_eq!(format!("{error:#}"), expected);
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, expected) in [
            ("0 1\n1 x\n", "line 2: found item \"x\", expected a whole number up to 9999999"),
            ("0 1\n0 2\n", "line 2: user 0 has a line already"),
            ("-1 1\n", "line 1: found user \"-1\", expected a whole number up to 9999999"),
            (
                "0 4000000000\n",
                "line 1: found item \"4000000000\", expected a whole number up to 9999999",
            ),
        ] {
            check_refused(text, Bounds::ALONE, expected);
        }
    }

    #[test]
    fn numbers_beyond_the_training_file_are_refused() {
        let bounds = Bounds::of_training(&vec![vec![0, 4], vec![1]]);
        for (text, expected) in [
            (
                "0 4\n1 5\n",
                "line 2: found item \"5\", expected a whole number up to 4, the last of the training file",
            ),
            (
                "2 1\n",
                "line 1: found user \"2\", expected a whole number up to 1, the last of the training file",
            ),
        ] {
            check_refused(text, bounds, expected);
        }
    }

    #[test]
    fn a_file_without_interactions_or_with_wild_numbers_is_refused() {
        for text in ["", "\n\n", "0\n1\n"] {
            let expected = "found no interactions, expected lines of a user and their items";
            check_refused(text, Bounds::ALONE, expected);
        }
        let expected =
            "found items up to 9000000 in 2 interactions, expected numbers from 0 without gaps";
        check_refused("0 1 9000000\n", Bounds::ALONE, expected);
    }
}
