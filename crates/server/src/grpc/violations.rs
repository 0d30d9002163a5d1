//! Field violations: what is wrong with a request, told at once, up to a bound.

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
    pub(crate) fn add(&mut self, field: &str, found: impl std::fmt::Display, expected: &str) {
        if self.told.len() == TOLD_MAX {
            self.untold += 1;
            return;
        }
        let found = found.to_string();
        let shown: String = found.chars().take(SHOWN_MAX).collect();
        let cut = if shown.len() < found.len() { "…" } else { "" };
        let description = format!("found {shown}{cut}, expected {expected}");
        self.told.push(FieldViolation {
            field: field.to_owned(),
            description,
            ..Default::default()
        });
    }

    /// Notes unless `fits`.
    pub(crate) fn expect(
        &mut self,
        fits: bool,
        field: &str,
        found: impl std::fmt::Display,
        expected: &str,
    ) {
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
