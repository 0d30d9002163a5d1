//! Asks a service for every user's list, each once, in an open loop.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::tutorial::recommendations_client::RecommendationsClient;
use api::tutorial::{BookCategory, RecommendationRequest};
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{BookFilter, Fallback, ListUsersRequest, RecommendRequest};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::compare::{Answer, Side};
use crate::load::{
    Arrivals, ConnectError, LoadError, Outcome, Plan, Report, Target, content_fault, run,
};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contract {
    /// `Recommend` of `foreword.v1`.
    V1 {
        /// Slugs: only books in any of them. Empty: all books.
        categories: Vec<String>,
    },
    /// The tutorial's `/Recommendations/Recommend`.
    Tutorial {
        /// Only books in it.
        category: BookCategory,
    },
}

/// No category of the tutorial's contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found the category {found:?}, expected one of {}", slugs().collect::<Vec<_>>().join(", "))]
pub struct CategoryError {
    /// What was asked for.
    pub found: String,
}

impl Contract {
    /// The tutorial's, for the books in the category with this slug; without one, for those in its
    /// first.
    ///
    /// # Errors
    ///
    /// [`CategoryError`] if it has no such category.
    pub fn tutorial(slug: Option<&str>) -> Result<Self, CategoryError> {
        let Some(slug) = slug else {
            return Ok(Self::Tutorial { category: BookCategory::default() });
        };
        let category = categories().zip(slugs()).find(|(_, known)| known == slug);
        let (category, _) = category.ok_or_else(|| CategoryError { found: slug.to_owned() })?;
        Ok(Self::Tutorial { category })
    }
}

/// The tutorial's, in the order of their numbers.
fn categories() -> impl Iterator<Item = BookCategory> {
    (0..).map_while(|number| BookCategory::try_from(number).ok())
}

/// How the shop's books have them.
fn slugs() -> impl Iterator<Item = String> {
    categories().map(|category| category.as_str_name().to_lowercase().replace('_', "-"))
}

/// A user whom the contract has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "user {0:?} cannot be asked for: in the tutorial's contract, ids are numbers up to 2147483647"
)]
pub struct ContractError(pub String);

/// Every user's question.
#[derive(Debug)]
pub struct Asking {
    contract: Contract,
    /// With the number that the tutorial's contract has for each.
    users: Vec<(String, i32)>,
    results_max: u32,
    deadline: Duration,
    authorization: Option<AsciiMetadataValue>,
    answers: Vec<OnceLock<Answer>>,
    /// How many requests are not counted.
    warm_up: usize,
}

impl Asking {
    /// Asks for `results_max` books for each user; a call may take as long as `deadline`.
    ///
    /// # Errors
    ///
    /// [`ContractError`] if a user's id is not of the contract.
    pub fn new(
        contract: Contract,
        users: &[String],
        results_max: u32,
        deadline: Duration,
        authorization: Option<AsciiMetadataValue>,
    ) -> Result<Self, ContractError> {
        let number = |user: &String| match contract {
            Contract::V1 { .. } => Ok((user.clone(), 0)),
            Contract::Tutorial { .. } => {
                let number = user.parse().ok().filter(|number| *number >= 0);
                let number = number.ok_or_else(|| ContractError(user.clone()))?;
                Ok((user.clone(), number))
            }
        };
        Ok(Self {
            users: users.iter().map(number).collect::<Result<_, _>>()?,
            answers: users.iter().map(|_| OnceLock::new()).collect(),
            contract,
            results_max,
            deadline,
            authorization,
            warm_up: 0,
        })
    }

