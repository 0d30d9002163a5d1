//! `ImportReadingList`: a list as it comes, and what becomes of it.

use std::time::Duration;

use api::v1::import_reading_list_response::Told;
use api::v1::reading_list_report::{Refusal as RefusalMessage, UnmatchedBook as UnmatchedMessage};
use api::v1::{
    ImportProgress, ImportReadingListRequest, ImportReadingListResponse, ReadingListReport,
};
use tokio::time::Instant;
use tonic::{Status, Streaming};
use tonic_types::FieldViolation;

use crate::grpc::status;
use crate::grpc::v1::check_id;
use crate::grpc::violations::{Invalid, Violations};
use crate::import::{ImportError, Refusal, Report, UnmatchedBook};
use crate::layers::Permit;
use crate::reading_list::{Importing, ReadingLists, Received, TooLarge};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// The most characters that are told of a list that cannot be read. Statuses travel in headers.
const DESCRIPTION_MAX: usize = 500;

/// An import from its first request to its report.
pub(super) struct Import {
    lists: ReadingLists,
    requests: Streaming<ImportReadingListRequest>,
    permit: Permit,
    told_at: Instant,
    received: usize,
    stage: Stage,
}

enum Stage {
    /// Nothing has come yet.
    Begun,
    /// The list comes.
    Receiving { user: String, list: Received },
    /// It is imported.
    Importing(Importing),
    /// All is told.
    Over,
}

impl Import {
    pub(super) fn new(
        lists: ReadingLists,
        requests: Streaming<ImportReadingListRequest>,
        permit: Permit,
    ) -> Self {
        let told_at = Instant::now();
        Self { lists, requests, permit, told_at, received: 0, stage: Stage::Begun }
    }

    /// What is to be told next; `None` when all is.
    pub(super) async fn next(&mut self) -> Result<Option<ImportReadingListResponse>, Status> {
        loop {
            self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Over => return Ok(None),
                Stage::Importing(mut importing) => {
                    let next_at = self.told_at + TELL_EVERY;
                    tokio::select! {
                        biased;
                        ended = &mut importing.task => return self.ended(ended).map(Some),
                        () = tokio::time::sleep_until(next_at) => {}
                    }
                    let progress = self.progress(importing.rows());
                    self.stage = Stage::Importing(importing);
                    return Ok(Some(progress));
                }
                stage => self.receive(stage).await?,
            };
            if self.told_at.elapsed() >= TELL_EVERY {
                return Ok(Some(self.progress(0)));
            }
        }
    }

    /// Takes the next piece of the list, or begins to import it.
    async fn receive(&mut self, stage: Stage) -> Result<Stage, Status> {
        let request = tokio::select! {
            biased;
            status = self.permit.ended() => return Err(status),
            request = self.requests.message() => request?,
        };
        let mut violations = Violations::new();
        let (user, mut list) = match (stage, &request) {
            (Stage::Receiving { user, list }, Some(request)) => {
                let is_empty = request.user_id.is_empty();
                let expected = "nothing after the first request";
                violations.expect(is_empty, "user_id", "a user_id", expected);
                (user, list)
            }
            (Stage::Receiving { user, list }, None) => {
                return Ok(Stage::Importing(self.lists.import(list, user)));
            }
            (_, request) => {
                let user = request.as_ref().map_or("", |request| &request.user_id);
                check_id("user_id", user, &mut violations);
                let list = self.lists.receive().map_err(status::too_many_reading_lists)?;
                (user.to_owned(), list)
            }
        };
        if let Some(request) = request
            && let Err(TooLarge) = list.add(&request.data)
        {
            violations.add("data", "more than 10 MiB in all", "at most 10 MiB in all");
        }
        violations.check()?;
        self.received = list.byte_count();
        Ok(Stage::Receiving { user, list })
    }

    fn progress(&mut self, rows: u64) -> ImportReadingListResponse {
        self.told_at = Instant::now();
        let progress = ImportProgress {
            // Both are bounded by the size of a list.
            received_bytes: self.received as i64,
            read_line_count: rows as i64,
        };
        ImportReadingListResponse { told: Some(Told::Progress(progress)) }
    }

    fn ended(
        &mut self,
        ended: Result<Result<(Report, i64), ImportError>, tokio::task::JoinError>,
    ) -> Result<ImportReadingListResponse, Status> {
        let imported = ended.map_err(|error| {
            tracing::error!(%error, "the import of a reading list did not end");
            status::store_unavailable()
        })?;
        let (report, user_revision) = imported.map_err(|error| failed(&error))?;
        let report = to_message(report, user_revision);
        tracing::info!(
            events = report.stored_event_count,
            lines = report.line_count,
            refused = report.refused_line_count,
            "reading list imported"
        );
        Ok(ImportReadingListResponse { told: Some(Told::Report(report)) })
    }
}

/// What went wrong with a list: the list itself, or the store.
fn failed(error: &ImportError) -> Status {
    match error {
        ImportError::File { problem, .. } => {
            let description: String = problem.to_string().chars().take(DESCRIPTION_MAX).collect();
            let message = format!("data: {description}");
            let fields = vec![FieldViolation::new("data", description)];
            Invalid { message, fields }.into()
        }
        error => {
            tracing::error!(%error, "a reading list cannot be imported");
            status::store_unavailable()
        }
    }
}

/// A report, as the contract has it. Its counts are of lines of one list.
fn to_message(report: Report, user_revision: i64) -> ReadingListReport {
    let Some(file) = report.files.into_iter().next() else { return ReadingListReport::default() };
    let refusal = |Refusal { line, column, reason }| RefusalMessage {
        line: line as i64,
        column: column.unwrap_or_default(),
        description: reason,
    };
    let unmatched = |UnmatchedBook { line, title, author }| UnmatchedMessage {
        line: line as i64,
        title,
        author,
    };
    ReadingListReport {
        line_count: file.rows_read as i64,
        stored_event_count: file.stored as i64,
        repeated_event_count: file.repeated as i64,
        refused_line_count: file.refused as i64,
        refusals: file.first_refusals.into_iter().map(refusal).collect(),
        unmatched_line_count: file.unmatched as i64,
        unmatched_books: file.first_unmatched.into_iter().map(unmatched).collect(),
        notes: file.notes,
        user_revision,
    }
}
