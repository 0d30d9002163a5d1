//! Field violations: what is wrong with a request, told at once, up to a bound.

use std::fmt::{self, Display, Write};

use tonic_types::FieldViolation;

/// The most violations that are told. Statuses travel in headers, and clients bound those.
const TOLD_MAX: usize = 10;

/// The most characters of a value that are told.
const SHOWN_MAX: usize = 64;

/// A request that is not valid.
#[derive(Debug)]
pub(crate) struct Invalid {
    /// The first thing that is wrong, and how many more there are.
    pub(crate) message: String,
    /// What is wrong, field by field.
    pub(crate) fields: Vec<FieldViolation>,
}

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    told: Vec<FieldViolation>,
    untold: usize,
}

impl Violations {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` holds `found` where `expected` was expected.
    pub(crate) fn add(&mut self, field: &str, found: impl Display, expected: &str) {
        if self.told.len() == TOLD_MAX {
            self.untold += 1;
            return;
        }
        let description = format!("found {}, expected {expected}", shown(found));
        self.told.push(FieldViolation {
            field: field.to_owned(),
            description,
            ..Default::default()
        });
    }

    /// Notes unless `fits`.
    pub(crate) fn expect(&mut self, fits: bool, field: &str, found: impl Display, expected: &str) {
        if !fits {
            self.add(field, found, expected);
        }
    }

    /// The request is valid, or [`Invalid`] with what was noted.
    pub(crate) fn check(self) -> Result<(), Invalid> {
        let Some(first) = self.told.first() else { return Ok(()) };
        let mut message = format!("{}: {}", first.field, first.description);
        match self.told.len() + self.untold - 1 {
            0 => {}
            more => message.push_str(&format!(" (and {more} more)")),
        }
        Err(Invalid { message, fields: self.told })
    }
}

/// Takes the first characters of what is written, and refuses the rest.
struct Beginning {
    text: String,
    left: usize,
}

impl Write for Beginning {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for character in part.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}

/// What is told of a value, which may be as long as a message: the rest of it is not written.
fn shown(value: impl Display) -> String {
    let mut beginning = Beginning { text: String::new(), left: SHOWN_MAX };
    if write!(beginning, "{value}").is_err() {
        beginning.text.push('…');
    }
    beginning.text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_before_it_is_written() {
        assert_eq!(shown(17), "17");
        assert_eq!(shown("é".repeat(64)), "é".repeat(64));
        assert_eq!(shown("é".repeat(65)), format!("{}…", "é".repeat(64)));
        let long = "a\n".repeat(1 << 20);
        assert_eq!(shown(format_args!("{} bytes: {long:?}", long.len())).chars().count(), 65);
    }
}
