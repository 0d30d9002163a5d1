//! The recommendations service, as the shop asks it: each call with its deadline, each failure
//! sorted by what a page can do about it.

mod bookseller;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) use self::bookseller::TRAINING_TIME;
use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    AdjustStockRequest, AdjustStockResponse, DeleteUserRequest, EventEntry, EventResult,
    ExportUserRequest, ExportUserResponse, GetBookRequest, GetBookResponse,
    ImportReadingListRequest, ImportReadingListResponse, ListBooksRequest, ListBooksResponse,
    ListCategoriesRequest, ListCategoriesResponse, ListUserBooksRequest, ListUserBooksResponse,
    ListUsersRequest, ListUsersResponse, RecommendPageRequest, RecommendPageResponse,
    RecordEventsRequest, SearchBooksRequest, SearchBooksResponse,
};
use futures_util::Stream;
use tokio::time::timeout;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};
use transport::client::Channel;

/// The longest id that the service takes.
pub(crate) const ID_BYTES_MAX: usize = 64;

/// How long calls may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// What a page waits for.
    pub(crate) page: Duration,
    /// What a visitor does.
    pub(crate) act: Duration,
    /// Long streams: imports and exports.
    pub(crate) stream: Duration,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiting {
    /// A page.
    Page,
    /// Nobody, or somebody who knows that it takes a while.
    Patient,
}

/// The ways to the service. A connection that takes calls of a page is given up within the time that
/// a page waits, if nothing comes over it; that would be too soon for one with an import.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    pub(crate) page: Channel,
    pub(crate) patient: Channel,
}

/// Asks the service.
pub(crate) struct Service {
    channels: Channels,
    authorization: Option<MetadataValue<Ascii>>,
    times: Times,
    /// Whether the last call found the service away, so that it is logged once.
    is_away: AtomicBool,
    /// Whether a call was refused for want of a role or a key, so that it is logged once.
    is_refused: AtomicBool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no such book or user.
    #[error("not found")]
    NotFound,
    /// The service holds the request to be wrong: a visitor made it up.
    #[error("{0}")]
    Invalid(String),
    /// It cannot be done as things are, such as selling what is sold out.
    #[error("{0}")]
    Refused(String),
    /// The service is slow, away, or does not do what it is asked.
    #[error("the service is away: {0}")]
    Away(Code),
}

impl Times {
    fn of(&self, waiting: Waiting) -> Duration {
        match waiting {
            Waiting::Page => self.page,
            Waiting::Patient => self.act,
        }
    }
}

impl Channels {
    fn of(&self, waiting: Waiting) -> Channel {
        match waiting {
            Waiting::Page => self.page.clone(),
            Waiting::Patient => self.patient.clone(),
        }
    }
}

impl Service {
    pub(crate) fn new(
        channels: Channels,
        authorization: Option<MetadataValue<Ascii>>,
        times: Times,
    ) -> Self {
        Self {
            channels,
            authorization,
            times,
            is_away: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
        }
    }

    pub(crate) async fn recommend_page(
        &self,
        request: RecommendPageRequest,
    ) -> Result<RecommendPageResponse, Failure> {
        let mut client = RecommendationServiceClient::new(self.channels.page.clone());
        self.answer(client.recommend_page(self.ask(request, self.times.page)).await)
    }

    pub(crate) async fn get_book(
        &self,
        request: GetBookRequest,
    ) -> Result<GetBookResponse, Failure> {
        self.answer(self.catalog(Waiting::Page).get_book(self.ask(request, self.times.page)).await)
    }

    pub(crate) async fn search_books(
        &self,
        request: SearchBooksRequest,
    ) -> Result<SearchBooksResponse, Failure> {
        self.answer(
            self.catalog(Waiting::Page).search_books(self.ask(request, self.times.page)).await,
        )
    }

    pub(crate) async fn list_books(
        &self,
        request: ListBooksRequest,
        waiting: Waiting,
    ) -> Result<ListBooksResponse, Failure> {
        let request = self.ask(request, self.times.of(waiting));
        self.answer(self.catalog(waiting).list_books(request).await)
    }

    pub(crate) async fn list_categories(
        &self,
        waiting: Waiting,
    ) -> Result<ListCategoriesResponse, Failure> {
        let request = self.ask(ListCategoriesRequest::default(), self.times.of(waiting));
        self.answer(self.catalog(waiting).list_categories(request).await)
    }

