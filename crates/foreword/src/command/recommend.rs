//! `foreword recommend`.

use std::process::ExitCode;

use anyhow::Result;
use server::ask::{AnsweredBy, Question, Shelf, ShelfBook, ShelfReason, ask};
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::Recommend;
use crate::exit;
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
        print!("{}", text(&shelf, &recommend.category));
    }
    Ok(exit::SUCCESS)
}

/// A shelf as a person likes to read it.
pub(super) fn text(shelf: &Shelf, categories: &[String]) -> String {
    let by = match &shelf.answered_by {
        AnsweredBy::Server(address) => format!("the server at {address}"),
        AnsweredBy::Store => "the store, read directly".to_owned(),
    };
    let model = match &*shelf.model_version {
        "" => "no model".to_owned(),
        version => format!("model {version}"),
    };
    let within = match categories {
        [] => String::new(),
        slugs => format!(" in {}", slugs.join(" or ")),
    };
    let mut text = format!("Books for reader {}{within} ({by}, {model})\n", shelf.user);
    if shelf.books.is_empty() {
        text.push_str("No book is left to recommend: none matches, or the reader has them all.\n");
        return text;
    }
    let mut rows = table::of_text(&["#", "book", "by", "because"]);
    for (place, book) in shelf.books.iter().enumerate() {
        rows.add_row([(place + 1).to_string(), title(book), book.authors.join(", "), why(book)]);
    }
    text.push_str(&format!("{rows}\n"));
    if let Some(fallback) = &shelf.fallback {
        text.push_str(&format!("Not personal: {}.\n", explain(fallback)));
    }
    if shelf.books.iter().any(|book| book.simulated) {
        text.push_str("Learnt from simulated readers.\n");
    }
    text
}

fn title(book: &ShelfBook) -> String {
    match book.volume {
        Some(volume) if !book.series.is_empty() => {
            format!("{} ({}, #{volume})", book.title, book.series)
        }
        _ => book.title.clone(),
    }
}

fn why(book: &ShelfBook) -> String {
    let reasons: Vec<String> = book.reasons.iter().map(reason).collect();
    reasons.join("\n")
}

fn reason(reason: &ShelfReason) -> String {
    let title = &reason.book_title;
    match &*reason.code {
        "history" => {
            let share = (reason.share * 100.0).round();
            format!("you {}: {share} %", deed(&reason.event_kind, title, reason.rating))
        }
        "similar_to" => format!("it goes with {title}"),
        "popular_in_category" => format!("it is popular in {}", reason.category),
        "trending" => "it is read a lot just now".to_owned(),
        _ => "it is popular".to_owned(),
    }
}

fn deed(kind: &str, title: &str, rating: f64) -> String {
    match kind {
        "rating" => format!("rated {title} {rating} ★"),
        "finish" => format!("read {title}"),
        "want_to_read" => format!("want to read {title}"),
        "purchase" => format!("bought {title}"),
        "cart" => format!("put {title} into the cart"),
        "view" => format!("looked at {title}"),
        _ => format!("know {title}"),
    }
}

/// A fallback in words.
fn explain(fallback: &str) -> &str {
    match fallback {
        "unknown_user" => "nothing is known of this reader, so these are popular books",
        "no_history" => {
            "the model can use nothing of this reader's history, so these are popular books"
        }
        "no_model" => "there is no model yet; `foreword train` makes one",
        "store_unavailable" => "the store cannot be read just now, so these are popular books",
        other => other,
    }
}
