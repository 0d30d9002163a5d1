//! `ImportReadingList`: a list as it comes, and what becomes of it.

use std::time::Duration;

use api::v1::import_reading_list_response::Told;
use api::v1::reading_list_report::{Refusal as RefusalMessage, UnmatchedBook as UnmatchedMessage};
use api::v1::{
    ImportProgress, ImportReadingListRequest, ImportReadingListResponse, ReadingListReport,
};
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use tonic::{Request, Status, Streaming};
use tonic_types::FieldViolation;

use crate::access::Identity;
use crate::grpc::status;
use crate::grpc::v1::check_id;
use crate::grpc::violations::{Invalid, Violations};
use crate::import::{ImportError, Refusal, Report, UnmatchedBook};
use crate::layers::Permit;
use crate::reading_list::{Importing, ReadingLists, Received, TooLarge};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How long a list may take to come. A client may go without a word, or send next to nothing, and
/// there is room for few lists.
const COMES_WITHIN: Duration = Duration::from_secs(120);

/// The most characters that are told of a list that cannot be read. Statuses travel in headers.
const DESCRIPTION_MAX: usize = 500;

/// An import from its first request to its report.
pub(super) struct Import {
    lists: ReadingLists,
    /// Who sends it, as far as that is known.
    caller: Option<Identity>,
    requests: Streaming<ImportReadingListRequest>,
    permit: Permit,
    /// Ends when the service stops.
    stopping: BoxFuture<'static, ()>,
    late_at: Instant,
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
        request: Request<Streaming<ImportReadingListRequest>>,
        stopping: BoxFuture<'static, ()>,
    ) -> Self {
        let permit = Permit::of(&request);
        let caller = request.extensions().get().cloned();
        let requests = request.into_inner();
        let told_at = Instant::now();
        let late_at = told_at + COMES_WITHIN;
        let stage = Stage::Begun;
        Self { lists, caller, requests, permit, stopping, late_at, told_at, received: 0, stage }
    }

    /// What is to be told next; `None` when all is. An import that is not told of to its end is
    /// given up, unless its commit has begun.
    pub(super) async fn next(&mut self) -> Result<Option<ImportReadingListResponse>, Status> {
        loop {
            self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Over => return Ok(None),
                Stage::Importing(mut importing) => {
                    let next_at = self.told_at + TELL_EVERY;
                    tokio::select! {
                        biased;
                        ended = &mut importing.task => return self.ended(ended).map(Some),
                        status = self.permit.ended() => return Err(status),
                        () = &mut self.stopping => return Err(status::stopping()),
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
            () = &mut self.stopping => return Err(status::stopping()),
            () = tokio::time::sleep_until(self.late_at) => {
                return Err(status::reading_list_late(COMES_WITHIN));
            }
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
                let list = self.lists.receive(self.caller.as_ref());
                let list = list.map_err(status::too_many_reading_lists)?;
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::{BufMut as _, Bytes, BytesMut};
    use futures_util::future::pending;
    use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;
    use prost::Message as _;
    use tonic::Code;
    use tonic::codec::Codec as _;
    use tonic_prost::ProstCodec;
    use tonic_types::StatusExt as _;

    use super::*;
    use crate::access::{IdentityKind, Roles};
    use crate::data_folder::DataFolder;
    use crate::settings::Settings;

    /// What can be imported once it is its turn to write.
    const EXPORT: &str = "Title,Author,ISBN,ISBN13,My Rating,Exclusive Shelf,Date Read,Date Added\n\
        Emma,Jane Austen,,,5,read,,2026/01/02\n";

    /// A stream of one request of a caller, and whatever comes then.
    fn list(
        caller: &str,
        rest: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static,
    ) -> Request<Streaming<ImportReadingListRequest>> {
        let first = ImportReadingListRequest { user_id: "ann".to_owned(), data: EXPORT.into() };
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(first.encoded_len() as u32);
        first.encode(&mut frame).unwrap();
        let sent = stream::iter([Ok::<Frame<Bytes>, Infallible>(Frame::data(frame.freeze()))]);
        let body = StreamBody::new(sent.chain(rest));
        let mut codec = ProstCodec::<ImportReadingListRequest, ImportReadingListRequest>::default();
        let body = tonic::body::Body::new(body);
        let mut request = Request::new(Streaming::new_request(codec.decoder(), body, None, None));
        let (kind, roles) = (IdentityKind::ApiKey, Roles::default());
        request.extensions_mut().insert(Identity { kind, name: caller.into(), roles });
        request
    }

    #[tokio::test]
    async fn a_list_that_does_not_come_gives_its_place_back() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(None).unwrap();
        let store = DataFolder::new(folder.path()).store(&settings).await.unwrap();
        let lists = ReadingLists::new(store.clone());
        let import = |caller: &str| {
            Import::new(lists.clone(), list(caller, stream::pending()), pending().boxed())
        };
        let callers = ["ann", "bob"].into_iter().cycle();
        let mut imports: Vec<Import> = callers.map(import).take(8).collect();
        for import in &mut imports {
            import.late_at = Instant::now();
            // However long that takes here, nothing is told before it is late.
            import.told_at = Instant::now() + COMES_WITHIN;
        }
        let mut late = stream::iter(imports.iter_mut().map(Import::next)).buffer_unordered(8);
        // All of them have come as far as they do: on this thread, no timer ends before it waits.
        assert!(late.next().now_or_never().is_none());
        assert_eq!(import("eve").next().await.unwrap_err().code(), Code::Unavailable);
        while let Some(told) = late.next().await {
            assert_eq!(told.unwrap_err().code(), Code::DeadlineExceeded);
        }
        drop(late);
        drop(imports);
        assert!(lists.receive(None).is_ok());
        store.close().await;
    }

    #[tokio::test]
    async fn a_service_that_stops_waits_for_no_list() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(None).unwrap();
        let store = DataFolder::new(folder.path()).store(&settings).await.unwrap();
        let lists = ReadingLists::new(store.clone());
        // The import waits for its turn to write.
        let writer = store.begin().await.unwrap();
        let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
        let stopping = stopping.map(drop).boxed();
        let mut import = Import::new(lists.clone(), list("ann", stream::empty()), stopping);
        while !matches!(import.stage, Stage::Importing(_)) {
            assert!(import.next().await.unwrap().is_some());
        }
        let begun = list("ann", stream::pending());
        let comes = Import::new(lists, begun, std::future::ready(()).boxed());
        stop.send(()).unwrap();
        for mut import in [import, comes] {
            let status = import.next().await.unwrap_err();
            let reason = status.get_details_error_info().unwrap().reason;
            assert_eq!((status.code(), reason.as_str()), (Code::Unavailable, "STOPPING"));
        }
        writer.rollback().await.unwrap();
        store.close().await;
    }
}
