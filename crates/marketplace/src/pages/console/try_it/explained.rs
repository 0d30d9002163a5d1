//! An explanation in words: the history with its weights, both shelves with scores and reasons, and
//! what each step of the re-rank did.

use std::collections::HashMap;

use api::v1::rerank_note::Cause;
use api::v1::rerank_step::Kind;
use api::v1::{
    ExplainRecommendResponse, Explanation, Fallback, RecommendedBook, RerankNote, RerankStep,
};

use crate::chart::number;
use crate::language::{Words, counted, fill};
use crate::links;
use crate::view::{self, Table, did, reason, stars};

/// Candidates that are shown.
const CANDIDATES: usize = 30;

/// Parts of a score that are shown.
const PARTS: usize = 5;

/// Notes of a step that are shown.
const NOTES: usize = 50;

/// What is explained.
pub(super) struct Explained {
    pub(super) sides: Vec<Side>,
    pub(super) history: Table,
    pub(super) candidates: Table,
    /// Whose steps they are, in words.
    pub(super) whose_steps: String,
    pub(super) steps: Vec<Step>,
}

/// A shelf.
pub(super) struct Side {
    pub(super) heading: String,
    pub(super) fallback: Option<String>,
    pub(super) books: Vec<Ranked>,
    /// What was on the shelf before and is not on this one.
    pub(super) gone: Option<String>,
}

/// A book on it.
pub(super) struct Ranked {
    pub(super) title: String,
    pub(super) href: String,
    /// Its authors and its score.
    pub(super) about: String,
    pub(super) reasons: Vec<String>,
    /// How it stands to the shelf before.
    pub(super) moved: Option<String>,
}

/// What a step did.
pub(super) struct Step {
    pub(super) name: String,
    /// What became of the first books; a table where some moved.
    pub(super) same: Option<String>,
    pub(super) table: Option<Table>,
    pub(super) notes: Vec<String>,
}

/// The titles of the books that are named.
struct Titles<'a>(HashMap<&'a str, &'a str>);

impl Titles<'_> {
    fn of<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).filter(|title| !title.is_empty()).copied().unwrap_or(id)
    }
}

impl Explained {
    /// Of an answer as it is, and of one with a draft if there is one.
    pub(super) fn new(
        before: &ExplainRecommendResponse,
        after: Option<&ExplainRecommendResponse>,
        count: i32,
        words: &Words,
    ) -> Self {
        let texts = &words.try_it;
        let books = before.books.iter().chain(after.into_iter().flat_map(|after| &after.books));
        let titles = books.map(|book| (book.id.as_str(), book.title.as_str()));
        let titles = Titles(titles.collect());
        let mut sides = vec![Side::new(&texts.before, before, None, words)];
        if let Some(after) = after {
            sides.push(Side::new(&texts.after, after, before.current.as_ref(), words));
        }
        let whose_steps = if after.is_some() { &texts.steps_after } else { &texts.steps_before };
        let chosen = after.unwrap_or(before).current.clone().unwrap_or_default();
        let count = usize::try_from(count).unwrap_or_default();
        Self {
            sides,
            history: history(before, &titles, words),
            candidates: candidates(&chosen, &titles, words),
            whose_steps: whose_steps.clone(),
            steps: steps(&chosen.steps, count, &titles, words),
        }
    }
}

impl Side {
    fn new(
        heading: &str,
        response: &ExplainRecommendResponse,
        before: Option<&Explanation>,
        words: &Words,
    ) -> Self {
        let shelf = response.current.as_ref().map_or(&[][..], |one| &one.shelf);
        let before = before.map(|before| &before.shelf[..]);
        let ranked = |(place, one)| ranked(place, one, before, words);
        Self {
            heading: heading.to_owned(),
            fallback: fallback(response.fallback(), words),
            books: shelf.iter().enumerate().filter_map(ranked).collect(),
            gone: before.and_then(|before| gone(before, shelf, words)),
        }
    }
}

fn id(one: &RecommendedBook) -> Option<&str> {
    one.book.as_ref().map(|book| book.id.as_str())
}

