//! `ExplainRecommend`: rules to try from their messages, and what comes of them as one.

use std::collections::{BTreeSet, HashSet};

use api::v1::rerank_note::Cause;
use api::v1::rerank_step::Kind;
use api::v1::{
    Candidate as CandidateMessage, DraftRules, ExplainRecommendResponse,
    Explanation as ExplanationMessage, HistoryWeight, RerankNote, RerankStep, ScorePart,
};
use recommender::shelf::{Note, Step, TracedStep, Why};
use recommender::{Filter, Rating};
use storage::{Book, RULES_MAX, Rule};

use crate::generation::Generation;
use crate::grpc::v1::answer;
use crate::grpc::violations::{Invalid, Violations};
use crate::grpc::{book, rules};
use crate::recommend::{Candidate, Explained, Explanation, Weighed};

/// How many notes of a step are told.
const NOTES_MAX: usize = 300;

/// The rules that are to be tried, or what is wrong with the first that is not valid.
pub(super) fn draft(message: DraftRules) -> Result<Vec<Rule>, Invalid> {
    let mut violations = Violations::new();
    let (count, most) = (message.rules.len(), RULES_MAX as usize);
    let expected = format!("at most {most}");
    let what = format_args!("{count} rules");
    violations.expect(count <= most, "draft_rules.rules", what, &expected);
    violations.check()?;
    let mut ids = HashSet::new();
    let mut draft = Vec::with_capacity(count);
    for (place, message) in message.rules.into_iter().enumerate() {
        let at = format!("draft_rules.rules[{place}].");
        let renamed = |name: &str| format!("{at}{}", name.trim_start_matches("rule."));
        let rule = rules::from_message(Some(message)).map_err(|mut invalid| {
            invalid.fields.iter_mut().for_each(|field| field.field = renamed(&field.field));
            invalid.message = renamed(&invalid.message);
            invalid
        })?;
        if !ids.insert(rule.id.clone()) {
            let mut violations = Violations::new();
            violations.add(&renamed("rule_id"), format_args!("{:?} again", rule.id), "another id");
            violations.check()?;
        }
        draft.push(rule);
    }
    Ok(draft)
}

/// What comes of it, as the contract has it.
pub(super) fn to_message(explained: &Explained, filter: &Filter) -> ExplainRecommendResponse {
    let answer = &explained.current.answer;
    let told = Told { generation: &answer.generation };
    let history: Vec<HistoryWeight> =
        explained.history.iter().map(|weighed| told.weight(weighed)).collect();
    let current = told.explanation(&explained.current, filter);
    let draft = explained.draft.as_ref().map(|draft| told.explanation(draft, filter));
    let named = history.iter().map(|weight| weight.book_id.as_str());
    let named: BTreeSet<&str> = named
        .chain(std::iter::once(&current).chain(&draft).flat_map(ids))
        .filter(|id| !id.is_empty())
        .collect();
    let known = |id: &str| told.generation.book(told.generation.index_of_id(id)?);
    let books = named.into_iter().filter_map(known).map(book::to_message).collect();
    ExplainRecommendResponse {
        books,
        history,
        current: Some(current),
        draft,
        model_version: answer::model_version(answer),
        fallback: answer::fallback(answer).into(),
        user_revision: answer.user_revision,
        stale: answer.is_stale,
    }
}

/// The ids of all books that an explanation names, but for those of its shelf, which are there.
fn ids(explanation: &ExplanationMessage) -> impl Iterator<Item = &str> {
    let candidates = explanation.candidates.iter().flat_map(|candidate| {
        let parts = candidate.parts.iter().map(|part| part.book_id.as_str());
        parts.chain([candidate.book_id.as_str()])
    });
    let steps = explanation.steps.iter().flat_map(|step| {
        let notes = step.notes.iter();
        let notes = notes.flat_map(|note| [note.book_id.as_str(), note.other_book_id.as_str()]);
        notes.chain(step.book_ids.iter().map(String::as_str))
    });
    candidates.chain(steps)
}

/// Names things as one generation does.
struct Told<'a> {
    generation: &'a Generation,
}

