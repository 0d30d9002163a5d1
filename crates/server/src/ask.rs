//! Asking for recommendations from the command line: the running server, else the store.

use std::net::SocketAddr;
use std::time::Duration;

use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{
    BookFilter, Fallback, Reason, ReasonCode, RecommendRequest, RecommendResponse, RecommendedBook,
};
use recommender::{EventKind, Filter, IdError, id};
use serde::Serialize;
use tonic::Code;
use tonic::transport::Endpoint;

use crate::data_folder::{DataFolder, NoShop};
use crate::grpc;
use crate::recommend::{self, Fresh, OpenError, Reader, Recommender};
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
    #[error("the server at {address} answered: {}", status.message())]
    Server {
        /// Where it is.
        address: SocketAddr,
        /// What it said.
        status: Box<tonic::Status>,
    },
    /// The data folder has no books.
    #[error(transparent)]
    NoShop(#[from] NoShop),
    /// The store cannot be read.
    #[error(transparent)]
    Data(#[from] OpenError),
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum AnsweredBy {
    /// A running server.
    Server {
        /// Where it is.
        address: SocketAddr,
    },
    /// Nobody: the store was read directly.
    Store,
}

/// An answer, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Shelf {
    /// The user's id.
    pub user: String,
    /// Who answered.
    pub answered: AnsweredBy,
    /// The model that answered.
    pub model_version: Option<String>,
    /// Why the books are not personal; `None` if they are.
    pub fallback: Option<ShelfFallback>,
    /// Best first.
    pub books: Vec<ShelfBook>,
}

/// Why an answer is not personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfFallback {
    /// Nothing is known of the reader.
    UnknownUser,
    /// The model can use nothing of their history.
    NoHistory,
    /// There is no model.
    NoModel,
    /// The store cannot be read.
    StoreUnavailable,
    /// A newer server has a reason that this program does not know.
    Other,
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
    /// The series.
    pub series: Option<String>,
    /// The place in the series.
    pub volume: Option<f64>,
    /// Comparable within one source only.
    pub score: f64,
    /// `personal`, `similar`, `popular`, `trending`, `unranked` or `pinned`.
    pub source: String,
    /// Whether simulated readers are behind it.
    pub simulated: bool,
    /// The strongest first.
    pub reasons: Vec<ShelfReason>,
}

/// A reason of a book.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ShelfReason {
    /// A book of the reader's history.
    History {
        /// Its id.
        book_id: String,
        /// Its title.
        book_title: String,
        /// What the reader did to it; `None` for what only a newer program knows.
        event_kind: Option<&'static str>,
        /// The stars the reader gave it.
        rating: Option<f64>,
        /// Its part of what speaks for the book, 0 to 1.
        share: f64,
    },
    /// It goes with a book.
    SimilarTo {
        /// That book's id.
        book_id: String,
        /// That book's title.
        book_title: String,
    },
    /// It is the volume of a series to read next.
    NextInSeries {
        /// The series.
        series: String,
        /// The id of the volume before.
        book_id: String,
        /// The title of the volume before.
        book_title: String,
    },
    /// It is by an author of whom the reader likes another book.
    ByAuthor {
        /// The author.
        author: String,
        /// That book's id.
        book_id: String,
        /// That book's title.
        book_title: String,
        /// What the reader did to it; `None` for what only a newer program knows.
        event_kind: Option<&'static str>,
        /// The stars the reader gave it.
        rating: Option<f64>,
    },
    /// It is popular in a category.
    PopularInCategory {
        /// The category.
        category: String,
    },
    /// It is popular.
    Popular,
    /// It is read more lately than it used to be.
    Trending,
    /// A newer server has a reason that this program does not know.
    Other,
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
    if let Some(shelf) = ask_servers(&data.serving().unwrap_or_default(), question).await? {
        return Ok(shelf);
    }
    let response = ask_store(data, settings, question).await?;
    Ok(shelf(&question.user, AnsweredBy::Store, response))
}

