//! `foreword.v1.RecommendationService`.

pub(super) mod answer;
pub(super) mod page;
mod question;

use std::sync::Arc;

use api::v1::recommendation_service_server::RecommendationService;
use api::v1::{
    RecommendPageRequest, RecommendPageResponse, RecommendRequest, RecommendResponse,
    SimilarBooksRequest, SimilarBooksResponse, TrendingRequest, TrendingResponse,
};
use tonic::{Request, Response, Status};
use transport::Deadline;

use super::Bounds;
use super::violations::Violations;
use crate::recommend::{Fresh, Recommender};
use crate::settings::LiveSettings;

pub use answer::to_message;
pub(super) use question::{check_id, filter, reader, results_wanted};

/// Answers the clients of Foreword's own contract.
pub(super) struct V1 {
    recommender: Arc<Recommender>,
    settings: LiveSettings,
}

impl V1 {
    pub(super) fn new(recommender: Arc<Recommender>, settings: LiveSettings) -> Self {
        Self { recommender, settings }
    }
}

#[tonic::async_trait]
impl RecommendationService for V1 {
    async fn recommend(
        &self,
        request: Request<RecommendRequest>,
    ) -> Result<Response<RecommendResponse>, Status> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let request = request.into_inner();
        let bounds = Bounds::of(&self.settings);
        let mut violations = Violations::new();
        let fresh = Fresh { revision: request.user_revision, deadline };
        let history = &request.history;
        let reader = question::reader(request.user_id, fresh, history, &bounds, &mut violations);
        let filter =
            question::filter(request.filter, &request.shown_token, &bounds, &mut violations);
        let results = results_wanted(request.max_results, &bounds, &mut violations);
        violations.check()?;
        let answer = self.recommender.recommend(&reader, &filter, results).await;
        Ok(Response::new(to_message(&answer, &filter.filter)))
    }

    async fn similar_books(
        &self,
        request: Request<SimilarBooksRequest>,
    ) -> Result<Response<SimilarBooksResponse>, Status> {
        let request = request.into_inner();
        let bounds = Bounds::of(&self.settings);
        let mut violations = Violations::new();
        question::check_id("book_id", &request.book_id, &mut violations);
        let filter =
            question::filter(request.filter, &request.shown_token, &bounds, &mut violations);
        let results = results_wanted(request.max_results, &bounds, &mut violations);
        violations.check()?;
        let answer = self.recommender.similar(&request.book_id, &filter, results)?;
        let seed = answer.generation.index_of_id(&request.book_id);
        let books = answer::books(&answer, &filter.filter, seed);
        Ok(Response::new(SimilarBooksResponse {
            books,
            attribution_token: answer.attribution_token.clone(),
            model_version: answer::model_version(&answer),
            fallback: answer::fallback(&answer).into(),
            shown_token: answer.shown.token(),
        }))
    }

    async fn trending(
        &self,
        request: Request<TrendingRequest>,
    ) -> Result<Response<TrendingResponse>, Status> {
        let request = request.into_inner();
        let bounds = Bounds::of(&self.settings);
        let mut violations = Violations::new();
        let filter =
            question::filter(request.filter, &request.shown_token, &bounds, &mut violations);
        let results = results_wanted(request.max_results, &bounds, &mut violations);
        violations.check()?;
        let answer = self.recommender.trending(&filter, results);
        Ok(Response::new(TrendingResponse {
            books: answer::books(&answer, &filter.filter, None),
            attribution_token: answer.attribution_token.clone(),
            model_version: answer::model_version(&answer),
            fallback: answer::fallback(&answer).into(),
            shown_token: answer.shown.token(),
        }))
    }

    async fn recommend_page(
        &self,
        request: Request<RecommendPageRequest>,
    ) -> Result<Response<RecommendPageResponse>, Status> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let request = request.into_inner();
        let bounds = Bounds::of(&self.settings);
        let mut violations = Violations::new();
        let fresh = Fresh { revision: request.user_revision, deadline };
        let history = &request.history;
        let reader = question::reader(request.user_id, fresh, history, &bounds, &mut violations);
        let filter =
            question::filter(request.filter, &request.shown_token, &bounds, &mut violations);
        let wanted = page::wanted(request.shelves, &bounds, &mut violations);
        violations.check()?;
        let page = self.recommender.page(&reader, &filter, &wanted).await?;
        Ok(Response::new(page::to_message(&page, &filter.filter)))
    }
}