fn ranked(
    place: usize,
    one: &RecommendedBook,
    before: Option<&[RecommendedBook]>,
    words: &Words,
) -> Option<Ranked> {
    let texts = &words.try_it;
    let book = one.book.as_ref()?;
    let moved = before.and_then(|before| {
        let was = before.iter().position(|other| id(other) == Some(&book.id));
        let text = match was {
            None => return Some(texts.moved_new.clone()),
            Some(was) if was == place => return None,
            Some(was) if was > place => &texts.moved_up,
            Some(_) => &texts.moved_down,
        };
        let place = was.map_or(0, |was| was + 1).to_string();
        Some(fill(text, &[("place", &place)]))
    });
    let reasons = one.reasons.iter().filter_map(|one| {
        let text = reason(one, words)?;
        // Shares that are nothing belong to reasons that are not of the score.
        if one.share <= 0.0 {
            return Some(text);
        }
        let share = number(one.share * 100.0);
        Some(fill(&words.reason.share, &[("reason", &text), ("share", &share)]))
    });
    let (authors, score) = (words.list(&book.authors), number(one.score));
    Some(Ranked {
        title: if book.title.is_empty() { book.id.clone() } else { book.title.clone() },
        href: links::book(&book.id, ""),
        about: fill(&texts.ranked, &[("authors", &authors), ("score", &score)]),
        reasons: reasons.collect(),
        moved,
    })
}

fn gone(before: &[RecommendedBook], now: &[RecommendedBook], words: &Words) -> Option<String> {
    let is_gone = |one: &&RecommendedBook| !now.iter().any(|other| id(other) == id(one));
    let titles = before.iter().filter(is_gone).filter_map(|one| one.book.as_ref());
    let titles: Vec<&str> = titles.map(|book| book.title.as_str()).collect();
    let titles = (!titles.is_empty()).then(|| words.list(&titles))?;
    Some(fill(&words.try_it.gone, &[("titles", &titles)]))
}

fn fallback(fallback: Fallback, words: &Words) -> Option<String> {
    let why = view::fallback(fallback, words)?;
    Some(fill(&words.try_it.fallback, &[("why", why)]))
}

fn history(response: &ExplainRecommendResponse, titles: &Titles<'_>, words: &Words) -> Table {
    let texts = &words.try_it;
    let rows = response.history.iter().map(|one| {
        let did = did(one.event_kind(), words).unwrap_or(&words.console.unknown);
        let did = format!("{did} {}", stars(one.rating));
        let in_model = if one.in_model { &words.console.yes } else { &words.console.no };
        let title = if one.book_id.is_empty() { &words.console.none } else { &one.book_id };
        let title = titles.of(title).to_owned();
        vec![title, did.trim_end().to_owned(), number(one.weight), in_model.clone()]
    });
    let heads = [texts.book.as_str(), &texts.did, &texts.weight, &texts.in_model];
    Table::new(&texts.history, &heads, rows, &texts.no_history)
}

fn candidates(explanation: &Explanation, titles: &Titles<'_>, words: &Words) -> Table {
    let texts = &words.try_it;
    let rows = explanation.candidates.iter().take(CANDIDATES).map(|one| {
        let part = |part: &api::v1::ScorePart| {
            let sign = if part.contribution < 0.0 { "" } else { "+" };
            format!("{} {sign}{}", titles.of(&part.book_id), number(part.contribution))
        };
        let parts: Vec<String> = one.parts.iter().take(PARTS).map(part).collect();
        vec![titles.of(&one.book_id).to_owned(), number(one.score), parts.join("; ")]
    });
    let heads = [texts.book.as_str(), &texts.score_head, &texts.parts];
    Table::new(&texts.candidates, &heads, rows, &texts.no_candidates)
}

fn steps(all: &[RerankStep], count: usize, titles: &Titles<'_>, words: &Words) -> Vec<Step> {
    let mut before: Option<&[String]> = None;
    let mut told = Vec::with_capacity(all.len());
    for step in all {
        let after = &step.book_ids[..step.book_ids.len().min(count)];
        told.push(self::step(step, before, after, titles, words));
        before = Some(after);
    }
    told
}

fn step(
    step: &RerankStep,
    before: Option<&[String]>,
    after: &[String],
    titles: &Titles<'_>,
    words: &Words,
) -> Step {
    let texts = &words.try_it;
    let name = kind(step.kind(), words).clone();
    let notes = step.notes.iter().take(NOTES).filter_map(|one| note(one, titles, words));
    let notes = notes.collect();
    if before == Some(after) {
        let same = Some(counted(after.len(), &texts.step_same_one, &texts.step_same_many));
        return Step { name, same, table: None, notes };
    }
    let title = |ids: &[String], place: usize| match ids.get(place) {
        Some(id) => titles.of(id).to_owned(),
        None => words.console.none.clone(),
    };
    let places = before.map_or(0, <[String]>::len).max(after.len());
    let (first, heads, rows): (_, Vec<&str>, Vec<Vec<String>>) = match before {
        None => {
            let rows = (0..places).map(|place| vec![(place + 1).to_string(), title(after, place)]);
            let first = Some(counted(after.len(), &texts.step_first_one, &texts.step_first_many));
            (first, vec![&texts.place, &texts.book], rows.collect())
        }
        Some(before) => {
            let row = |place: usize| {
                vec![(place + 1).to_string(), title(before, place), title(after, place)]
            };
            let heads = vec![texts.place.as_str(), &texts.step_before, &texts.step_after];
            (None, heads, (0..places).map(row).collect())
        }
    };
    let table = Some(Table::new(&name, &heads, rows, &texts.empty));
    Step { name, same: first, table, notes }
}

