//! `foreword.v1.CatalogService`.

mod lists;

use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::v1::catalog_service_server::CatalogService;
use api::v1::import_books_response::Refusal;
use api::v1::{
    AdjustStockRequest, AdjustStockResponse, Book as BookMessage, DeleteBookRequest,
    DeleteBookResponse, GetBookRequest, GetBookResponse, ImportBooksRequest, ImportBooksResponse,
    ListBooksRequest, ListBooksResponse, ListCategoriesRequest, ListCategoriesResponse,
    OfferUpdate, SearchBooksRequest, SearchBooksResponse, UpdateOffersRequest,
    UpdateOffersResponse, UpsertBooksRequest, UpsertBooksResponse,
};
use futures_util::{Stream, StreamExt as _, stream};
use recommender::ItemNumber;
use storage::{Book, PutBooks, StockOutcome, StoreError};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};
use transport::Deadline;

use super::v1::check_id;
use super::violations::Violations;
use super::{Bounds, book, pages, status, user_book};
use crate::access::{Identity, Role};
use crate::import::isbn;
use crate::layers::Permit;
use crate::library::{self, UserBook};
use crate::live::{Live, OfferChange};
use crate::recommend::{Recommender, UnknownBook};
use crate::related;
use crate::settings::LiveSettings;

/// The most books, or offers, of one request.
const BOOKS_MAX: usize = 1_000;

/// The longest query, in bytes.
const QUERY_BYTES_MAX: usize = 200;

/// How many books one answer to a search holds: unless the request says otherwise, at most, and
/// in all answers together.
const SEARCH_PAGE: pages::Size = pages::Size { default: 20, max: 100 };
const SEARCH_BOOKS_MAX: u32 = 1_000;

/// By how much stock may change at once.
const STOCK_CHANGES: RangeInclusive<i32> = -10_000..=10_000;

/// Keeps the shop's books.
pub(super) struct Catalog {
    recommender: Arc<Recommender>,
    settings: LiveSettings,
    /// Turns to list books.
    listing: Arc<Semaphore>,
}

impl Catalog {
    pub(super) fn new(recommender: Arc<Recommender>, settings: LiveSettings) -> Self {
        let listing = Arc::new(Semaphore::new(lists::PAGES_AT_ONCE));
        Self { recommender, settings, listing }
    }

    /// The book that a query is the ISBN of.
    fn book_by_isbn(&self, query: &str) -> Option<BookMessage> {
        let generation = self.live().generation();
        let index = generation.index_of_isbn(isbn::parse(query.trim())?)?;
        generation.book(index).map(book::to_message)
    }

    /// What a user did to a book, if anything; `None` if the store does not say so in time. A
    /// quarter of the time is left for the answer.
    async fn user_book(
        &self,
        user_id: &str,
        item: ItemNumber,
        deadline: Option<Deadline>,
    ) -> Option<Option<UserBook>> {
        let reading = library::book(self.recommender.store(), user_id, item);
        let left = deadline.map_or(Duration::MAX, |deadline| deadline.remaining() * 3 / 4);
        match tokio::time::timeout(left, reading).await {
            Ok(Ok(done)) => return Some(done),
            Ok(Err(error)) => {
                tracing::warn!(%error, "what a user did to a book cannot be read");
            }
            Err(_) => tracing::warn!("what a user did to a book is not read in time"),
        }
        None
    }

    fn live(&self) -> &Arc<Live> {
        self.recommender.live()
    }
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn get_book(
        &self,
        request: Request<GetBookRequest>,
    ) -> Result<Response<GetBookResponse>, Status> {
        let may_know_users = may_know_users(&request);
        let deadline = request.extensions().get::<Deadline>().copied();
        let GetBookRequest { book_id, include_related, user_id } = request.into_inner();
        if !user_id.is_empty() && !may_know_users {
            return Err(status::role_missing(Role::Writer));
        }
        let mut violations = Violations::new();
        check_id("book_id", &book_id, &mut violations);
        if !user_id.is_empty() {
            check_id("user_id", &user_id, &mut violations);
        }
        violations.check()?;
        let generation = self.live().generation();
        let index = generation.index_of_id(&book_id).ok_or(UnknownBook)?;
        let mut answer = GetBookResponse {
            book: generation.book(index).map(book::to_message),
            ..GetBookResponse::default()
        };
        if let Some(book) = generation.book(index).filter(|_| !user_id.is_empty()) {
            match self.user_book(&user_id, book.number, deadline).await {
                Some(done) => {
                    let message = |done| user_book::to_message(&generation, &done, None);
                    answer.user_book = done.map(message);
                }
                None => answer.stale = true,
            }
        }
        if include_related {
            answer.editions = lists::messages(&generation, &related::editions(&generation, index));
            answer.series_books =
                lists::messages(&generation, &related::series_books(&generation, index));
        }
        Ok(Response::new(answer))
    }

