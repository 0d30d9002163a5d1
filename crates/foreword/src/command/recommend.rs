//! `foreword recommend`.

use std::process::ExitCode;

use anyhow::Result;
use server::ask::{AnsweredBy, Question, Shelf, ShelfBook, ShelfFallback, ShelfReason, ask};
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::Recommend;
use crate::exit;
use crate::output;
use crate::table;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    recommend: &Recommend,
) -> Result<ExitCode> {
    let question = Question {
        user: recommend.user.clone(),
        categories: recommend.category.clone(),
        results: recommend.number,
    };
    let shelf = ask(data, settings, &question).await?;
    if recommend.output.json {
        super::print_json(&shelf)?;
    } else {
        output::say(text(&shelf, &recommend.category).trim_end());
    }
    Ok(exit::SUCCESS)
}

/// A shelf as a person likes to read it.
pub(super) fn text(shelf: &Shelf, categories: &[String]) -> String {
    let by = match &shelf.answered {
        AnsweredBy::Server { address } => format!("the server at {address}"),
        AnsweredBy::Store => "the store, read directly".to_owned(),
    };
    let model = match &shelf.model_version {
        None => "no model".to_owned(),
        Some(version) => format!("model {version}"),
    };
    let within = match categories {
        [] => String::new(),
        slugs => format!(" in {}", slugs.join(" or ")),
    };
    let mut text = format!("Books for reader {}{within} ({by}, {model})\n", shelf.user);
    if shelf.books.is_empty() {
        text.push_str(match categories {
            [] => "No book is left to recommend: the reader has them all.\n",
            _ => {
                "No book is left to recommend: none is in this category, or the reader has them all.\n\
                 Categories are slugs, such as science-fiction.\n"
            }
        });
        return text;
    }
    let mut rows = table::of_text(&["#", "book", "by", "because"]);
    for (place, book) in shelf.books.iter().enumerate() {
        rows.add_row([(place + 1).to_string(), title(book), book.authors.join(", "), why(book)]);
    }
    text.push_str(&format!("{rows}\n"));
    if let Some(fallback) = &shelf.fallback {
        text.push_str(&format!("Not personal: {}.\n", explain(*fallback)));
    }
    if shelf.books.iter().any(|book| book.simulated) {
        text.push_str("Learnt from simulated readers.\n");
    }
    text
}

fn title(book: &ShelfBook) -> String {
    match (&book.series, book.volume) {
        (Some(series), Some(volume)) => format!("{} ({series}, #{volume})", book.title),
        _ => book.title.clone(),
    }
}

fn why(book: &ShelfBook) -> String {
    let reasons: Vec<String> = book.reasons.iter().map(reason).collect();
    reasons.join("\n")
}

/// A reason in words; what belongs together is joined by spaces that no table breaks at.
fn reason(reason: &ShelfReason) -> String {
    match reason {
        ShelfReason::History { book_title, event_kind, rating, share, .. } => {
            let share = (share * 100.0).round();
            format!("you {}: {share}\u{a0}%", deed(*event_kind, book_title, *rating))
        }
        ShelfReason::NextInSeries { series, book_title, .. } => {
            format!("next in {series} after {book_title}")
        }
        ShelfReason::ByAuthor { author, book_title, event_kind, rating, .. } => {
            format!("by {author}: you {}", deed(*event_kind, book_title, *rating))
        }
        ShelfReason::SimilarTo { book_title, .. } => format!("it goes with {book_title}"),
        ShelfReason::PopularInCategory { category } => format!("it is popular in {category}"),
        ShelfReason::Popular => "it is popular".to_owned(),
        ShelfReason::Trending => "it is read more lately than it used to be".to_owned(),
        ShelfReason::Other => "of a reason that this program does not know".to_owned(),
    }
}

fn deed(kind: Option<&str>, title: &str, rating: Option<f64>) -> String {
    match (kind, rating) {
        (_, Some(rating)) => format!("rated {title} {rating}\u{a0}★"),
        (Some("finish"), _) => format!("read {title}"),
        (Some("want_to_read"), _) => format!("want to read {title}"),
        (Some("purchase"), _) => format!("bought {title}"),
        (Some("cart"), _) => format!("put {title} into the cart"),
        (Some("view"), _) => format!("looked at {title}"),
        _ => format!("know {title}"),
    }
}

/// A fallback in words.
fn explain(fallback: ShelfFallback) -> &'static str {
    match fallback {
        ShelfFallback::UnknownUser => "nothing is known of this reader, so these are popular books",
        ShelfFallback::NoHistory => {
            "the model can use nothing of this reader's history, so these are popular books"
        }
        ShelfFallback::NoModel => {
            "there is no model yet, so these come in the order of their numbers; `foreword train` makes one"
        }
        ShelfFallback::StoreUnavailable => {
            "the store cannot be read just now, so these are popular books"
        }
        ShelfFallback::Other => "for a reason that this program does not know",
    }
}
