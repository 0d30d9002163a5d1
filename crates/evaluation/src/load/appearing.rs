//! How soon a book appears among those that go with another: the wait of a shop that has just told
//! of its first readers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use api::v1::SimilarBooksRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;

use crate::load::run::LOOK_EVERY;
use crate::load::{ConnectError, LoadError, Plan, Target};

/// How long one question may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Asks for the books that go with `seed` until `book` is one of the first `results_max`. Blocks;
/// `None` if it was not after `patience`, or it was cancelled.
///
/// # Errors
///
/// [`LoadError`] if the service cannot be reached. An answer that fails is asked for again.
pub fn appears(
    target: &Target,
    (seed, book): (&str, &str),
    results_max: u32,
    patience: Duration,
    cancelled: &AtomicBool,
) -> Result<Option<Duration>, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LoadError::Threads)?;
    let plan = Plan::new(crate::load::Arrivals::Constant { per_second: 1.0 });
    let channel = runtime.block_on(target.connect(&plan))?.pop();
    let address = || target.address.clone();
    let refused = || ConnectError::Refused { address: address(), why: "no connection".to_owned() };
    let mut client = RecommendationServiceClient::new(channel.ok_or_else(refused)?);
    let began = Instant::now();
    runtime.block_on(async {
        while began.elapsed() < patience && !cancelled.load(Ordering::Relaxed) {
            let mut request = tonic::Request::new(SimilarBooksRequest {
                book_id: seed.to_owned(),
                max_results: i32::try_from(results_max).unwrap_or(i32::MAX),
                ..SimilarBooksRequest::default()
            });
            request.set_timeout(DEADLINE);
            let answer = client.similar_books(request).await.map(tonic::Response::into_inner);
            let books = answer.map(|answer| answer.books).unwrap_or_default();
            if books.iter().filter_map(|one| one.book.as_ref()).any(|one| one.id == book) {
                return Ok(Some(began.elapsed()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(None)
    })
}