impl Told<'_> {
    fn book(&self, index: u32) -> Option<&Book> {
        self.generation.book(index)
    }

    fn id(&self, index: u32) -> String {
        self.book(index).map(|book| book.id.clone()).unwrap_or_default()
    }

    fn weight(&self, weighed: &Weighed) -> HistoryWeight {
        let evidence = &weighed.evidence;
        let index = self.generation.index_of(evidence.item);
        HistoryWeight {
            book_id: index.map(|index| self.id(index)).unwrap_or_default(),
            event_kind: evidence.kind.number().into(),
            rating: evidence.rating.map_or(0.0, Rating::stars),
            weight: evidence.weight.into(),
            in_model: weighed.in_model,
        }
    }

    fn explanation(&self, explained: &Explanation, filter: &Filter) -> ExplanationMessage {
        let candidates = explained.candidates.iter();
        ExplanationMessage {
            candidates: candidates.map(|candidate| self.candidate(candidate)).collect(),
            steps: explained.trace.steps.iter().map(|step| self.step(step)).collect(),
            shelf: answer::books(&explained.answer, filter, None),
        }
    }

    fn candidate(&self, candidate: &Candidate) -> CandidateMessage {
        let part = |(index, part): &(u32, f32)| ScorePart {
            book_id: self.id(*index),
            contribution: (*part).into(),
        };
        CandidateMessage {
            book_id: self.id(candidate.item),
            score: candidate.score.into(),
            parts: candidate.parts.iter().map(part).collect(),
        }
    }

    fn step(&self, step: &TracedStep) -> RerankStep {
        let kind = match step.step {
            Step::Candidates => Kind::Candidates,
            Step::Rotation => Kind::Rotation,
            Step::Series => Kind::Series,
            Step::Disliked => Kind::Disliked,
            Step::Diversity => Kind::Diversity,
            Step::Authors => Kind::Authors,
            Step::Rules => Kind::Rules,
            Step::Impressions => Kind::Impressions,
            Step::Pins => Kind::Pins,
        };
        RerankStep {
            kind: kind.into(),
            book_ids: step.order.iter().map(|index| self.id(*index)).collect(),
            notes: step.notes.iter().take(NOTES_MAX).map(|note| self.note(note)).collect(),
        }
    }

    fn note(&self, note: &Note) -> RerankNote {
        let of = |cause: Cause| RerankNote {
            book_id: self.id(note.item),
            cause: cause.into(),
            ..RerankNote::default()
        };
        let other = |cause, index: u32| RerankNote { other_book_id: self.id(index), ..of(cause) };
        let number = |cause, number: f64| RerankNote { number, ..of(cause) };
        match note.why {
            Why::NotNext { next: Some(next) } => other(Cause::NotNext, next),
            Why::NotNext { next: None } => of(Cause::NotNext),
            Why::InPlaceOf { sibling } => other(Cause::InPlaceOf, sibling),
            Why::SeriesTaken => of(Cause::SeriesTaken),
            Why::DislikedSeries(_) => {
                let series = self.book(note.item).and_then(|book| book.series.clone());
                RerankNote { name: series.unwrap_or_default(), ..of(Cause::DislikedSeries) }
            }
            Why::DislikedAuthor(author) => {
                self.about_author(of(Cause::DislikedAuthor), note, author)
            }
            Why::Like { other: index } => other(Cause::Like, index),
            Why::AuthorCap(author) => self.about_author(of(Cause::AuthorCap), note, author),
            Why::Factor(factor) => number(Cause::Factor, factor.into()),
            Why::Buried => of(Cause::Buried),
            // A place on a shelf.
            Why::Pinned(place) => number(Cause::Pinned, place as f64),
            Why::Shown(times) => number(Cause::Shown, times.into()),
        }
    }

    /// A note about one of the authors of its book.
    fn about_author(&self, message: RerankNote, note: &Note, author: u32) -> RerankNote {
        let authors = self.book(note.item).map_or(&[][..], |book| &book.authors);
        let catalogue = self.generation.shop().catalogue;
        let is_meant = |name: &&String| catalogue.author_number(name) == Some(author);
        let name = authors.iter().find(is_meant).cloned().unwrap_or_default();
        RerankNote { name, ..message }
    }
}
