//! Every method that is served, and who may call it.
//!
//! Invariant: what is not in [`METHODS`] is refused, whoever calls. A test holds the table
//! against the contract's descriptor: a new method without a row fails it.

use crate::access::Role;

/// A method of the contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// Its path, such as `/foreword.v1.RecommendationService/Recommend`.
    pub path: &'static str,
    /// The role that may call it.
    pub role: Role,
    /// Whether it is one question and one answer.
    pub kind: MethodKind,
}

/// How a method's messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// One question, one answer: it gets a deadline if it comes without.
    Unary,
    /// Messages for as long as both sides want.
    Streaming,
}

use MethodKind::{Streaming, Unary};
use Role::{Admin, Reader, Writer};

/// Method → role.
pub const METHODS: &[Method] = &[
    method("/Recommendations/Recommend", Reader, Unary),
    method("/foreword.v1.RecommendationService/Recommend", Reader, Unary),
    method("/foreword.v1.RecommendationService/SimilarBooks", Reader, Unary),
    method("/foreword.v1.RecommendationService/Trending", Reader, Unary),
    method("/foreword.v1.RecommendationService/RecommendPage", Reader, Unary),
    method("/foreword.v1.CatalogService/GetBook", Reader, Unary),
    method("/foreword.v1.CatalogService/SearchBooks", Reader, Unary),
    method("/foreword.v1.CatalogService/ListBooks", Reader, Unary),
    method("/foreword.v1.CatalogService/ListCategories", Reader, Unary),
    method("/foreword.v1.CatalogService/UpsertBooks", Writer, Unary),
    method("/foreword.v1.CatalogService/UpdateOffers", Writer, Unary),
    method("/foreword.v1.CatalogService/AdjustStock", Writer, Unary),
    method("/foreword.v1.CatalogService/DeleteBook", Writer, Unary),
    method("/foreword.v1.CatalogService/ImportBooks", Writer, Streaming),
    method("/foreword.v1.EventService/RecordEvents", Writer, Unary),
    method("/foreword.v1.EventService/StreamEvents", Writer, Streaming),
    method("/foreword.v1.RuleService/ListRules", Admin, Unary),
    method("/foreword.v1.RuleService/PutRule", Admin, Unary),
    method("/foreword.v1.RuleService/DeleteRule", Admin, Unary),
    method("/foreword.v1.UserService/ListUsers", Admin, Unary),
    method("/foreword.v1.UserService/ListUserBooks", Writer, Unary),
    method("/foreword.v1.UserService/ImportReadingList", Writer, Streaming),
    method("/foreword.v1.UserService/ExportUser", Admin, Streaming),
    method("/foreword.v1.UserService/DeleteUser", Admin, Unary),
    method("/foreword.v1.UserService/MergeUsers", Writer, Unary),
    method("/foreword.v1.ModelService/ListModels", Admin, Unary),
    method("/foreword.v1.ModelService/GetModel", Admin, Unary),
    method("/foreword.v1.ModelService/Train", Admin, Streaming),
    method("/foreword.v1.ModelService/ActivateModel", Admin, Unary),
    method("/foreword.v1.ModelService/RollBackModel", Admin, Unary),
    method("/foreword.v1.InsightService/WatchMetrics", Admin, Streaming),
    method("/foreword.v1.InsightService/ListStalls", Admin, Unary),
    method("/foreword.v1.InsightService/ListReplicas", Admin, Unary),
    method("/foreword.v1.InsightService/ExplainRecommend", Admin, Unary),
    method("/foreword.v1.InsightService/GetAcceptance", Admin, Unary),
    method("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Reader, Streaming),
    method("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Reader, Streaming),
];

const fn method(path: &'static str, role: Role, kind: MethodKind) -> Method {
    Method { path, role, kind }
}

impl Method {
    /// The method at a path. Costs a comparison with a few paths.
    #[must_use]
    pub fn find(path: &str) -> Option<&'static Self> {
        METHODS.iter().find(|method| method.path == path)
    }

    /// Its fully qualified name, as metrics and traces have it:
    /// `foreword.v1.RecommendationService/Recommend`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        &self.path[1..]
    }
}
