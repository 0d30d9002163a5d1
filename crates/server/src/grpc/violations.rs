//! Field violations: everything that is wrong with a request, told at once.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Violations(ErrorDetails);

impl Violations {
    pub(crate) fn new() -> Self {
        Self(ErrorDetails::new())
    }

    /// Notes that `field` holds `found` where `expected` was expected.
    pub(crate) fn add(&mut self, field: &str, found: impl std::fmt::Display, expected: &str) {
        self.0.add_bad_request_violation(field, format!("found {found}, expected {expected}"));
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

    /// The request is valid, or `INVALID_ARGUMENT` with everything that was noted.
    pub(crate) fn check(self) -> Result<(), Status> {
        let violations = self.0.bad_request().map_or(&[][..], |bad| &bad.field_violations);
        if violations.is_empty() {
            return Ok(());
        }
        let each = violations.iter().map(|one| format!("{}: {}", one.field, one.description));
        let message = each.collect::<Vec<_>>().join("; ");
        Err(Status::with_error_details(Code::InvalidArgument, message, self.0))
    }
}
