//! `/console/try`: what a reader is recommended and why, and what rules would change, before they
//! count for anybody.

mod draft;
mod explained;

use api::v1::{
    BookFilter, DraftRules, ExplainRecommendRequest, ExplainRecommendResponse, ListUsersRequest,
    Rule,
};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use self::draft::{AddError, Change, Draft, RuleFields};
use self::explained::Explained;
use super::tabs;
use crate::done::Done;
use crate::frame::{self, Frame, Link};
use crate::language::{Words, fill};
use crate::links;
use crate::service::{Failure, Service};
use crate::shop::Shop;
use crate::visitor::{Asked, Posted, Visitor};

/// Books of an answer, unless another number is wanted, and the most.
const COUNT: i32 = 10;
const COUNT_MAX: i32 = 50;

/// Readers of one page.
const USERS: i32 = 24;

/// Categories or languages of a filter.
const FILTER_MAX: usize = 100;

/// The address of the page.
const HERE: &str = "/console/try";

/// What is asked about, as addresses and forms say it.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Query {
    #[serde(default)]
    user: String,
    #[serde(default)]
    count: String,
    #[serde(default)]
    any_categories: String,
    #[serde(default)]
    no_categories: String,
    #[serde(default)]
    languages: String,
    /// `yes` for what is sold out, too.
    #[serde(default)]
    sold_out: String,
    /// Asks for the next page of readers.
    #[serde(default)]
    after: String,
}

/// The fields of the form.
#[derive(Default, Deserialize)]
pub(super) struct Fields {
    #[serde(flatten)]
    query: Query,
    #[serde(default)]
    draft: String,
    #[serde(flatten)]
    rule: RuleFields,
    /// What the button asks for: `preview`, `add`, `drop 0`, `delete RULE`, `edit RULE`, `save`.
    #[serde(default)]
    r#do: String,
}