    async fn search_books(
        &self,
        request: Request<SearchBooksRequest>,
    ) -> Result<Response<SearchBooksResponse>, Status> {
        let request = request.into_inner();
        let mut violations = Violations::new();
        check_query(&request.query, &mut violations);
        let size = pages::size(request.page_size, SEARCH_PAGE, &mut violations);
        let offset = pages::offset(&request.page_token, SEARCH_BOOKS_MAX, &mut violations);
        violations.check()?;
        if let Some(book) = self.book_by_isbn(&request.query) {
            let books = vec![book];
            return Ok(Response::new(SearchBooksResponse { books, ..Default::default() }));
        }
        let size = size.min(SEARCH_BOOKS_MAX - offset);
        // One more than wanted shows whether any follow.
        let found = self.live().search_books(&request.query, offset, size + 1).await;
        let mut books = found.map_err(|error| failed(&error))?;
        let has_more = books.len() > size as usize;
        books.truncate(size as usize);
        let next = offset + size;
        let follows = has_more && next < SEARCH_BOOKS_MAX;
        Ok(Response::new(SearchBooksResponse {
            books: books.iter().map(book::to_message).collect(),
            next_page_token: if follows { pages::token_of_offset(next) } else { String::new() },
        }))
    }

    async fn upsert_books(
        &self,
        request: Request<UpsertBooksRequest>,
    ) -> Result<Response<UpsertBooksResponse>, Status> {
        let messages = request.into_inner().books;
        let mut violations = Violations::new();
        let books = if check_count("books", messages.len(), &mut violations) {
            let read = |(place, message)| {
                book::from_message(&format!("books[{place}]"), message, &mut violations)
            };
            messages.into_iter().enumerate().map(read).collect()
        } else {
            Vec::new()
        };
        violations.check()?;
        let stored = self.live().store_books(books).await;
        let (put, numbers) = stored.map_err(|error| failed(&error))?;
        self.live().serve_stored_books().await;
        tracing::info!(created = put.stored, changed = put.changed, "books stored");
        Ok(Response::new(UpsertBooksResponse {
            // At most as many as there were in the request.
            created_count: put.stored as i32,
            changed_count: put.changed as i32,
            unchanged_count: put.unchanged as i32,
            // Numbers have 31 bits.
            numbers: numbers.iter().map(|number: &ItemNumber| number.0 as i32).collect(),
        }))
    }

    async fn update_offers(
        &self,
        request: Request<UpdateOffersRequest>,
    ) -> Result<Response<UpdateOffersResponse>, Status> {
        let messages = request.into_inner().offers;
        let mut violations = Violations::new();
        let offers: Vec<OfferChange> = if check_count("offers", messages.len(), &mut violations) {
            let read = |(place, message)| offer(place, message, &mut violations);
            messages.into_iter().enumerate().map(read).collect()
        } else {
            Vec::new()
        };
        violations.check()?;
        let put = self.live().put_offers(&offers).await.map_err(|error| failed(&error))?;
        Ok(Response::new(UpdateOffersResponse { unknown_book_ids: put.unknown }))
    }

    async fn list_books(
        &self,
        request: Request<ListBooksRequest>,
    ) -> Result<Response<ListBooksResponse>, Status> {
        let (bounds, request) = (Bounds::of(&self.settings), request.into_inner());
        let page = lists::books(self.live(), request, &bounds, &self.listing).await?;
        Ok(Response::new(page))
    }

    async fn list_categories(
        &self,
        request: Request<ListCategoriesRequest>,
    ) -> Result<Response<ListCategoriesResponse>, Status> {
        let generation = self.live().generation();
        Ok(Response::new(lists::categories(&generation, request.get_ref())?))
    }

    async fn adjust_stock(
        &self,
        request: Request<AdjustStockRequest>,
    ) -> Result<Response<AdjustStockResponse>, Status> {
        let AdjustStockRequest { request_id, book_id, change } = request.into_inner();
        let mut violations = Violations::new();
        check_id("request_id", &request_id, &mut violations);
        check_id("book_id", &book_id, &mut violations);
        let fits = change != 0 && STOCK_CHANGES.contains(&change);
        violations.expect(fits, "change", change, "-10000 to 10000, and not 0");
        violations.check()?;
        let adjusted = self.live().adjust_stock(&request_id, &book_id, change).await;
        let (stock, applied_before) = match adjusted.map_err(|error| failed(&error))? {
            StockOutcome::Changed(stock) => (Some(stock), false),
            StockOutcome::Repeated(stock) => (stock, true),
            StockOutcome::NotCounted => (None, false),
            StockOutcome::SoldOut(stock) => return Err(status::sold_out(stock)),
            StockOutcome::Conflicting => return Err(status::request_conflicting()),
            StockOutcome::UnknownBook => return Err(UnknownBook.into()),
        };
        Ok(Response::new(AdjustStockResponse { stock, applied_before }))
    }

