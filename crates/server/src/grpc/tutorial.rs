//! The tutorial's contract, unchanged on the wire: `/Recommendations/Recommend`.

use std::sync::Arc;

use api::tutorial::recommendations_server::Recommendations;
use api::tutorial::{
    BookCategory, BookRecommendation, RecommendationRequest, RecommendationResponse,
};
use recommender::{Filter, UserNumber};
use tonic::{Request, Response, Status};
use transport::Deadline;

use super::Bounds;
use super::v1::results_wanted;
use super::violations::Violations;
use crate::recommend::{BookFilter, Recommender};
use crate::settings::{Categories, LiveSettings};

/// Answers the tutorial's clients.
pub(super) struct Tutorial {
    recommender: Arc<Recommender>,
    settings: LiveSettings,
    categories: Categories,
}

/// A number that is no category of the tutorial's contract.
#[derive(Debug, thiserror::Error)]
#[error("category: found {0}, expected 0 (MYSTERY), 1 (SCIENCE_FICTION) or 2 (SELF_HELP)")]
pub(super) struct UnknownCategory(i32);

impl Tutorial {
    pub(super) fn new(
        recommender: Arc<Recommender>,
        settings: LiveSettings,
        categories: &Categories,
    ) -> Self {
        Self { recommender, settings, categories: categories.clone() }
    }

    fn slugs(&self, category: i32) -> Result<&[String], UnknownCategory> {
        match BookCategory::try_from(category) {
            Ok(BookCategory::Mystery) => Ok(&self.categories.mystery),
            Ok(BookCategory::ScienceFiction) => Ok(&self.categories.science_fiction),
            Ok(BookCategory::SelfHelp) => Ok(&self.categories.self_help),
            Err(_) => Err(UnknownCategory(category)),
        }
    }
}

#[tonic::async_trait]
impl Recommendations for Tutorial {
    async fn recommend(
        &self,
        request: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let request = request.into_inner();
        let bounds = Bounds::of(&self.settings);
        let any_categories = self.slugs(request.category)?.to_vec();
        let mut violations = Violations::new();
        let results = results_wanted(request.max_results, &bounds, &mut violations);
        violations.check()?;
        // User 0 and numbers below are nobody's: popular books.
        let user = UserNumber(u32::try_from(request.user_id).unwrap_or(0));
        let filter = BookFilter {
            filter: Filter { any_categories, ..Filter::default() },
            ..BookFilter::default()
        };
        let answer = self.recommender.recommend_by_number(user, deadline, &filter, results).await;
        let books = answer.shelf.iter().filter_map(|ranked| answer.book(ranked));
        let recommendations = books
            .map(|book| BookRecommendation {
                // Numbers have 31 bits.
                id: book.number.0 as i32,
                title: book.title.clone(),
            })
            .collect();
        Ok(Response::new(RecommendationResponse { recommendations }))
    }
}
