//! What only the bookseller asks: figures, explanations, rules and models.

use std::time::Duration;

use api::v1::insight_service_client::InsightServiceClient;
use api::v1::model_service_client::ModelServiceClient;
use api::v1::rule_service_client::RuleServiceClient;
use api::v1::{
    Acceptance, ActivateModelRequest, DeleteRuleRequest, ExplainRecommendRequest,
    ExplainRecommendResponse, GetAcceptanceRequest, GetModelRequest, ListModelsRequest,
    ListReplicasRequest, ListRulesRequest, ListStallsRequest, Model, PutRuleRequest, Replica,
    RollBackModelRequest, Rule, Stall, TrainRequest, TrainResponse, WatchMetricsRequest,
    WatchMetricsResponse,
};
use prost_types::Timestamp;
use tonic::Streaming;
use transport::client::Channel;

use super::{Failure, Service};

/// How long a training may take.
pub(crate) const TRAINING_TIME: Duration = Duration::from_secs(60 * 60);

/// As many rules as the service keeps.
const RULES_MAX: i32 = 1000;

impl Service {
    /// Figures, every second, for as long as one call may last.
    pub(crate) async fn watch_metrics(
        &self,
        interval: Duration,
    ) -> Result<Streaming<WatchMetricsResponse>, Failure> {
        let interval = prost_types::Duration::try_from(interval).ok();
        let request = self.ask(WatchMetricsRequest { interval }, self.times.stream);
        self.answer(self.insight().watch_metrics(request).await)
    }

    /// The latest stalls, the latest first.
    pub(crate) async fn list_stalls(&self) -> Result<Vec<Stall>, Failure> {
        let request = self.ask(ListStallsRequest {}, self.times.act);
        Ok(self.answer(self.insight().list_stalls(request).await)?.stalls)
    }

    /// The servers that share the store, the one that answers first.
    pub(crate) async fn list_replicas(&self) -> Result<Vec<Replica>, Failure> {
        let request = self.ask(ListReplicasRequest {}, self.times.act);
        // A service that does not tell is not away.
        let answer = self.insight().list_replicas(request).await;
        let answer = answer.map_err(|status| Failure::from(&status))?;
        Ok(answer.into_inner().replicas)
    }

    pub(crate) async fn explain(
        &self,
        request: ExplainRecommendRequest,
    ) -> Result<ExplainRecommendResponse, Failure> {
        let request = self.ask(request, self.times.act);
        self.answer(self.insight().explain_recommend(request).await)
    }

    /// How what was shown since then was taken up, and when the first of it was shown.
    pub(crate) async fn acceptance(
        &self,
        start_time: Option<Timestamp>,
    ) -> Result<(Vec<Acceptance>, Option<Timestamp>), Failure> {
        let request = self.ask(GetAcceptanceRequest { start_time }, self.times.act);
        let answer = self.answer(self.insight().get_acceptance(request).await)?;
        Ok((answer.acceptances, answer.first_shown_time))
    }

    /// All rules.
    pub(crate) async fn list_rules(&self) -> Result<Vec<Rule>, Failure> {
        let request = ListRulesRequest { page_size: RULES_MAX, page_token: String::new() };
        let request = self.ask(request, self.times.act);
        Ok(self.answer(self.rules().list_rules(request).await)?.rules)
    }

    pub(crate) async fn put_rule(&self, rule: Rule) -> Result<(), Failure> {
        let request = self.ask(PutRuleRequest { rule: Some(rule) }, self.times.act);
        self.answer(self.rules().put_rule(request).await).map(drop)
    }

    pub(crate) async fn delete_rule(&self, rule_id: String) -> Result<(), Failure> {
        let request = self.ask(DeleteRuleRequest { rule_id }, self.times.act);
        self.answer(self.rules().delete_rule(request).await).map(drop)
    }

    /// The models that are kept, the latest first.
    pub(crate) async fn list_models(&self) -> Result<Vec<Model>, Failure> {
        let request = self.ask(ListModelsRequest {}, self.times.act);
        Ok(self.answer(self.models().list_models(request).await)?.models)
    }

    /// A model with its settings; the active one if no version is named.
    pub(crate) async fn get_model(&self, version: String) -> Result<Option<Model>, Failure> {
        let request = self.ask(GetModelRequest { version }, self.times.act);
        Ok(self.answer(self.models().get_model(request).await)?.model)
    }

    pub(crate) async fn activate_model(&self, version: String) -> Result<Option<Model>, Failure> {
        let request = self.ask(ActivateModelRequest { version }, self.times.act);
        Ok(self.answer(self.models().activate_model(request).await)?.model)
    }

    /// Goes back from a version to the one before it.
    pub(crate) async fn roll_back_model(&self, version: String) -> Result<Option<Model>, Failure> {
        let request = self.ask(RollBackModelRequest { version }, self.times.act);
        Ok(self.answer(self.models().roll_back_model(request).await)?.model)
    }

    /// Trains; to drop what is returned stops it.
    pub(crate) async fn train(&self) -> Result<Streaming<TrainResponse>, Failure> {
        let request = self.ask(TrainRequest {}, TRAINING_TIME);
        self.answer(self.models().train(request).await)
    }

    fn insight(&self) -> InsightServiceClient<Channel> {
        InsightServiceClient::new(self.channels.patient.clone())
    }

    fn rules(&self) -> RuleServiceClient<Channel> {
        RuleServiceClient::new(self.channels.patient.clone())
    }

    fn models(&self) -> ModelServiceClient<Channel> {
        ModelServiceClient::new(self.channels.patient.clone())
    }
}
