//! Why a book is suggested, in plain words.

use api::v1::{EventKind, Reason, ReasonCode};

use super::stars;
use crate::language::{Words, fill};
use crate::links::spoken;

/// Shares below say too little to be told.
const SHARE_MIN: f64 = 0.05;

/// A reason in words, without its share; `None` for one that is not known here.
pub(crate) fn reason(reason: &Reason, words: &Words) -> Option<String> {
    let texts = &words.reason;
    let title = ("title", reason.book_title.as_str());
    Some(match reason.code() {
        ReasonCode::History => {
            let stars = stars(reason.rating);
            let text = match reason.event_kind() {
                EventKind::View => &texts.viewed,
                EventKind::WantToRead => &texts.wanted,
                EventKind::Cart => &texts.cart,
                EventKind::Purchase => &texts.bought,
                EventKind::Finish => &texts.finished,
                EventKind::Rating => &texts.rated,
                EventKind::Unspecified
                | EventKind::Impression
                | EventKind::Dismiss
                | EventKind::Abandon
                | EventKind::Return => &texts.liked,
            };
            fill(text, &[title, ("stars", &stars)])
        }
        ReasonCode::PopularInCategory => {
            let spoken = spoken(&reason.category);
            let category = words.category(&reason.category, &spoken);
            fill(&texts.popular_in, &[("category", category)])
        }
        ReasonCode::Popular => texts.popular.clone(),
        ReasonCode::Trending => texts.trending.clone(),
        ReasonCode::SimilarTo => fill(&texts.similar, &[title]),
        ReasonCode::NextInSeries => {
            fill(&texts.next_in_series, &[title, ("series", &reason.series)])
        }
        ReasonCode::ByAuthor => fill(&texts.author, &[title, ("author", &reason.author)]),
        ReasonCode::Unspecified => return None,
    })
}

/// [`reason`] with the part that it has in all that speaks for the book.
pub(crate) fn reason_with_share(one: &Reason, words: &Words) -> Option<String> {
    let text = reason(one, words)?;
    if one.share < SHARE_MIN {
        return Some(text);
    }
    let share = format!("{:.0}", one.share * 100.0);
    Some(fill(&words.reason.share, &[("reason", &text), ("share", &share)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn check(reason: &Reason, expected: Option<&str>) {
        let text = reason_with_share(reason, Language::EN.words());
        assert_eq!(text.as_deref(), expected);
    }

    #[test]
    fn reasons_are_told_with_their_share() {
        let rated = Reason {
            code: ReasonCode::History.into(),
            book_title: "Dune".to_owned(),
            event_kind: EventKind::Rating.into(),
            rating: 5.0,
            share: 0.41,
            ..Reason::default()
        };
        check(&rated, Some("because you rated Dune ★★★★★ (41 %)"));
        check(&Reason { share: 0.01, ..rated }, Some("because you rated Dune ★★★★★"));
        let popular = Reason {
            code: ReasonCode::PopularInCategory.into(),
            category: "science-fiction".to_owned(),
            ..Reason::default()
        };
        check(&popular, Some("popular in science fiction"));
        let text = reason(&popular, Language::ZH.words());
        assert_eq!(text.as_deref(), Some("在科幻类中很受欢迎"));
    }

    #[test]
    fn a_reason_that_is_not_known_is_left_out() {
        check(&Reason { code: 999, ..Reason::default() }, None);
    }
}
