//! Values of the right kind that still cannot be used: all of them, not only the first.

use std::fmt::Display;
use std::path::Path;

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub(super) wrong: Vec<OutOfRange>,
}

/// A value that cannot be used.
#[derive(Debug)]
pub(super) struct OutOfRange {
    pub(super) key: &'static str,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Check {
    /// Notes the key unless its value `fits`.
    pub(super) fn expect(
        &mut self,
        key: &'static str,
        found: impl Display,
        fits: bool,
        expected: impl Into<String>,
    ) {
        if !fits {
            let (found, expected) = (found.to_string(), expected.into());
            self.wrong.push(OutOfRange { key, found, expected });
        }
    }

    /// A path, and not what is in the file: where that is a key, nobody is to read it in an error.
    pub(super) fn expect_path(&mut self, key: &'static str, path: &Path) {
        let text = path.to_string_lossy();
        let is_contents = text.contains('\n') || text.starts_with(['{', '[', '-']);
        let expected = "its path; without _FILE, which takes what a file holds for the path itself";
        self.expect(key, "the contents of a file", !is_contents, expected);
    }
}
