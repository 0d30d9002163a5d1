//! `foreword migrate`.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::Output;
use crate::exit;
use crate::output;

/// What became of the schema, for scripts.
#[derive(Serialize)]
struct Document {
    /// `sqlite` or `postgres`.
    database: &'static str,
    /// Its version before, 0 where there was none.
    from: i64,
    /// Its version now.
    to: i64,
}

/// Opens the store, which brings it up to date, as every command does; and says so.
pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    output: Output,
) -> Result<ExitCode> {
    let store = data.store(settings).await?;
    let schema = store.schema();
    let done =
        Document { database: schema.database, from: store.schema_before(), to: schema.version };
    store.close().await;
    match done {
        done if output.json => super::print_json(&done)?,
        Document { database, from: 0, to } => {
            output::say(format_args!("A new store in {database}: its schema is version {to}."));
        }
        Document { database, from, to } if from == to => output::say(format_args!(
            "Nothing to do: the schema in {database} is version {to} already."
        )),
        Document { database, from, to } => {
            output::say(format_args!("The schema in {database} went from version {from} to {to}."));
        }
    }
    Ok(exit::SUCCESS)
}
