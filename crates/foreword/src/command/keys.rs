//! `foreword keys`.

use std::process::ExitCode;

use anyhow::Result;
use jiff::{Timestamp, Unit};
use serde::Serialize;
use server::access::keys::{self, KeysError, Listed, NewKey, Revoked};
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::{CreateKey, Keys, Output};
use crate::exit;
use crate::output;
use crate::table;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A key, for scripts. Times are RFC 3339.
#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    /// The key itself; of a new one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    name: &'a str,
    roles: &'a [String],
    created: String,
    expires: Option<String>,
    revoked: Option<String>,
    /// `active`, `expired` or `revoked`.
    state: &'static str,
}

pub(super) async fn run(data: &DataFolder, settings: &Settings, keys: &Keys) -> Result<ExitCode> {
    data.check_shop(settings)?;
    let store = data.store(settings).await?;
    let done = match keys {
        Keys::Create(create) => create_key(&store, settings, create).await,
        Keys::List(output) => list_keys(&store, *output).await,
        Keys::Revoke { id } => revoke_key(&store, id).await,
    };
    store.close().await;
    done.map(|()| exit::SUCCESS)
}

async fn create_key(store: &keys::Store, settings: &Settings, arguments: &CreateKey) -> Result<()> {
    let now_ms = super::now_ms();
    let days = arguments.expires_days.map(i64::from);
    let new = NewKey {
        name: arguments.name.clone(),
        roles: arguments.roles.iter().copied().collect(),
        expires_ms: days.map(|days| now_ms + days * DAY_MS),
    };
    let (key, listed) = keys::create(store, &new, now_ms).await.map_err(|error| match error {
        KeysError::Name { .. } => anyhow::anyhow!("--name: {error}"),
        error => error.into(),
    })?;
    if arguments.output.json {
        super::print_json(&Document { key: Some(key.reveal()), ..document(&listed, now_ms)? })?;
    } else {
        output::say(key.reveal());
        let until = match listed.expires_ms {
            Some(expires_ms) => format!("until {}", moment(expires_ms)?),
            None => format!("until `{} keys revoke {}`", super::program(), listed.id),
        };
        let Listed { id, name, roles, .. } = &listed;
        let roles = roles.join(", ");
        output::remark(format_args!(
            "Key {id} for {name}: {roles}; {until}. It is shown this once; keep it like a password."
        ));
    }
    if !settings.access.api_keys {
        output::remark(
            "The settings read here have access.api_keys = false; a server takes keys only if its own have true.",
        );
    }
    Ok(())
}

async fn list_keys(store: &keys::Store, output: Output) -> Result<()> {
    let now_ms = super::now_ms();
    let keys = keys::list(store).await?;
    if output.json {
        let documents: Result<Vec<Document<'_>>> =
            keys.iter().map(|key| document(key, now_ms)).collect();
        return super::print_json(&documents?);
    }
    if keys.is_empty() {
        let program = super::program();
        output::say(format_args!("No keys yet; `{program} keys create` makes one."));
        return Ok(());
    }
    let mut table = table::of_rows(&["id", "name", "roles", "created", "expires", "state"]);
    for key in &keys {
        let expires = key.expires_ms.map(moment).transpose()?;
        table.add_row([
            key.id.clone(),
            key.name.clone(),
            key.roles.join(", "),
            moment(key.created_ms)?,
            expires.unwrap_or_else(|| "never".to_owned()),
            key.state(now_ms).to_owned(),
        ]);
    }
    output::say(table);
    Ok(())
}

async fn revoke_key(store: &keys::Store, id: &str) -> Result<()> {
    match keys::revoke(store, id, super::now_ms()).await? {
        Revoked::Now(Listed { id, name, .. }) => output::say(format_args!(
            "Revoked {id} ({name}); running servers refuse it within a second."
        )),
        Revoked::Before(Listed { id, name, revoked_ms, .. }) => {
            let since = revoked_ms.map(moment).transpose()?.unwrap_or_default();
            output::say(format_args!("{id} ({name}) has been revoked since {since}."));
        }
    }
    Ok(())
}

fn document(key: &Listed, now_ms: i64) -> Result<Document<'_>> {
    Ok(Document {
        id: &key.id,
        key: None,
        name: &key.name,
        roles: &key.roles,
        created: moment(key.created_ms)?,
        expires: key.expires_ms.map(moment).transpose()?,
        revoked: key.revoked_ms.map(moment).transpose()?,
        state: key.state(now_ms),
    })
}

/// Milliseconds since 1970 as RFC 3339, to the second.
fn moment(ms: i64) -> Result<String> {
    Ok(Timestamp::from_millisecond(ms)?.round(Unit::Second)?.to_string())
}