#[derive(Template)]
#[template(path = "try_it.html")]
struct Page {
    frame: Frame,
    tabs: Vec<(Link, bool)>,
    query: Query,
    count: i32,
    /// Readers to choose, and where there are more of them.
    users: Vec<Link>,
    next: Option<String>,
    /// What went wrong, to be said first.
    problem: Option<String>,
    explained: Option<Explained>,
    draft: String,
    changes: Vec<String>,
    rule: RuleFields,
    /// The choices of the form, by name and text.
    targets: Vec<(&'static str, String, bool)>,
    effects: Vec<(&'static str, String, bool)>,
    stored: Vec<Stored>,
}

/// A rule that counts.
struct Stored {
    id: String,
    text: String,
    matches: String,
}

/// `GET /console/try`.
pub(super) async fn page(visitor: Visitor, Asked(query): Asked<Query>) -> Response {
    show(visitor, Fields { query, ..Fields::default() }, Draft::default(), None).await
}

/// `POST /console/try`: changes the draft, or saves it.
pub(super) async fn change(posted: Posted<Fields>) -> Response {
    let Posted { mut visitor, mut fields, .. } = posted;
    let words = visitor.words();
    let mut draft = Draft::read(&fields.draft);
    let mut problem = None;
    let (what, about) = fields.r#do.split_once(' ').unwrap_or((&fields.r#do, ""));
    match what {
        "add" => match draft.add(&fields.rule) {
            Ok(()) => fields.rule = RuleFields::default(),
            Err(error) => problem = Some(told(&error, words)),
        },
        "delete" => {
            if let Err(error) = draft.change(Change::Delete { rule: about.to_owned() }) {
                problem = Some(told(&error, words));
            }
        }
        "drop" => draft.take_out(about.parse().unwrap_or(usize::MAX)),
        "edit" => {
            if let Ok(rules) = visitor.shop.service.list_rules().await
                && let Some(rule) = rules.iter().find(|rule| rule.rule_id == about)
            {
                fields.rule = RuleFields::of(rule);
            }
        }
        "save" => match save(&visitor.shop.service, &mut draft).await {
            Ok(count) => {
                visitor.session.done = Some(Done::RulesSaved { count });
                return visitor.see_other(&fields.query.address());
            }
            Err(failure) => {
                let why = match failure {
                    Failure::Invalid(problem) | Failure::Refused(problem) => problem,
                    Failure::NotFound | Failure::Away(_) => words.done.failed.clone(),
                };
                problem = Some(fill(&words.try_it.not_saved, &[("problem", &why)]));
            }
        },
        _ => {}
    }
    show(visitor, fields, draft, problem).await
}

fn told(error: &AddError, words: &Words) -> String {
    match error {
        AddError::Full => words.try_it.too_much.clone(),
        AddError::Malformed => words.try_it.bad_rule.clone(),
    }
}

/// Saves the changes in their order, and takes those that are saved out of the draft; returns how
/// many there were.
async fn save(service: &Service, draft: &mut Draft) -> Result<usize, Failure> {
    let stored = service.list_rules().await?;
    let mut count = 0;
    while let Some(change) = draft.first() {
        match change {
            Change::Put(rule) => {
                let before = stored.iter().find(|one| one.rule_id == rule.rule_id);
                service.put_rule(rule.over(before)).await?;
            }
            Change::Delete { rule } => match service.delete_rule(rule.clone()).await {
                Ok(()) | Err(Failure::NotFound) => {}
                Err(failure) => return Err(failure),
            },
        }
        draft.take_out(0);
        count += 1;
    }
    Ok(count)
}

/// The page, with what a draft would change.
async fn show(
    mut visitor: Visitor,
    fields: Fields,
    draft: Draft,
    problem: Option<String>,
) -> Response {
    let words = visitor.words();
    let texts = &words.try_it;
    let shop = visitor.shop.clone();
    let Fields { query, rule, .. } = fields;
    let (rules, (users, next, users_problem)) =
        tokio::join!(shop.service.list_rules(), users(&shop, &query, words));
    let mut problem = problem.or(users_problem);
    let stored = rules.unwrap_or_else(|_| {
        problem.get_or_insert_with(|| texts.rules_away.clone());
        Vec::new()
    });
    let mut explained = None;
    if !query.user.is_empty() {
        match explain(&shop.service, &query, &draft, &stored).await {
            Ok((before, after)) => {
                explained = Some(Explained::new(&before, after.as_ref(), query.count(), words));
            }
            Err(Failure::Invalid(why)) => {
                problem.get_or_insert(fill(&texts.invalid, &[("problem", &why)]));
            }
            Err(_) => {
                problem.get_or_insert_with(|| texts.away.clone());
            }
        }
    }
    let frame = Frame::of(&mut visitor, &texts.title);
    let page = Page {
        frame,
        tabs: tabs(words, HERE),
        count: query.count(),
        users,
        next,
        problem,
        explained,
        draft: draft.written(),
        changes: draft.told(words),
        targets: rule.targets(words),
        effects: rule.effects(words),
        rule,
        stored: stored.iter().map(|rule| Stored::new(rule, words)).collect(),
        query,
    };
    frame::show(visitor, StatusCode::OK, &page)
}

/// Readers to choose from, while none is chosen.
async fn users(
    shop: &Shop,
    query: &Query,
    words: &Words,
) -> (Vec<Link>, Option<String>, Option<String>) {
    if !query.user.is_empty() {
        return (Vec::new(), None, None);
    }
    let request = ListUsersRequest { page_size: USERS, page_token: query.after.clone() };
    let Ok(listed) = shop.service.list_users(request).await else {
        return (Vec::new(), None, Some(words.try_it.users_away.clone()));
    };
    let link = |user: &api::v1::UserSummary| {
        let books = words.books(user.book_count);
        let values = [("user", user.user_id.as_str()), ("books", &books)];
        Link {
            text: fill(&words.try_it.user_books, &values),
            href: links::with_query(HERE.to_owned(), &[("user", &user.user_id)]),
        }
    };
    let token = listed.next_page_token;
    let next = || links::with_query(HERE.to_owned(), &[("after", &token)]);
    (listed.users.iter().map(link).collect(), (!token.is_empty()).then(next), None)
}

/// The answer as it is, and as it would be with the draft and the filter, if there are any.
async fn explain(
    service: &Service,
    query: &Query,
    draft: &Draft,
    stored: &[Rule],
) -> Result<(ExplainRecommendResponse, Option<ExplainRecommendResponse>), Failure> {
    let draft_rules = (!draft.is_empty()).then(|| DraftRules { rules: draft.applied(stored) });
    let asked = ExplainRecommendRequest {
        user_id: query.user.clone(),
        filter: query.filter(),
        max_results: query.count(),
        draft_rules,
        ..ExplainRecommendRequest::default()
    };
    if asked.filter.is_none() {
        // One answer has both.
        let mut before = service.explain(asked).await?;
        let draft = before.draft.take();
        let after =
            draft.map(|draft| ExplainRecommendResponse { current: Some(draft), ..before.clone() });
        return Ok((before, after));
    }
    let as_it_is = ExplainRecommendRequest { filter: None, draft_rules: None, ..asked.clone() };
    let (before, after) = tokio::join!(service.explain(as_it_is), service.explain(asked));
    let mut after = after?;
    after.current = after.draft.take().or(after.current);
    Ok((before?, Some(after)))
}

impl Query {
    /// How many books are wanted.
    fn count(&self) -> i32 {
        self.count.parse().ok().filter(|count| (1..=COUNT_MAX).contains(count)).unwrap_or(COUNT)
    }

    /// The filter; `None` if it lets everything through.
    fn filter(&self) -> Option<BookFilter> {
        let list = |text: &str| -> Vec<String> {
            let parts = text.split([',', '，']).map(str::trim).filter(|part| !part.is_empty());
            parts.take(FILTER_MAX).map(str::to_owned).collect()
        };
        let filter = BookFilter {
            any_categories: list(&self.any_categories),
            no_categories: list(&self.no_categories),
            languages: list(&self.languages),
            include_sold_out: self.sold_out == "yes",
            ..BookFilter::default()
        };
        (filter != BookFilter::default()).then_some(filter)
    }

    /// The page that asks the same without a draft.
    fn address(&self) -> String {
        let query = [
            ("user", self.user.as_str()),
            ("count", &self.count),
            ("any_categories", &self.any_categories),
            ("no_categories", &self.no_categories),
            ("languages", &self.languages),
            ("sold_out", &self.sold_out),
        ];
        links::with_query(HERE.to_owned(), &query)
    }
}

impl Stored {
    fn new(rule: &Rule, words: &Words) -> Self {
        Self {
            id: rule.rule_id.clone(),
            text: RuleFields::of(rule).told(words),
            matches: words.books(rule.matches),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_held_to_bounds() {
        let count = |text: &str| Query { count: text.to_owned(), ..Query::default() }.count();
        assert_eq!(
            [count("5"), count("50"), count("51"), count("-1"), count("x")],
            [5, 50, 10, 10, 10]
        );
        assert_eq!(Query::default().filter(), None);
        let query = Query { languages: " en , zh，".to_owned(), ..Query::default() };
        assert_eq!(query.filter().unwrap().languages, ["en", "zh"]);
        assert_eq!(query.address(), "/console/try?languages=%20en%20%2C%20zh%EF%BC%8C");
    }
}
