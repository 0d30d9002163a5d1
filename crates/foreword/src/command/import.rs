//! `foreword import`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use server::data_folder::DataFolder;
use server::import::{ColumnNames, Content, FileReport, ImportError, Report, Source, import};
use server::settings::Settings;

use crate::arguments::{ImportOptions, ImportSource};
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

/// How many unmatched books are printed; `--json` has up to a thousand.
const UNMATCHED_PRINTED: usize = 20;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    source: &ImportSource,
) -> Result<ExitCode> {
    let (source, options) = parse(source)?;
    let how = server::import::ImportOptions {
        keep_going: options.keep_going,
        recorded_ms: super::now_ms(),
    };
    let stop = Stop::listen()?;
    let store = data.store(settings).await?;
    let imported = import(&store, source, &how, progress::shown(), stop.wait()).await;
    let code = match imported {
        Ok(report) => {
            print(&report, options)?;
            if report.refused() > 0 { ExitCode::from(exit::ROWS_REFUSED) } else { exit::SUCCESS }
        }
        Err(ImportError::Refused(report)) => {
            print(&report, options)?;
            bail!(
                "{} refused, so nothing was stored; mend what is wrong, or store the others with --keep-going",
                figures::counted(report.refused(), "row")
            );
        }
        Err(ImportError::Interrupted) => {
            output::remark("stopped; nothing was stored");
            ExitCode::from(exit::INTERRUPTED)
        }
        Err(error) => return Err(error.into()),
    };
    store.close().await;
    Ok(code)
}

fn parse(source: &ImportSource) -> Result<(Source, ImportOptions)> {
    Ok(match source {
        ImportSource::Goodbooks { folder, options } => {
            (Source::Goodbooks { folder: folder.clone() }, *options)
        }
        ImportSource::Csv { books, interactions, columns, options } => {
            let columns = ColumnNames::parse(columns)?;
            let (books, interactions) = (books.clone(), interactions.clone());
            (Source::Csv { books, interactions, columns }, *options)
        }
        ImportSource::Goodreads { file, user, options } => {
            (Source::Goodreads { file: file.clone(), user: user.clone() }, *options)
        }
    })
}

fn print(report: &Report, options: ImportOptions) -> Result<()> {
    if options.output.json {
        return super::print_json(report);
    }
    output::say(text(report).trim_end());
    Ok(())
}

/// What an import did, as a person likes to read it.
fn text(report: &Report) -> String {
    let mut rows = table::of_figures(&["file", "rows", "stored", "changed", "repeated", "refused"]);
    for file in &report.files {
        let events_or_books = |count| match file.content {
            Content::Categories => "–".to_owned(),
            Content::Books | Content::Events => figures::count(count),
        };
        let name = file.file.rsplit(['/', '\\']).next().unwrap_or(&file.file);
        rows.add_row([
            name.to_owned(),
            figures::count(file.rows_read),
            events_or_books(file.stored),
            events_or_books(file.changed),
            events_or_books(file.repeated),
            figures::count(file.refused),
        ]);
    }
    let mut text = format!("{rows}\n");
    for file in &report.files {
        text.push_str(&details(file));
    }
    if report.committed && report.users_touched > 0 {
        let users = figures::counted(report.users_touched, "user");
        text.push_str(&format!("New events of {users}; `foreword train` learns from them.\n"));
    }
    text
}

fn details(file: &FileReport) -> String {
    let mut text = String::new();
    if file.conflicting > 0 {
        let conflicting = figures::count(file.conflicting);
        text.push_str(&format!(
            "{}: {conflicting} of the repeated events say something else than the first; the first stays.\n",
            file.file
        ));
    }
    for note in &file.notes {
        text.push_str(&format!("{}: {note}\n", file.file));
    }
    for refusal in &file.first_refusals {
        text.push_str(&format!("{}, {refusal}\n", file.file));
    }
    let more = file.refused.saturating_sub(file.first_refusals.len() as u64);
    if more > 0 {
        let more = figures::counted(more, "more row");
        text.push_str(&format!("{}: and {more} refused\n", file.file));
    }
    if file.unmatched > 0 {
        let unmatched = figures::counted(file.unmatched, "book");
        text.push_str(&format!("{}: not in the shop: {unmatched}\n", file.file));
        for book in file.first_unmatched.iter().take(UNMATCHED_PRINTED) {
            text.push_str(&format!("  line {}: {}, by {}\n", book.line, book.title, book.author));
        }
        if file.unmatched > UNMATCHED_PRINTED as u64 {
            text.push_str("  … (--json lists more)\n");
        }
    }
    text
}
