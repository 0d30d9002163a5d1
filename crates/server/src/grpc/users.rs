//! `foreword.v1.UserService`.

mod lists;
mod reading_list;

use std::pin::Pin;
use std::sync::Arc;

use api::v1::stored_event::Origin;
use api::v1::user_service_server::UserService;
use api::v1::{
    DeleteUserRequest, DeleteUserResponse, Event, EventKind, ExportUserRequest, ExportUserResponse,
    ImportReadingListRequest, ImportReadingListResponse, ListUserBooksRequest,
    ListUserBooksResponse, ListUsersRequest, ListUsersResponse, MergeUsersRequest,
    MergeUsersResponse, StoredEvent as StoredEventMessage,
};
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use recommender::{ItemNumber, Rating};
use storage::{EventId, EventOrigin, NewImpression, Store, StoreError, StoredEvent};
use tonic::{Request, Response, Status, Streaming};

use self::reading_list::Import;
use super::time::timestamp;
use super::v1::check_id;
use super::violations::Violations;
use super::{pages, status, user_book};
use crate::ingest::Ingest;
use crate::layers::Permit;
use crate::library::{self, Kinds};
use crate::reading_list::ReadingLists;
use crate::recommend::Recommender;
use crate::settings::LiveSettings;
use crate::users::{self, Export, Exported};

/// How many users, or books of one, an answer holds.
const PAGE: pages::Size = pages::Size { default: 20, max: 100 };

/// Keeps what is known of users.
pub(super) struct UserKeeper {
    recommender: Arc<Recommender>,
    ingest: Arc<Ingest>,
    settings: LiveSettings,
    reading_lists: ReadingLists,
}

impl UserKeeper {
    pub(super) fn new(
        recommender: Arc<Recommender>,
        ingest: Arc<Ingest>,
        settings: LiveSettings,
    ) -> Self {
        let reading_lists = ReadingLists::new(recommender.store().clone());
        Self { recommender, ingest, settings, reading_lists }
    }

    /// Has the next answer know that a user is gone.
    async fn take_up_removal(&self) {
        if let Err(error) = self.recommender.histories().take_up_removal().await {
            tracing::error!(%error, "cannot look at the store after a removal; it will count later");
        }
    }
}

