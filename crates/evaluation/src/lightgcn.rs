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

/// The largest user or item number: beyond it, a number is more likely a mistake than a data set.
const NUMBER_MAX: u32 = 9_999_999;

/// How many numbers may be left out before a file is refused.
const GAPS_MAX: usize = 1000;

/// Reads a file, plain or gzip. Users without a line have no items.
///
/// # Errors
///
/// Names the file, the line, what was found there and what was expected. A file without
/// an interaction is an error too.
pub fn read(path: &Path) -> Result<Histories> {
    let place = || format!("cannot read {}", path.display());
    let mut file = BufReader::new(File::open(path).with_context(place)?);
    let gzip = file.fill_buf().with_context(place)?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> =
        if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    parse(BufReader::new(text)).with_context(place)
}

fn parse(reader: impl BufRead) -> Result<Histories> {
    let mut histories = Histories::new();
    for (index, line) in reader.lines().enumerate() {
        let place = || format!("line {}", index + 1);
        let line = line.with_context(place)?;
        let mut words = line.split_ascii_whitespace();
        let Some(user) = words.next() else { continue };
        let user = number("user", user).with_context(place)? as usize;
        if histories.len() <= user {
            histories.resize(user + 1, Vec::new());
        }
        let items = words.map(|word| number("item", word));
        let items: Result<Vec<u32>> = items.collect();
        let history = &mut histories[user];
        ensure!(history.is_empty(), "{}: user {user} has a line already", place());
        *history = items.with_context(place)?;
        history.sort_unstable();
        history.dedup();
    }
    ensure!(
        histories.iter().any(|items| !items.is_empty()),
        "found no interactions, expected lines of a user and their items"
    );
    Ok(histories)
}

fn number(what: &str, word: &str) -> Result<u32> {
    match word.parse() {
        Ok(number) if number <= NUMBER_MAX => Ok(number),
        _ => bail!("found {what} {word:?}, expected a whole number up to {NUMBER_MAX}"),
    }
}

/// Checks that the numbers of one data set, in one file or two, have no wild gaps: memory
/// goes with the largest of them.
///
/// # Errors
///
/// Says which numbers are too far apart.
pub fn check_sizes(files: &[&Histories]) -> Result<()> {
    let interactions: usize = files.iter().flat_map(|file| file.iter()).map(Vec::len).sum();
    let users = files.iter().map(|file| file.len()).max().unwrap_or(0);
    let items = files.iter().map(|file| item_count(file)).max().unwrap_or(0);
    for (what, count) in [("users", users), ("items", items)] {
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
        let histories = parse("2 5 3 5\r\n0 1\n\n1\n".as_bytes()).unwrap();
        assert_eq!(histories, [vec![1], vec![], vec![3, 5]]);
        assert_eq!(item_count(&histories), 6);
    }

    fn check_refused(text: &str, expected: &str) {
        let error = parse(text.as_bytes()).unwrap_err();
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
            check_refused(text, expected);
        }
    }

    #[test]
    fn a_file_without_interactions_is_refused() {
        for text in ["", "\n\n", "0\n1\n"] {
            let expected = "found no interactions, expected lines of a user and their items";
            check_refused(text, expected);
        }
    }

    #[test]
    fn wild_numbers_are_refused_unless_the_other_file_explains_them() {
        let small = parse("0 1\n".as_bytes()).unwrap();
        let wild = parse("0 9000\n".as_bytes()).unwrap();
        let large = vec![(0..9000).collect()];
        let error = check_sizes(&[&small, &wild]).unwrap_err().to_string();
        assert!(error.contains("found items up to 9000 in 2 interactions"), "{error}");
        assert!(check_sizes(&[&large, &wild]).is_ok());
    }
}
