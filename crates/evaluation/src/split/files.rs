//! Splits of files in the LightGCN format: as published, or held out of one file.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use recommender::Interactions;

use super::{Split, hold_out};
use crate::lightgcn::{self, Histories, item_count};

/// Reads a training and a test file in the LightGCN format, plain or gzip. Every item
/// counts 1; an item that a user has in both files counts as learnt from, not as held out.
///
/// The catalogue and the users are those of both files, as in published tables: an item or
/// a user without training counts, and no model can do much for it.
///
/// # Errors
///
/// Names the file, the line, what was found there and what was expected.
pub fn read_split(train: &Path, test: &Path) -> Result<Split> {
    let mut learnt = lightgcn::read(train)?;
    let mut held_out = lightgcn::read(test)?;
    lightgcn::check_sizes(&[&learnt, &held_out])
        .with_context(|| format!("cannot use {} with {}", test.display(), train.display()))?;
    let users = learnt.len().max(held_out.len());
    learnt.resize(users, Vec::new());
    held_out.resize(users, Vec::new());
    let mut repeats = 0;
    for (items, known) in held_out.iter_mut().zip(&learnt) {
        let all = items.len();
        // Items learnt from are never ranked, so they could not be found.
        items.retain(|item| known.binary_search(item).is_err());
        repeats += all - items.len();
    }
    let items = item_count(&learnt).max(item_count(&held_out));
    let protocol = "the given files: one to learn from, one to find again".to_owned();
    let mut split = Split::of_train(to_interactions(&learnt, items), held_out, protocol);
    split.left_out.repeats = repeats;
    ensure!(
        split.held_out_count() > 0,
        "every interaction of {} is in {} as well, expected other items",
        test.display(),
        train.display(),
    );
    Ok(split)
}

/// Reads one file in the LightGCN format. Every item counts 1.
///
/// # Errors
///
/// As [`read_split`].
pub fn read_interactions(path: &Path) -> Result<Interactions> {
    let histories = lightgcn::read(path)?;
    lightgcn::check_sizes(&[&histories])
        .with_context(|| format!("cannot use {}", path.display()))?;
    Ok(to_interactions(&histories, item_count(&histories)))
}

/// Reads one file in the LightGCN format and holds out a share of each user's items: for
/// choosing settings without a look at the test file.
///
/// # Errors
///
/// As [`read_split`]; also if the share is not between 0 and 1, or so small that nothing
/// is held out.
pub fn read_and_hold_out(train: &Path, share: f64, seed: u64) -> Result<Split> {
    ensure!(share > 0.0 && share < 1.0, "found share {share}, expected one between 0 and 1");
    let split = hold_out(&read_interactions(train)?, share, 0.0, seed);
    ensure!(
        split.held_out_count() > 0,
        "a share of {share} holds out nothing of {}, expected longer histories",
        train.display(),
    );
    Ok(split)
}

fn to_interactions(histories: &Histories, items: usize) -> Interactions {
    let mut interactions = Interactions::new(items);
    for items in histories {
        interactions.push_user(items.iter().map(|item| (*item, 1.0)));
    }
    interactions
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Writes both files, reads them, and returns the result or the error's text after
    /// the folder's name.
    fn read_texts(train: &str, test: &str) -> Result<Split, String> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        read_split(&write("train.txt", train), &write("test.txt", test)).map_err(|error| {
            let prefix = format!("{}{}", folder.path().display(), std::path::MAIN_SEPARATOR);
            format!("{error:#}").replace(&prefix, "")
        })
    }

    #[test]
    fn test_users_are_known_by_their_training_rows() {
        let split = read_texts("0 1 2\n1 0\n2 3\n", "1 2 1\n0 1 3\n").unwrap();
        assert_eq!(split.train.user_count(), 3);
        assert_eq!(split.histories.user_count(), 2);
        assert_eq!(split.histories.user(0), (&[1, 2][..], &[1.0, 1.0][..]));
        assert_eq!(split.histories.user(1), (&[0][..], &[1.0][..]));
        // Item 1 was learnt from user 0.
        assert_eq!(split.held_out, [vec![3], vec![1, 2]]);
        assert_eq!(split.left_out.repeats, 1);
    }

    #[test]
    fn bad_files_are_named() {
        for (train, test, expected) in [
            (
                "",
                "0 1\n",
                "cannot read train.txt: found no interactions, expected lines of a user and their items",
            ),
            (
                "0 1 2\n",
                "0 1\n",
                "every interaction of test.txt is in train.txt as well, expected other items",
            ),
        ] {
            assert_eq!(read_texts(train, test).unwrap_err(), expected);
        }
    }

    #[test]
    fn items_and_users_of_the_test_file_alone_count_too() {
        let split = read_texts("0 1 2\n", "0 1 5\n2 0\n").unwrap();
        assert_eq!((split.train.user_count(), split.train.item_count()), (3, 6));
        assert_eq!(split.held_out, [vec![5], vec![0]]);
        assert_eq!(split.histories.user(1), (&[][..], &[][..]));
    }

    #[test]
    fn a_share_that_holds_out_nothing_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "0 1 2 3 4\n").unwrap();
        let message =
            |share| format!("{:#}", read_and_hold_out(file.path(), share, 1).unwrap_err());
        assert_eq!(message(1.0), "found share 1, expected one between 0 and 1");
        assert!(message(0.2).starts_with("a share of 0.2 holds out nothing of "));
        assert_eq!(read_and_hold_out(file.path(), 0.25, 1).unwrap().held_out_count(), 1);
    }
}