#[tonic::async_trait]
impl UserService for UserKeeper {
    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        let request = request.into_inner();
        let mut violations = Violations::new();
        let size = pages::size(request.page_size, PAGE, &mut violations);
        let after = lists::after_user(&request.page_token, &mut violations);
        violations.check()?;
        let (generation, store) = (self.recommender.live().generation(), self.recommender.store());
        let events_max = self.settings.current().serve.history_events_max.get();
        let weights = self.recommender.weights();
        let found = library::summaries(store, &generation, weights, after, size, events_max).await;
        let (users, next) = found.map_err(|error| failed(&error))?;
        Ok(Response::new(ListUsersResponse {
            users: users.iter().map(|user| lists::summary(&generation, user)).collect(),
            next_page_token: next.map(lists::token_of_user).unwrap_or_default(),
        }))
    }

    async fn list_user_books(
        &self,
        request: Request<ListUserBooksRequest>,
    ) -> Result<Response<ListUserBooksResponse>, Status> {
        let request = request.into_inner();
        let mut violations = Violations::new();
        check_id("user_id", &request.user_id, &mut violations);
        let kinds = Kinds {
            any: lists::kinds("any_kinds", &request.any_kinds, &mut violations),
            none: lists::kinds("no_kinds", &request.no_kinds, &mut violations),
        };
        let size = pages::size(request.page_size, PAGE, &mut violations) as usize;
        let after = lists::after_book(&request.page_token, &mut violations);
        violations.check()?;
        let store = self.recommender.store();
        let page = library::page(store, &request.user_id, &kinds, after, size).await;
        let page = page.map_err(|error| failed(&error))?.ok_or_else(status::unknown_user)?;
        let items: Vec<ItemNumber> = page.books.iter().map(|book| book.item).collect();
        let ids = store.item_ids(&items).await.map_err(|error| failed(&error))?;
        let generation = self.recommender.live().generation();
        let books = page.books.iter().zip(ids);
        Ok(Response::new(ListUserBooksResponse {
            books: books.map(|(book, id)| user_book::to_message(&generation, book, id)).collect(),
            next_page_token: page.next.map(lists::token_of_book).unwrap_or_default(),
            // At most as many as events are looked at.
            total_count: page.total as i32,
        }))
    }

    type ImportReadingListStream =
        Pin<Box<dyn Stream<Item = Result<ImportReadingListResponse, Status>> + Send + 'static>>;

    async fn import_reading_list(
        &self,
        request: Request<Streaming<ImportReadingListRequest>>,
    ) -> Result<Response<Self::ImportReadingListStream>, Status> {
        let ingest = Arc::clone(&self.ingest);
        let stopping = async move { ingest.stopping().await }.boxed();
        let import = Import::new(self.reading_lists.clone(), request, stopping);
        let answers = stream::unfold(Some(import), |import| async move {
            let mut import = import?;
            match import.next().await {
                Ok(Some(answer)) => Some((Ok(answer), Some(import))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }

    type ExportUserStream =
        Pin<Box<dyn Stream<Item = Result<ExportUserResponse, Status>> + Send + 'static>>;

    async fn export_user(
        &self,
        request: Request<ExportUserRequest>,
    ) -> Result<Response<Self::ExportUserStream>, Status> {
        let permit = Permit::of(&request);
        let id = request.into_inner().user_id;
        check_user("user_id", &id)?;
        let store = self.recommender.store().clone();
        let export = Export::of(&store, &id).await.map_err(|error| failed(&error))?;
        let export = export.ok_or_else(status::unknown_user)?;
        let answers = stream::unfold(Some((export, store, id, permit)), |state| async move {
            let (mut export, store, id, permit) = state?;
            if let Err(status) = permit.check() {
                return Some((Err(status), None));
            }
            match next_answer(&mut export, &store, &id).await {
                Ok(Some(answer)) => Some((Ok(answer), Some((export, store, id, permit)))),
                Ok(None) => None,
                Err(error) => Some((Err(failed(&error)), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn delete_user(
        &self,
        request: Request<DeleteUserRequest>,
    ) -> Result<Response<DeleteUserResponse>, Status> {
        let id = request.into_inner().user_id;
        check_user("user_id", &id)?;
        let deleted = users::delete(self.recommender.store(), &id).await;
        let deleted = deleted.map_err(|error| failed(&error))?.ok_or_else(status::unknown_user)?;
        self.take_up_removal().await;
        tracing::info!(events = deleted, "user deleted");
        // A count of rows.
        Ok(Response::new(DeleteUserResponse { deleted_event_count: deleted as i64 }))
    }

    async fn merge_users(
        &self,
        request: Request<MergeUsersRequest>,
    ) -> Result<Response<MergeUsersResponse>, Status> {
        let MergeUsersRequest { source_user_id, target_user_id } = request.into_inner();
        let mut violations = Violations::new();
        check_id("source_user_id", &source_user_id, &mut violations);
        check_id("target_user_id", &target_user_id, &mut violations);
        let differ = source_user_id != target_user_id;
        violations.expect(differ, "target_user_id", "the source", "another user than the source");
        violations.check()?;
        let merged = users::merge(self.recommender.store(), &source_user_id, &target_user_id).await;
        let merge = merged.map_err(|error| failed(&error))?;
        let (merged, user_revision) = (merge.merged, merge.committed.events_revision);
        self.recommender.histories().take_up_merge(merge).await;
        tracing::info!(moved = merged.moved, repeated = merged.repeated, "users merged");
        Ok(Response::new(MergeUsersResponse {
            user_revision,
            // Counts of rows.
            moved_event_count: merged.moved as i64,
            repeated_event_count: merged.repeated as i64,
        }))
    }
}

/// The next part of an export that is not empty.
async fn next_answer(
    export: &mut Export,
    store: &Store,
    user_id: &str,
) -> Result<Option<ExportUserResponse>, StoreError> {
    while let Some(part) = export.next().await? {
        let answer = match part {
            // Sent even if there are none: it says that the shop knows the user.
            Exported::Merged(merged_user_ids) => {
                return Ok(Some(ExportUserResponse { merged_user_ids, events: Vec::new() }));
            }
            Exported::Events(events) => {
                let items: Vec<ItemNumber> = events.iter().map(|one| one.event.item).collect();
                let books = store.item_ids(&items).await?;
                let messages =
                    events.iter().zip(books).map(|(one, book)| event(user_id, one, book));
                messages.collect::<Vec<_>>()
            }
            Exported::Impressions(shown) => {
                let items: Vec<ItemNumber> = shown.iter().map(|one| one.item).collect();
                let books = store.item_ids(&items).await?;
                let messages =
                    shown.iter().zip(books).map(|(one, book)| impression(user_id, one, book));
                messages.collect()
            }
        };
        if !answer.is_empty() {
            return Ok(Some(ExportUserResponse { events: answer, merged_user_ids: Vec::new() }));
        }
    }
    Ok(None)
}

fn event(user_id: &str, stored: &StoredEvent, book: Option<String>) -> StoredEventMessage {
    let StoredEvent { event, retracted } = stored;
    let origin = match event.origin {
        EventOrigin::Client => Origin::Client,
        EventOrigin::Import => Origin::Import,
        EventOrigin::Simulated => Origin::Simulated,
    };
    StoredEventMessage {
        event: Some(Event {
            event_id: text_of(event.event_id),
            user_id: user_id.to_owned(),
            book_id: book.unwrap_or_default(),
            kind: event.kind.number().into(),
            rating: event.rating.map_or(0.0, Rating::stars),
            event_time: event.time_ms.map(timestamp),
            attribution_token: event.attribution_token.clone().unwrap_or_default(),
        }),
        record_time: Some(timestamp(event.recorded_ms)),
        origin: origin.into(),
        retracted: *retracted,
    }
}

fn impression(user_id: &str, shown: &NewImpression, book: Option<String>) -> StoredEventMessage {
    StoredEventMessage {
        event: Some(Event {
            event_id: text_of(shown.event_id),
            user_id: user_id.to_owned(),
            book_id: book.unwrap_or_default(),
            kind: EventKind::Impression.into(),
            rating: 0.0,
            event_time: Some(timestamp(shown.time_ms)),
            attribution_token: shown.attribution_token.clone().unwrap_or_default(),
        }),
        record_time: Some(timestamp(shown.recorded_ms)),
        origin: Origin::Client.into(),
        retracted: false,
    }
}

/// An event's id as text. Those of clients are; those that an import made of what a row says are
/// 16 bytes, which are written in hexadecimal digits.
fn text_of(id: EventId) -> String {
    let digits = || id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    user_book::text_of(id).unwrap_or_else(digits)
}

fn check_user(field: &str, id: &str) -> Result<(), Status> {
    let mut violations = Violations::new();
    check_id(field, id, &mut violations);
    Ok(violations.check()?)
}

/// The store refused or failed: the log says why, and the caller what to do.
fn failed(error: &StoreError) -> Status {
    match error {
        StoreError::MergedIntoThemselves { .. } | StoreError::MergedBefore { .. } => {
            status::merged_before()
        }
        error => {
            tracing::error!(%error, "what is known of users cannot be read or changed");
            status::store_unavailable()
        }
    }
}