    async fn delete_book(
        &self,
        request: Request<DeleteBookRequest>,
    ) -> Result<Response<DeleteBookResponse>, Status> {
        let id = request.into_inner().book_id;
        check_book_id(&id)?;
        let deleted = self.live().delete_book(&id).await;
        if !deleted.map_err(|error| failed(&error))? {
            return Err(UnknownBook.into());
        }
        tracing::info!(book = id, "book deleted");
        Ok(Response::new(DeleteBookResponse {}))
    }

    type ImportBooksStream =
        Pin<Box<dyn Stream<Item = Result<ImportBooksResponse, Status>> + Send + 'static>>;

    async fn import_books(
        &self,
        request: Request<Streaming<ImportBooksRequest>>,
    ) -> Result<Response<Self::ImportBooksStream>, Status> {
        let permit = Permit::of(&request);
        let import = Import { live: Arc::clone(self.live()), permit, done: PutBooks::default() };
        let answers = stream::unfold(Some((request.into_inner(), import)), |state| async move {
            let (mut requests, mut import) = state?;
            match import.next(&mut requests).await {
                Ok(Some(answer)) => Some((Ok(answer), Some((requests, import)))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}

/// A stream of books on its way into the store.
struct Import {
    live: Arc<Live>,
    permit: Permit,
    done: PutBooks,
}

impl Import {
    /// Stores the books of the next request, as long as the client may; at the end, serves all of
    /// them.
    async fn next(
        &mut self,
        requests: &mut Streaming<ImportBooksRequest>,
    ) -> Result<Option<ImportBooksResponse>, Status> {
        let request = tokio::select! {
            biased;
            status = self.permit.ended() => return Err(status),
            request = requests.message() => request?,
        };
        let Some(request) = request else {
            self.live.serve_stored_books().await;
            let PutBooks { stored, changed, unchanged } = self.done;
            tracing::info!(created = stored, changed, unchanged, "books imported");
            return Ok(None);
        };
        let mut violations = Violations::new();
        check_count("books", request.books.len(), &mut violations);
        violations.check()?;
        let (books, refusals) = valid_books(request.books);
        let (put, _) = self.live.store_books(books).await.map_err(|error| failed(&error))?;
        self.done.stored += put.stored;
        self.done.changed += put.changed;
        self.done.unchanged += put.unchanged;
        // Counts of books; there are fewer than 2³¹.
        Ok(Some(ImportBooksResponse {
            created_count: self.done.stored as i64,
            changed_count: self.done.changed as i64,
            unchanged_count: self.done.unchanged as i64,
            refusals,
        }))
    }
}

/// The books that are valid, and why the others are not.
fn valid_books(messages: Vec<BookMessage>) -> (Vec<Book>, Vec<Refusal>) {
    let (mut books, mut refusals) = (Vec::new(), Vec::new());
    for (index, message) in (0..).zip(messages) {
        let mut violations = Violations::new();
        let book = book::from_message("book", message, &mut violations);
        match violations.check() {
            Ok(()) => books.push(book),
            Err(invalid) => refusals.extend(invalid.fields.into_iter().map(|one| Refusal {
                index,
                field: one.field.trim_start_matches("book.").to_owned(),
                description: one.description,
            })),
        }
    }
    (books, refusals)
}

fn offer(place: usize, message: OfferUpdate, found: &mut Violations) -> OfferChange {
    let field = |name: &str| format!("offers[{place}].{name}");
    check_id(&field("book_id"), &message.book_id, found);
    let price = message.price.and_then(|price| book::price(&field("price"), &price, found));
    OfferChange { book: message.book_id, stock: message.stock, price }
}

fn check_count(field: &str, count: usize, found: &mut Violations) -> bool {
    let fits = (1..=BOOKS_MAX).contains(&count);
    found.expect(fits, field, format_args!("{count} entries"), "1 to 1000");
    fits
}

fn check_query(query: &str, found: &mut Violations) {
    let fits = (1..=QUERY_BYTES_MAX).contains(&query.len());
    found.expect(fits, "query", format_args!("{} bytes", query.len()), "1 to 200 bytes");
}

fn check_book_id(id: &str) -> Result<(), Status> {
    let mut violations = Violations::new();
    check_id("book_id", id, &mut violations);
    Ok(violations.check()?)
}

/// The store refused or failed: the log says why, and the caller what to do.
fn failed(error: &StoreError) -> Status {
    tracing::error!(%error, "the books cannot be read or changed");
    status::store_unavailable()
}

/// Whether the caller may know what users did: who may tell it may.
fn may_know_users<T>(request: &Request<T>) -> bool {
    let identity = request.extensions().get::<Identity>();
    identity.is_some_and(|identity| identity.roles.contains(Role::Writer))
}