/// Asks the first of these servers that accepts a connection; `None` if none does, or if it wants
/// to know who asks: whoever can read its address here can read the store as well.
///
/// # Errors
///
/// [`AskError::Server`] if it refuses.
pub async fn ask_servers(
    addresses: &[SocketAddr],
    question: &Question,
) -> Result<Option<Shelf>, AskError> {
    for &address in addresses {
        match ask_server(address, question).await {
            None => {}
            Some(Ok(response)) => {
                let answered = AnsweredBy::Server { address };
                return Ok(Some(shelf(&question.user, answered, response)));
            }
            Some(Err(status)) if status.code() == Code::Unauthenticated => {
                tracing::info!(%address, "the server asks for credentials; reading the store");
                return Ok(None);
            }
            Some(Err(status)) => {
                return Err(AskError::Server { address, status: Box::new(status) });
            }
        }
    }
    Ok(None)
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
    data.check_shop(settings)?;
    let recommender = Recommender::open(data, settings).await?;
    if recommender.live().generation().book_count() == 0 {
        recommender.close().await;
        return Err(data.no_shop().into());
    }
    let filter = recommend::BookFilter {
        filter: Filter { any_categories: question.categories.clone(), ..Filter::default() },
        ..recommend::BookFilter::default()
    };
    let reader = Reader::User { id: question.user.clone(), fresh: Fresh::default() };
    let answer = recommender.recommend(&reader, &filter, question.results as usize).await;
    let response = grpc::to_message(&answer, &filter.filter);
    recommender.close().await;
    Ok(response)
}

fn shelf(user: &str, answered: AnsweredBy, response: RecommendResponse) -> Shelf {
    let fallback = match Fallback::try_from(response.fallback) {
        Ok(Fallback::Unspecified) => None,
        Ok(Fallback::UnknownUser) => Some(ShelfFallback::UnknownUser),
        Ok(Fallback::NoHistory) => Some(ShelfFallback::NoHistory),
        Ok(Fallback::NoModel) => Some(ShelfFallback::NoModel),
        Ok(Fallback::StoreUnavailable) => Some(ShelfFallback::StoreUnavailable),
        Ok(Fallback::NoNeighbours | Fallback::NoTrend) | Err(_) => Some(ShelfFallback::Other),
    };
    Shelf {
        user: user.to_owned(),
        answered,
        fallback,
        model_version: some_text(response.model_version),
        books: response.books.into_iter().map(shelf_book).collect(),
    }
}

fn shelf_book(recommended: RecommendedBook) -> ShelfBook {
    let book = recommended.book.unwrap_or_default();
    let source = recommended.source.unwrap_or_default();
    let kind = source.kind().as_str_name();
    ShelfBook {
        id: book.id,
        title: book.title,
        authors: book.authors,
        series: some_text(book.series),
        volume: book.volume,
        score: recommended.score,
        source: kind.strip_prefix("KIND_").unwrap_or(kind).to_ascii_lowercase(),
        simulated: source.simulated,
        reasons: recommended.reasons.into_iter().map(shelf_reason).collect(),
    }
}

fn shelf_reason(reason: Reason) -> ShelfReason {
    let kind = u8::try_from(reason.event_kind).ok().and_then(EventKind::from_number);
    let Reason { book_id, book_title, rating, share, category, series, author, .. } = reason;
    let (event_kind, rating) = (kind.map(EventKind::name), (rating > 0.0).then_some(rating));
    match ReasonCode::try_from(reason.code) {
        Ok(ReasonCode::History) => {
            ShelfReason::History { book_id, book_title, event_kind, rating, share }
        }
        Ok(ReasonCode::NextInSeries) => ShelfReason::NextInSeries { series, book_id, book_title },
        Ok(ReasonCode::ByAuthor) => {
            ShelfReason::ByAuthor { author, book_id, book_title, event_kind, rating }
        }
        Ok(ReasonCode::SimilarTo) => ShelfReason::SimilarTo { book_id, book_title },
        Ok(ReasonCode::PopularInCategory) => ShelfReason::PopularInCategory { category },
        Ok(ReasonCode::Popular) => ShelfReason::Popular,
        Ok(ReasonCode::Trending) => ShelfReason::Trending,
        Ok(ReasonCode::Unspecified) | Err(_) => ShelfReason::Other,
    }
}

fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
