//! What is asked: Foreword's own calls, with answers that are looked into.

use std::collections::HashSet;
use std::hash::Hash;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use api::tutorial::RecommendationRequest;
use api::tutorial::recommendations_client::RecommendationsClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{Fallback, RecommendRequest, RecommendedBook, SimilarBooksRequest, TrendingRequest};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::load::Outcome;

/// One of the service's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The tutorial's `/Recommendations/Recommend`, of one of its three categories.
    Tutorial,
    /// `Recommend` of `foreword.v1`, for a user.
    Recommend,
    /// `SimilarBooks` of `foreword.v1`.
    Similar,
    /// `Trending` of `foreword.v1`.
    Trending,
}

/// Which id a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// Any of them, evenly.
    Evenly,
    /// Each once before any comes again, scattered, and so many left out at the beginning: nobody
    /// knows yet what there is to know of them.
    EachOnce {
        /// How many.
        after: u64,
    },
}

/// Far apart, so that neighbours in a store are not asked for one after the other; a prime, so that
/// each comes once.
const STRIDE: u64 = 2_654_435_761;

/// Questions by their number: the same number is the same question.
#[derive(Debug)]
pub struct Questions {
    /// Which call.
    pub question: Question,
    /// Users, or books for [`Question::Similar`], by their decimal ids.
    pub ids: RangeInclusive<u32>,
    /// Which of them.
    pub draw: Draw,
    /// How many books are asked for; the tutorial's contract has no more than 2³¹ − 1.
    pub results_max: u32,
    /// Seed of the draw.
    pub seed: u64,
    /// Told to the server with each call.
    pub deadline: Duration,
    /// The token or API key that each call shows, made by [`bearer`].
    pub authorization: Option<AsciiMetadataValue>,
    /// Answers that the server itself called a fallback, such as popular books for a user
    /// that it does not know. They are good answers, but mostly cheaper ones.
    pub fallbacks: AtomicU64,
}

/// What calls show of a token or an API key; `None` if no header can hold it. Its `Debug` shows
/// nothing of it.
#[must_use]
pub fn bearer(token: &str) -> Option<AsciiMetadataValue> {
    let mut value: AsciiMetadataValue = format!("Bearer {token}").parse().ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Questions {
    /// Asks a question and looks into the answer: it is good if it has one book at least,
    /// none twice, and no more than were asked for.
    pub async fn ask(&self, channel: Channel, number: u64) -> Outcome {
        let answer = match self.question {
            Question::Tutorial => self.tutorial(channel, number).await,
            _ => self.v1(channel, number).await,
        };
        answer.unwrap_or_else(|status| Outcome::of(&status))
    }

    async fn tutorial(&self, channel: Channel, number: u64) -> Result<Outcome, Status> {
        let mut random = self.random(number);
        let request = RecommendationRequest {
            user_id: number_of(self.id(&mut random, number)),
            category: random.random_range(0..3),
            max_results: number_of(self.results_max),
        };
        let mut client = RecommendationsClient::new(channel);
        let answer = client.recommend(self.request(request)).await?.into_inner();
        Ok(self.judge(answer.recommendations.iter().map(|book| book.id), |id| *id != 0))
    }

    async fn v1(&self, channel: Channel, number: u64) -> Result<Outcome, Status> {
        let mut client = RecommendationServiceClient::new(channel);
        let id = self.id(&mut self.random(number), number).to_string();
        let max_results = number_of(self.results_max);
        let (books, fallback) = match self.question {
            Question::Similar => {
                let request =
                    SimilarBooksRequest { book_id: id, max_results, ..Default::default() };
                let answer = client.similar_books(self.request(request)).await?.into_inner();
                (answer.books, answer.fallback)
            }
            Question::Trending => {
                let request = TrendingRequest { max_results, ..Default::default() };
                let answer = client.trending(self.request(request)).await?.into_inner();
                (answer.books, answer.fallback)
            }
            Question::Recommend | Question::Tutorial => {
                let request =
                    RecommendRequest { user_id: id, max_results, ..RecommendRequest::default() };
                let answer = client.recommend(self.request(request)).await?.into_inner();
                (answer.books, answer.fallback)
            }
        };
        if fallback != i32::from(Fallback::Unspecified) {
            self.fallbacks.fetch_add(1, Ordering::Relaxed);
        }
        Ok(self.judge(books.iter().map(id_of), |id| !id.is_empty()))
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        request
    }

    fn id(&self, random: &mut ChaCha8Rng, number: u64) -> u32 {
        match self.draw {
            Draw::Evenly => random.random_range(self.ids.clone()),
            Draw::EachOnce { after } => {
                let (first, last) = (u64::from(*self.ids.start()), u64::from(*self.ids.end()));
                let count = last.saturating_sub(first) + 1;
                // Both factors have 32 bits.
                let place = ((after + number) % count) * STRIDE % count;
                (first + place) as u32
            }
        }
    }

    /// Of this question alone, so that questions need not be asked in their order.
    fn random(&self, number: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number);
        random
    }

    fn judge<I>(&self, ids: impl ExactSizeIterator<Item = I>, is_id: fn(&I) -> bool) -> Outcome
    where
        I: Hash + Eq + std::fmt::Display,
    {
        if ids.len() == 0 {
            return Outcome::WrongContent("no books".to_owned());
        }
        match content_fault(ids, self.results_max, is_id) {
            Some(fault) => Outcome::WrongContent(fault),
            None => Outcome::Good,
        }
    }
}

/// What is wrong with a list of books, apart from being empty.
pub(crate) fn content_fault<I>(
    ids: impl ExactSizeIterator<Item = I>,
    asked: u32,
    is_id: fn(&I) -> bool,
) -> Option<String>
where
    I: Hash + Eq + std::fmt::Display,
{
    let count = ids.len();
    if count > asked as usize {
        return Some(format!("{count} books, asked for {asked}"));
    }
    let mut seen = HashSet::with_capacity(count);
    for id in ids {
        if !is_id(&id) {
            return Some(format!("a book with the id {id:?}", id = id.to_string()));
        }
        if let Some(twice) = seen.replace(id) {
            return Some(format!("book {twice} twice"));
        }
    }
    None
}

fn id_of(book: &RecommendedBook) -> &str {
    book.book.as_ref().map_or("", |book| &book.id)
}

fn number_of(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_is_asked_for_once_before_any_comes_again() {
        let questions = |after| Questions {
            question: Question::Recommend,
            ids: 3..=1_002,
            draw: Draw::EachOnce { after },
            results_max: 10,
            seed: 7,
            deadline: Duration::from_secs(1),
            authorization: None,
            fallbacks: AtomicU64::new(0),
        };
        let ids = |after, numbers: std::ops::Range<u64>| {
            let questions = questions(after);
            let id = |number| questions.id(&mut questions.random(number), number);
            numbers.map(id).collect::<Vec<u32>>()
        };
        let mut all = ids(0, 0..1_000);
        assert_eq!(ids(600, 0..400), all[600..]);
        all.sort_unstable();
        assert_eq!(all, (3..=1_002).collect::<Vec<u32>>());
    }
}
