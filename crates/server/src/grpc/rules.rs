//! `foreword.v1.RuleService`.

mod message;

pub(super) use message::from_message;

use std::sync::Arc;

use api::v1::rule_service_server::RuleService;
use api::v1::{
    DeleteRuleRequest, DeleteRuleResponse, ListRulesRequest, ListRulesResponse, PutRuleRequest,
    PutRuleResponse,
};
use storage::{DeletedRule, RULES_MAX, StoreError};
use tonic::{Request, Response, Status};

use super::v1::check_id;
use super::violations::Violations;
use super::{pages, status};
use crate::recommend::Recommender;

/// How many rules one answer holds.
const PAGE: pages::Size = pages::Size { default: 100, max: RULES_MAX };

/// Keeps the rules for those who may.
pub(super) struct RuleKeeper {
    recommender: Arc<Recommender>,
}

impl RuleKeeper {
    pub(super) fn new(recommender: Arc<Recommender>) -> Self {
        Self { recommender }
    }
}

#[tonic::async_trait]
impl RuleService for RuleKeeper {
    async fn list_rules(
        &self,
        request: Request<ListRulesRequest>,
    ) -> Result<Response<ListRulesResponse>, Status> {
        let request = request.into_inner();
        let mut violations = Violations::new();
        let page_size = pages::size(request.page_size, PAGE, &mut violations);
        let after = pages::id(&request.page_token, &mut violations);
        violations.check()?;
        let live = self.recommender.live();
        // One more than wanted shows whether any follow.
        let found = live.rules_after(after.as_deref(), page_size + 1).await;
        let mut rules = found.map_err(|error| failed(&error))?;
        let has_more = rules.len() > page_size as usize;
        rules.truncate(page_size as usize);
        let last = rules.last().filter(|_| has_more);
        let next_page_token = last.map(|rule| pages::token_of_id(&rule.id)).unwrap_or_default();
        let generation = live.generation();
        let rules = rules.iter().map(|rule| message::to_message(rule, &generation)).collect();
        Ok(Response::new(ListRulesResponse { rules, next_page_token }))
    }

    async fn put_rule(
        &self,
        request: Request<PutRuleRequest>,
    ) -> Result<Response<PutRuleResponse>, Status> {
        let rule = message::from_message(request.into_inner().rule)?;
        let live = self.recommender.live();
        live.put_rule(&rule).await.map_err(|error| failed(&error))?;
        let rule = message::to_message(&rule, &live.generation());
        tracing::info!(rule = rule.rule_id, matches = rule.matches, "rule stored");
        Ok(Response::new(PutRuleResponse { rule: Some(rule) }))
    }

    async fn delete_rule(
        &self,
        request: Request<DeleteRuleRequest>,
    ) -> Result<Response<DeleteRuleResponse>, Status> {
        let rule_id = request.into_inner().rule_id;
        let mut violations = Violations::new();
        check_id("rule_id", &rule_id, &mut violations);
        violations.check()?;
        let deleted = self.recommender.live().delete_rule(&rule_id).await;
        match deleted.map_err(|error| failed(&error))? {
            DeletedRule::Unknown => Err(status::unknown_rule()),
            DeletedRule::Deleted => {
                tracing::info!(rule = rule_id, "rule deleted");
                Ok(Response::new(DeleteRuleResponse {}))
            }
        }
    }
}

/// The store refused or failed: the log says why, and the caller what to do.
fn failed(error: &StoreError) -> Status {
    match error {
        StoreError::TooManyRules { max } => status::too_many_rules(*max),
        error => {
            tracing::error!(%error, "the rules cannot be read or changed");
            status::store_unavailable()
        }
    }
}