fn kind(kind: Kind, words: &Words) -> &String {
    let texts = &words.try_it;
    match kind {
        Kind::Candidates => &texts.step_candidates,
        Kind::Rotation => &texts.step_rotation,
        Kind::Series => &texts.step_series,
        Kind::Disliked => &texts.step_disliked,
        Kind::Diversity => &texts.step_diversity,
        Kind::Authors => &texts.step_authors,
        Kind::Rules => &texts.step_rules,
        Kind::Impressions => &texts.step_impressions,
        Kind::Pins => &texts.step_pins,
        Kind::Unspecified => &texts.step_other,
    }
}

/// A note in words; `None` for a cause that is not known here.
fn note(note: &RerankNote, titles: &Titles<'_>, words: &Words) -> Option<String> {
    let texts = &words.try_it;
    let text = match note.cause() {
        Cause::NotNext if note.other_book_id.is_empty() => &texts.cause_not_next_none,
        Cause::NotNext => &texts.cause_not_next,
        Cause::InPlaceOf => &texts.cause_in_place,
        Cause::SeriesTaken => &texts.cause_series_taken,
        Cause::DislikedSeries => &texts.cause_disliked_series,
        Cause::DislikedAuthor => &texts.cause_disliked_author,
        Cause::Like => &texts.cause_like,
        Cause::AuthorCap => &texts.cause_author_cap,
        Cause::Factor => &texts.cause_factor,
        Cause::Buried => &texts.cause_buried,
        Cause::Pinned => &texts.cause_pinned,
        Cause::Shown => &texts.cause_shown,
        Cause::Unspecified => return None,
    };
    let number = number(note.number);
    let values = [
        ("book", titles.of(&note.book_id)),
        ("other", titles.of(&note.other_book_id)),
        ("name", note.name.as_str()),
        ("number", &number),
    ];
    Some(fill(text, &values))
}

#[cfg(test)]
mod tests {
    use api::v1::Book;

    use super::*;
    use crate::language::Language;

    fn shelf(ids: &[&str]) -> ExplainRecommendResponse {
        let book = |id: &&str| Book {
            id: (*id).to_owned(),
            title: format!("Book {id}"),
            ..Book::default()
        };
        let books: Vec<Book> = ids.iter().map(book).collect();
        let ranked = |book: &Book| RecommendedBook {
            book: Some(book.clone()),
            ..RecommendedBook::default()
        };
        let current =
            Explanation { shelf: books.iter().map(ranked).collect(), ..Explanation::default() };
        ExplainRecommendResponse {
            current: Some(current),
            books,
            ..ExplainRecommendResponse::default()
        }
    }

    #[test]
    fn a_draft_says_how_each_book_moved() {
        let words = Language::EN.words();
        let explained =
            Explained::new(&shelf(&["1", "2", "3"]), Some(&shelf(&["2", "4", "1"])), 3, words);
        let moved = |side: &Side| -> Vec<String> {
            side.books.iter().map(|book| book.moved.clone().unwrap_or_default()).collect()
        };
        assert_eq!(moved(&explained.sides[0]), ["", "", ""]);
        assert_eq!(
            moved(&explained.sides[1]),
            ["up from place 2", "new here", "down from place 1"]
        );
        assert_eq!(explained.sides[1].gone.as_deref(), Some("Gone: Book 3"));
    }

    #[test]
    fn a_step_that_moves_nothing_says_so() {
        let words = Language::EN.words();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let step = |kind: Kind, books: &[&str]| RerankStep {
            kind: kind.into(),
            book_ids: ids(books),
            notes: Vec::new(),
        };
        let all = [
            step(Kind::Candidates, &["1", "2", "3"]),
            step(Kind::Series, &["1", "2", "4"]),
            step(Kind::Rules, &["2", "1", "4"]),
        ];
        let told = steps(&all, 2, &Titles(HashMap::new()), words);
        assert_eq!(told[0].same.as_deref(), Some("The first 2 books to begin with."));
        assert_eq!(told[1].same.as_deref(), Some("The first 2 books stay where they were."));
        assert!(told[1].table.is_none() && told[2].table.is_some());
    }
}