    pub(crate) async fn adjust_stock(
        &self,
        request: AdjustStockRequest,
    ) -> Result<AdjustStockResponse, Failure> {
        self.answer(
            self.catalog(Waiting::Patient).adjust_stock(self.ask(request, self.times.act)).await,
        )
    }

    pub(crate) async fn record(
        &self,
        entries: Vec<EventEntry>,
    ) -> Result<Vec<EventResult>, Failure> {
        let mut client = EventServiceClient::new(self.channels.patient.clone());
        let request = self.ask(RecordEventsRequest { entries }, self.times.act);
        let answer = self.answer(client.record_events(request).await)?;
        Ok(answer.results)
    }

    pub(crate) async fn list_users(
        &self,
        request: ListUsersRequest,
    ) -> Result<ListUsersResponse, Failure> {
        self.answer(self.users(Waiting::Page).list_users(self.ask(request, self.times.page)).await)
    }

    pub(crate) async fn list_user_books(
        &self,
        request: ListUserBooksRequest,
    ) -> Result<ListUserBooksResponse, Failure> {
        self.answer(
            self.users(Waiting::Page).list_user_books(self.ask(request, self.times.page)).await,
        )
    }

    pub(crate) async fn export_user(
        &self,
        user_id: String,
    ) -> Result<Streaming<ExportUserResponse>, Failure> {
        let request = self.ask(ExportUserRequest { user_id }, self.times.stream);
        let mut users = self.users(Waiting::Patient);
        // The whole may take long, but not its beginning.
        let late = |_| Err(Status::deadline_exceeded("no answer has begun"));
        let begun = timeout(self.times.act, users.export_user(request)).await;
        self.answer(begun.unwrap_or_else(late))
    }

    /// Deletes a reader; returns how many events are gone.
    pub(crate) async fn delete_user(&self, user_id: String) -> Result<i64, Failure> {
        let request = self.ask(DeleteUserRequest { user_id }, self.times.act);
        let answer = self.answer(self.users(Waiting::Patient).delete_user(request).await)?;
        Ok(answer.deleted_event_count)
    }

    pub(crate) async fn import_reading_list(
        &self,
        pieces: impl Stream<Item = ImportReadingListRequest> + Send + 'static,
    ) -> Result<Streaming<ImportReadingListResponse>, Failure> {
        let request = self.ask(pieces, self.times.stream);
        self.answer(self.users(Waiting::Patient).import_reading_list(request).await)
    }

    fn catalog(&self, waiting: Waiting) -> CatalogServiceClient<Channel> {
        CatalogServiceClient::new(self.channels.of(waiting))
    }

    fn users(&self, waiting: Waiting) -> UserServiceClient<Channel> {
        UserServiceClient::new(self.channels.of(waiting))
    }

    fn ask<T>(&self, message: T, within: Duration) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(within);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        request
    }

    fn answer<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, Failure> {
        let answer = answer.map(Response::into_inner);
        let answer = answer.map_err(|status| (Failure::from(&status), status));
        match &answer {
            Err((Failure::Away(Code::PermissionDenied | Code::Unauthenticated), status)) => {
                if !self.is_refused.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        message = status.message(),
                        "Foreword refuses the shop's key: marketplace.api_key needs the roles reader and writer, and admin for some pages"
                    );
                }
            }
            Err((Failure::Away(_), status)) => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(code = ?status.code(), message = status.message(), "the recommendations service does not answer; pages come with what is remembered");
                }
            }
            _ => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the recommendations service answers again");
                }
            }
        }
        answer.map_err(|(failure, _)| failure)
    }
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        match status.code() {
            Code::NotFound => Self::NotFound,
            Code::InvalidArgument | Code::OutOfRange | Code::AlreadyExists => {
                Self::Invalid(status.message().to_owned())
            }
            Code::FailedPrecondition => Self::Refused(status.message().to_owned()),
            code => Self::Away(code),
        }
    }
}

/// Whether a text that somebody sent may be an id.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_foresaw_counts_as_away() {
        let failure = |code| Failure::from(&Status::new(code, "why"));
        assert!(matches!(failure(Code::NotFound), Failure::NotFound));
        assert!(matches!(failure(Code::InvalidArgument), Failure::Invalid(text) if text == "why"));
        assert!(matches!(failure(Code::FailedPrecondition), Failure::Refused(_)));
        // An id that was used for something else says nothing of the stock.
        assert!(matches!(failure(Code::AlreadyExists), Failure::Invalid(_)));
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Unimplemented, Code::Internal]
        {
            assert!(matches!(failure(code), Failure::Away(found) if found == code));
        }
    }
}
