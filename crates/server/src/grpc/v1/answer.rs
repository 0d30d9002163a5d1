//! From answers to messages.

use api::v1::{
    Book as BookMessage, Fallback as FallbackMessage, Reason as ReasonMessage, ReasonCode,
    RecommendResponse, RecommendedBook, Source, source,
};
use recommender::Filter;
use recommender::shelf::{Origin, Ranked};
use storage::Book;

use crate::recommend::{Answer, Fallback};

/// An answer about a reader, as the contract has it.
#[must_use]
pub fn to_message(answer: &Answer, filter: &Filter) -> RecommendResponse {
    RecommendResponse {
        books: books(answer, filter, None),
        attribution_token: answer.attribution_token.clone(),
        model_version: model_version(answer),
        fallback: fallback(answer).into(),
    }
}

/// The books of an answer. `seed` is the book that was asked about, if one was.
pub(super) fn books(answer: &Answer, filter: &Filter, seed: Option<u32>) -> Vec<RecommendedBook> {
    let seed = seed.and_then(|index| answer.generation.book(index));
    let message = |ranked: &Ranked| RecommendedBook {
        book: answer.book(ranked).map(book),
        score: ranked.score.into(),
        reasons: reasons(answer, ranked, filter, seed),
        source: Some(Source { kind: kind(ranked.origin).into(), simulated: answer.is_simulated() }),
    };
    answer.shelf.iter().map(message).collect()
}

pub(super) fn model_version(answer: &Answer) -> String {
    answer.generation.model().map_or_else(String::new, |model| model.version.to_string())
}

pub(super) fn fallback(answer: &Answer) -> FallbackMessage {
    match answer.fallback {
        None => FallbackMessage::Unspecified,
        Some(Fallback::UnknownUser) => FallbackMessage::UnknownUser,
        Some(Fallback::NoHistory) => FallbackMessage::NoHistory,
        Some(Fallback::NoModel) => FallbackMessage::NoModel,
        Some(Fallback::StoreUnavailable) => FallbackMessage::StoreUnavailable,
        Some(Fallback::NoNeighbours) => FallbackMessage::NoNeighbours,
        Some(Fallback::NoTrend) => FallbackMessage::NoTrend,
    }
}

fn kind(origin: Origin) -> source::Kind {
    match origin {
        Origin::Personal => source::Kind::Personal,
        Origin::Similar => source::Kind::Similar,
        Origin::Trending => source::Kind::Trending,
        Origin::Popular => source::Kind::Popular,
        Origin::Unranked => source::Kind::Unranked,
    }
}

fn book(book: &Book) -> BookMessage {
    BookMessage {
        id: book.id.clone(),
        // Numbers have 31 bits.
        number: book.number.0 as i32,
        title: book.title.clone(),
        authors: book.authors.clone(),
        published_year: book.published_year,
        language: book.language.clone().unwrap_or_default(),
        categories: book.categories.clone(),
        series: book.series.clone().unwrap_or_default(),
        volume: book.volume,
        work_id: book.work.clone().unwrap_or_default(),
        cover_uri: book.cover_url.clone().unwrap_or_default(),
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
        Origin::Personal => history_reasons(answer, ranked),
        Origin::Similar => vec![ReasonMessage {
            book_id: seed.map_or_else(String::new, |book| book.id.clone()),
            book_title: seed.map_or_else(String::new, |book| book.title.clone()),
            share: 1.0,
            ..of_code(ReasonCode::SimilarTo)
        }],
        Origin::Trending => vec![of_code(ReasonCode::Trending)],
        Origin::Unranked => Vec::new(),
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

fn history_reasons(answer: &Answer, ranked: &Ranked) -> Vec<ReasonMessage> {
    let message = |reason: &recommender::shelf::Reason| {
        let evidence = answer.evidence.get(reason.place)?;
        // A book that left the shop since is still a reason; only its title is unknown.
        let book = answer
            .generation
            .index_of(evidence.item)
            .and_then(|index| answer.generation.book(index));
        Some(ReasonMessage {
            code: ReasonCode::History.into(),
            book_id: book.map_or_else(String::new, |book| book.id.clone()),
            book_title: book.map_or_else(String::new, |book| book.title.clone()),
            event_kind: evidence.kind.number().into(),
            rating: evidence.rating.map_or(0.0, recommender::Rating::stars),
            share: reason.share,
            category: String::new(),
        })
    };
    ranked.reasons.iter().filter_map(message).collect()
}
