//! From answers to messages.

use api::v1::{
    Fallback as FallbackMessage, Reason as ReasonMessage, ReasonCode, RecommendResponse,
    RecommendedBook, Source, source,
};
use recommender::shelf::{Origin, Ranked, Reason};
use recommender::{Evidence, Filter};
use storage::Book;

use crate::grpc::book;
use crate::recommend::{Answer, Fallback};

/// An answer about a reader, as the contract has it.
#[must_use]
pub fn to_message(answer: &Answer, filter: &Filter) -> RecommendResponse {
    RecommendResponse {
        books: books(answer, filter, None),
        attribution_token: answer.attribution_token.clone(),
        model_version: model_version(answer),
        fallback: fallback(answer).into(),
        shown_token: answer.shown.token(),
        user_revision: answer.user_revision,
        stale: answer.is_stale,
    }
}

/// The books of an answer. `seed` is the book that was asked about, if one was.
pub(in crate::grpc) fn books(
    answer: &Answer,
    filter: &Filter,
    seed: Option<u32>,
) -> Vec<RecommendedBook> {
    let seed = seed.and_then(|index| answer.generation.book(index));
    let message = |ranked: &Ranked| RecommendedBook {
        book: answer.book(ranked).map(book::to_message),
        score: ranked.score.into(),
        reasons: reasons(answer, ranked, filter, seed),
        source: Some(Source { kind: kind(ranked.origin).into(), simulated: answer.is_simulated() }),
    };
    answer.shelf.iter().map(message).collect()
}

pub(in crate::grpc) fn model_version(answer: &Answer) -> String {
    answer.generation.model().map_or_else(String::new, |model| model.version.to_string())
}

pub(in crate::grpc) fn fallback(answer: &Answer) -> FallbackMessage {
    answer.fallback.map_or(FallbackMessage::Unspecified, fallback_message)
}

/// Why an answer is less than what was asked for, as the contract has it.
pub(in crate::grpc) fn fallback_message(fallback: Fallback) -> FallbackMessage {
    match fallback {
        Fallback::UnknownUser => FallbackMessage::UnknownUser,
        Fallback::NoHistory => FallbackMessage::NoHistory,
        Fallback::NoModel => FallbackMessage::NoModel,
        Fallback::StoreUnavailable => FallbackMessage::StoreUnavailable,
        Fallback::NoNeighbours => FallbackMessage::NoNeighbours,
        Fallback::NoTrend => FallbackMessage::NoTrend,
    }
}

fn kind(origin: Origin) -> source::Kind {
    match origin {
        Origin::Personal => source::Kind::Personal,
        Origin::Similar => source::Kind::Similar,
        Origin::Trending => source::Kind::Trending,
        Origin::Popular => source::Kind::Popular,
        Origin::Unranked => source::Kind::Unranked,
        Origin::Pinned => source::Kind::Pinned,
    }
}

fn reasons(
    answer: &Answer,
    ranked: &Ranked,
    filter: &Filter,
    seed: Option<&Book>,
) -> Vec<ReasonMessage> {
    let of_code = |code: ReasonCode| ReasonMessage { code: code.into(), ..Default::default() };
    match ranked.origin {
        Origin::Personal => personal_reasons(answer, ranked),
        Origin::Similar => vec![ReasonMessage {
            book_id: seed.map_or_else(String::new, |book| book.id.clone()),
            book_title: seed.map_or_else(String::new, |book| book.title.clone()),
            share: 1.0,
            ..of_code(ReasonCode::SimilarTo)
        }],
        Origin::Trending => vec![of_code(ReasonCode::Trending)],
        Origin::Unranked | Origin::Pinned => Vec::new(),
        Origin::Popular => {
            let categories = answer.book(ranked).map_or(&[][..], |book| &book.categories);
            let asked = filter.any_categories.iter().chain(&filter.all_categories);
            vec![match asked.into_iter().find(|slug| categories.contains(slug)) {
                Some(category) => ReasonMessage {
                    category: category.clone(),
                    ..of_code(ReasonCode::PopularInCategory)
                },
                None => of_code(ReasonCode::Popular),
            }]
        }
    }
}

fn personal_reasons(answer: &Answer, ranked: &Ranked) -> Vec<ReasonMessage> {
    let message = |reason: &Reason| match *reason {
        Reason::History { place, share } => {
            let evidence = answer.evidence.get(place)?;
            // A book that left the shop since is still a reason; only its title is unknown.
            let index = answer.generation.index_of(evidence.item);
            Some(ReasonMessage {
                share,
                ..about(ReasonCode::History, answer, index, Some(evidence))
            })
        }
        Reason::NextInSeries { after } => Some(ReasonMessage {
            series: answer.book(ranked)?.series.clone()?,
            ..about(ReasonCode::NextInSeries, answer, Some(after), None)
        }),
        Reason::ByAuthor { liked, .. } => {
            let other = answer.generation.book(liked)?;
            let mut authors = answer.book(ranked)?.authors.iter();
            let author = authors.find(|author| other.authors.contains(author))?.clone();
            let evidence = answer.evidence.iter().find(|one| one.item == other.number);
            Some(ReasonMessage {
                author,
                ..about(ReasonCode::ByAuthor, answer, Some(liked), evidence)
            })
        }
    };
    ranked.reasons.iter().filter_map(message).collect()
}

/// A reason with the book that it names, and what the reader did to that.
fn about(
    code: ReasonCode,
    answer: &Answer,
    index: Option<u32>,
    evidence: Option<&Evidence>,
) -> ReasonMessage {
    let book = index.and_then(|index| answer.generation.book(index));
    let rating = evidence.and_then(|evidence| evidence.rating);
    ReasonMessage {
        code: code.into(),
        book_id: book.map_or_else(String::new, |book| book.id.clone()),
        book_title: book.map_or_else(String::new, |book| book.title.clone()),
        event_kind: evidence.map_or(0, |evidence| evidence.kind.number().into()),
        rating: rating.map_or(0.0, recommender::Rating::stars),
        ..Default::default()
    }
}
