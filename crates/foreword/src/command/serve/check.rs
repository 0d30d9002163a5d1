//! `foreword serve --check-config`.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use server::data_folder::DataFolder;
use server::serve::Openness;
use server::settings::trial::Trial;
use server::settings::{Shown, Sources};

use crate::arguments::Output;
use crate::{exit, output, table};

/// The outcome, for scripts.
#[derive(Serialize)]
struct Document {
    /// Whether a service would start with these settings.
    fine: bool,
    /// What differs from the defaults.
    changed: Vec<Shown>,
    /// What is wrong.
    problems: Vec<String>,
}

pub(super) async fn run(
    data: &DataFolder,
    sources: &Sources,
    openness: Openness,
    output: Output,
) -> Result<ExitCode> {
    let (sources, data) = (sources.clone(), data.clone());
    let checking = tokio::task::spawn_blocking(move || check(&data, &sources, openness));
    let document = checking.await.context("the check failed")?;
    if output.json {
        super::super::print_json(&document)?;
    } else {
        print(&document);
    }
    Ok(if document.fine { exit::SUCCESS } else { ExitCode::from(exit::BAD_SETTINGS) })
}

fn check(data: &DataFolder, sources: &Sources, openness: Openness) -> Document {
    let settings = match sources.read() {
        Ok(settings) => settings,
        Err(error) => {
            return Document { fine: false, changed: Vec::new(), problems: error.lines() };
        }
    };
    let changed = settings.shown().into_iter().filter(|shown| !shown.is_default).collect();
    let failures = Trial { settings: &settings, data, openness }.failures();
    let problems: Vec<String> = failures
        .into_iter()
        .map(|failure| format!("{}: {}", failure.what, failure.message))
        .collect();
    Document { fine: problems.is_empty(), changed, problems }
}

fn print(document: &Document) {
    if !document.changed.is_empty() {
        let mut rows = table::of_text(&["key", "value", "from"]);
        for Shown { key, value, source, .. } in &document.changed {
            rows.add_row([key, value, source]);
        }
        output::say(rows);
    } else if document.fine {
        output::say("every setting has its default");
    }
    for problem in &document.problems {
        output::error(problem);
    }
    if document.fine {
        output::say("settings are fine");
    }
}