    async fn one(&self, channel: Channel, number: u64) -> Outcome {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        // Whoever is asked for in the warm-up is asked for again.
        let counted = number.checked_sub(self.warm_up);
        let place = counted.unwrap_or(number % self.users.len());
        let Some((user, user_number)) = self.users.get(place) else { return Outcome::Good };
        let answer = match &self.contract {
            Contract::V1 { categories } => self.v1(channel, user, categories).await,
            Contract::Tutorial { category } => {
                self.tutorial(channel, *user_number, *category).await
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(status) => return Outcome::of(&status),
        };
        let ids = answer.books.iter().map(String::as_str);
        if let Some(fault) = content_fault(ids, self.results_max, |id| !id.is_empty()) {
            return Outcome::WrongContent(fault);
        }
        if counted.is_some() {
            // Each place is asked for once.
            let _ = self.answers[place].set(answer);
        }
        Outcome::Good
    }

    async fn v1(
        &self,
        channel: Channel,
        user: &str,
        categories: &[String],
    ) -> Result<Answer, Status> {
        let filter = BookFilter { any_categories: categories.to_vec(), ..BookFilter::default() };
        let question = RecommendRequest {
            user_id: user.to_owned(),
            filter: Some(filter),
            max_results: i32::try_from(self.results_max).unwrap_or(i32::MAX),
            ..RecommendRequest::default()
        };
        let mut client = RecommendationServiceClient::new(channel);
        let answer = client.recommend(self.request(question)).await?.into_inner();
        Ok(Answer {
            fallback: answer.fallback != i32::from(Fallback::Unspecified),
            books: answer
                .books
                .into_iter()
                .map(|found| found.book.map_or_else(String::new, |book| book.id))
                .collect(),
        })
    }

    async fn tutorial(
        &self,
        channel: Channel,
        user_id: i32,
        category: BookCategory,
    ) -> Result<Answer, Status> {
        let max_results = i32::try_from(self.results_max).unwrap_or(i32::MAX);
        let category = category.into();
        let question = RecommendationRequest { user_id, category, max_results };
        let mut client = RecommendationsClient::new(channel);
        let answer = client.recommend(self.request(question)).await?.into_inner();
        let books = answer.recommendations.iter().map(|book| book.id.to_string()).collect();
        Ok(Answer { books, fallback: false })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        authorized(message, self.deadline, self.authorization.as_ref())
    }
}

/// Asks a service for all users, `per_second` of them a second whether or not it keeps up, with at
/// most `in_flight` calls under way; for a second before, to warm up, for those that come first.
/// `watch` and `cancelled` as in [`run()`](run).
///
/// # Errors
///
/// [`LoadError`] if the service cannot be reached, or the plan cannot be run.
pub fn ask(
    mut asking: Asking,
    target: &Target,
    per_second: f64,
    in_flight: NonZeroUsize,
    watch: &dyn Fn(Duration),
    cancelled: &Arc<AtomicBool>,
) -> Result<Side, LoadError> {
    // A rate that is none is refused with the plan.
    asking.warm_up = (per_second.ceil() as usize).max(1);
    let seconds =
        |requests: f64| Duration::try_from_secs_f64(requests / per_second).unwrap_or(Duration::MAX);
    let plan = Plan {
        streams_per_connection: in_flight,
        // Request n is due after n/rate seconds: each window ends half a step before the next.
        warm_up: seconds(asking.warm_up as f64 - 0.5),
        duration: seconds(asking.users.len() as f64),
        deadline: asking.deadline,
        ..Plan::new(Arrivals::Constant { per_second })
    };
    let asking = Arc::new(asking);
    let asked = Arc::clone(&asking);
    let call = move |channel, number| {
        let asking = Arc::clone(&asked);
        async move { asking.one(channel, number).await }
    };
    let measured = run(&plan, target, call, watch, cancelled)?;
    Ok(Side {
        source: target.address.clone(),
        answers: asking.answers.iter().map(|answer| answer.get().cloned()).collect(),
        tells_fallbacks: matches!(asking.contract, Contract::V1 { .. }),
        load: Some(Report::from(&measured)),
    })
}

/// The ids of the first users of a service that speaks `foreword.v1`; `count` of them, or all.
///
/// # Errors
///
/// What the service answers; `UNAVAILABLE` if it cannot be reached.
pub async fn list_users(
    target: &Target,
    count: usize,
    deadline: Duration,
    authorization: Option<&AsciiMetadataValue>,
) -> Result<Vec<String>, Status> {
    let one = Plan::new(Arrivals::Closed { in_flight: NonZeroUsize::MIN });
    let refused = |error: ConnectError| Status::unavailable(error.to_string());
    let mut channels = target.connect(&one).await.map_err(refused)?;
    let mut client = UserServiceClient::new(channels.swap_remove(0));
    let (mut users, mut page_token) = (Vec::new(), String::new());
    loop {
        let page_size = i32::try_from(count - users.len()).unwrap_or(i32::MAX);
        let question = ListUsersRequest { page_size, page_token };
        let answer = client.list_users(authorized(question, deadline, authorization)).await?;
        let answer = answer.into_inner();
        users.extend(answer.users.into_iter().map(|user| user.user_id));
        page_token = answer.next_page_token;
        if users.len() >= count || page_token.is_empty() {
            users.truncate(count);
            return Ok(users);
        }
    }
}

fn authorized<T>(
    message: T,
    deadline: Duration,
    authorization: Option<&AsciiMetadataValue>,
) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    if let Some(authorization) = authorization {
        request.metadata_mut().insert("authorization", authorization.clone());
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_of_the_tutorial_are_named_by_their_slugs() {
        let category = |slug| match Contract::tutorial(slug) {
            Ok(Contract::Tutorial { category }) => Ok(category.into()),
            other => Err(other.unwrap_err().to_string()),
        };
        assert_eq!((category(None), category(Some("mystery"))), (Ok(0), Ok(0)));
        assert_eq!(
            (category(Some("science-fiction")), category(Some("self-help"))),
            (Ok(1), Ok(2))
        );
        let expected =
            "found the category \"poetry\", expected one of mystery, science-fiction, self-help";
        assert_eq!(category(Some("poetry")), Err::<i32, _>(expected.to_owned()));
    }
}
