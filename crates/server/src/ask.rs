//! Asking for recommendations from the command line: the running server, else the store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{
    BookFilter, EventKind, Fallback, Reason, ReasonCode, RecommendRequest, RecommendResponse,
    RecommendedBook,
};
use recommender::{Filter, IdError, id};
use serde::Serialize;
use storage::{ModelFolderError, StoreError};
use tonic::transport::Endpoint;

use crate::data_folder::DataFolder;
use crate::grpc;
use crate::live::{Live, RenewError};
use crate::recommend::{self, Reader, Recommender};
use crate::settings::Settings;

/// How long to wait for a server on this machine to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What to ask.
#[derive(Clone, Debug)]
pub struct Question {
    /// The user's id.
    pub user: String,
    /// Books must be in one of these categories; empty for all.
    pub categories: Vec<String>,
    /// How many books are wanted.
    pub results: u32,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The user's id cannot be one.
    #[error("bad user: {0}")]
    User(#[from] IdError),
    /// More results than allowed were asked for.
    #[error("asked for {found} books, expected 1 to {max}")]
    Results {
        /// How many.
        found: u32,
        /// The most there can be.
        max: u32,
    },
    /// The running server refused or failed.
    #[error("the server at {address} answered: {status}")]
    Server {
        /// Where it is.
        address: SocketAddr,
        /// What it said.
        status: Box<tonic::Status>,
    },
    /// The data folder has no store.
    #[error("{folder} holds no shop; `foreword demo` makes one, `foreword import` fills one")]
    NoStore {
        /// The folder.
        folder: String,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of models cannot be opened.
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    /// The store cannot be read.
    #[error(transparent)]
    Load(#[from] RenewError),
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// A running server.
    Server(SocketAddr),
    /// Nobody: the store was read directly.
    Store,
}

/// An answer, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Shelf {
    /// The user's id.
    pub user: String,
    /// Who answered.
    pub answered_by: AnsweredBy,
    /// The model that answered; empty without one.
    pub model_version: String,
    /// Why the books are popular ones; `None` if they are personal.
    pub fallback: Option<String>,
    /// Best first.
    pub books: Vec<ShelfBook>,
}

/// A book of an answer.
#[derive(Clone, Debug, Serialize)]
pub struct ShelfBook {
    /// The shop's id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The authors.
    pub authors: Vec<String>,
    /// The series, or empty.
    pub series: String,
    /// The place in the series.
    pub volume: Option<f64>,
    /// Comparable within one source only.
    pub score: f64,
    /// `personal`, `similar`, `popular` or `trending`.
    pub source: String,
    /// Whether simulated readers are behind it.
    pub simulated: bool,
    /// The strongest first.
    pub reasons: Vec<ShelfReason>,
}

/// A reason of a book.
#[derive(Clone, Debug, Serialize)]
pub struct ShelfReason {
    /// `history`, `popular_in_category`, `popular`, `trending` or `similar_to`.
    pub code: String,
    /// Title of the book that is the reason, or empty.
    pub book_title: String,
    /// What the reader did to it, such as `rating`, or empty.
    pub event_kind: String,
    /// The stars the reader gave it; 0 for none.
    pub rating: f64,
    /// Its part of what speaks for the book, 0 to 1.
    pub share: f64,
    /// The category, or empty.
    pub category: String,
}

/// Asks the running server of a data folder, else reads its store.
///
/// # Errors
///
/// [`AskError`] says what to do.
pub async fn ask(
    data: &DataFolder,
    settings: &Settings,
    question: &Question,
) -> Result<Shelf, AskError> {
    id::check_id(&question.user)?;
    let max = settings.serve.results_max.get();
    if question.results == 0 || question.results > max {
        return Err(AskError::Results { found: question.results, max });
    }
    for address in data.serving().unwrap_or_default() {
        if let Some(response) = ask_server(address, question).await {
            let response = response
                .map_err(|status| AskError::Server { address, status: Box::new(status) })?;
            return Ok(shelf(&question.user, AnsweredBy::Server(address), response));
        }
    }
    let response = ask_store(data, settings, question).await?;
    Ok(shelf(&question.user, AnsweredBy::Store, response))
}

/// The server's answer, or `None` if nobody accepts a connection there.
async fn ask_server(
    mut address: SocketAddr,
    question: &Question,
) -> Option<Result<RecommendResponse, tonic::Status>> {
    if address.ip().is_unspecified() {
        // A server of all addresses is also at this one; "[::]" takes IPv4 too.
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let endpoint = Endpoint::from_shared(format!("http://{address}")).ok()?;
    let endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT).timeout(ANSWER_TIMEOUT);
    let channel = endpoint.connect().await.ok()?;
    let request = RecommendRequest {
        user_id: question.user.clone(),
        filter: Some(BookFilter {
            any_categories: question.categories.clone(),
            ..BookFilter::default()
        }),
        // At most the server's limit, which is far below 2^31.
        max_results: i32::try_from(question.results).unwrap_or(i32::MAX),
        ..RecommendRequest::default()
    };
    let answer = RecommendationServiceClient::new(channel).recommend(request).await;
    Some(answer.map(tonic::Response::into_inner))
}

async fn ask_store(
    data: &DataFolder,
    settings: &Settings,
    question: &Question,
) -> Result<RecommendResponse, AskError> {
    if !data.path().join(storage::FILE_NAME).exists() {
        return Err(AskError::NoStore { folder: data.path().display().to_string() });
    }
    let store = data.store(settings).await?;
    let live = Arc::new(Live::load(store.clone(), data.models()?).await?);
    let history_max = settings.serve.history_events_max.get();
    let recommender = Recommender::new(live, store.clone(), settings.weights.engine(), history_max);
    let filter = recommend::BookFilter {
        filter: Filter { any_categories: question.categories.clone(), ..Filter::default() },
        excluded: Vec::new(),
    };
    let reader = Reader::User(question.user.clone());
    let answer = recommender.recommend(&reader, &filter, question.results as usize).await;
    let response = grpc::to_message(&answer, &filter.filter);
    drop(answer);
    store.close().await;
    Ok(response)
}

fn shelf(user: &str, answered_by: AnsweredBy, response: RecommendResponse) -> Shelf {
    let fallback = match response.fallback() {
        Fallback::Unspecified => None,
        fallback => Some(name(fallback.as_str_name(), "FALLBACK_")),
    };
    Shelf {
        user: user.to_owned(),
        answered_by,
        fallback,
        model_version: response.model_version,
        books: response.books.into_iter().map(shelf_book).collect(),
    }
}

fn shelf_book(recommended: RecommendedBook) -> ShelfBook {
    let book = recommended.book.unwrap_or_default();
    let source = recommended.source.unwrap_or_default();
    ShelfBook {
        id: book.id,
        title: book.title,
        authors: book.authors,
        series: book.series,
        volume: book.volume,
        score: recommended.score,
        source: name(source.kind().as_str_name(), "KIND_"),
        simulated: source.simulated,
        reasons: recommended.reasons.iter().map(shelf_reason).collect(),
    }
}

fn shelf_reason(reason: &Reason) -> ShelfReason {
    let event_kind = match reason.event_kind() {
        EventKind::Unspecified => String::new(),
        kind => name(kind.as_str_name(), "EVENT_KIND_"),
    };
    ShelfReason {
        code: name(ReasonCode::as_str_name(&reason.code()), "REASON_CODE_"),
        book_title: reason.book_title.clone(),
        event_kind,
        rating: reason.rating,
        share: reason.share,
        category: reason.category.clone(),
    }
}

/// `REASON_CODE_SIMILAR_TO` → `similar_to`.
fn name(constant: &str, prefix: &str) -> String {
    constant.strip_prefix(prefix).unwrap_or(constant).to_ascii_lowercase()
}
