//! `foreword certs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, ensure};
use jiff::{Timestamp, Unit};
use serde::Serialize;
use server::certificates::{Existing, Plan, WriteError, Written, write_certificates};

use crate::arguments::Certs;
use crate::exit;
use crate::output;

/// What was written, for scripts.
#[derive(Serialize)]
struct Document<'a> {
    authority: &'a Path,
    authority_key: &'a Path,
    server: &'a Path,
    server_key: &'a Path,
    client: &'a Path,
    client_key: &'a Path,
    /// Names and addresses of the server.
    names: &'a [String],
    /// RFC 3339.
    expires: String,
}

pub(super) fn run(arguments: &Certs) -> Result<ExitCode> {
    let plan = Plan {
        names: arguments.name.clone(),
        validity: Duration::from_secs(u64::from(arguments.days) * 24 * 60 * 60),
        existing: if arguments.force { Existing::Replace } else { Existing::Keep },
    };
    // What is printed is pasted into settings, which are read from elsewhere.
    let folder: PathBuf = std::path::absolute(&arguments.out)
        .with_context(|| format!("--out {}", arguments.out.display()))?;
    let settings_can_name_it = folder.to_str().is_some();
    ensure!(settings_can_name_it, "--out {}: expected UTF-8", folder.display());
    let written = write_certificates(&folder, &plan, SystemTime::now()).map_err(advise)?;
    let expires = Timestamp::try_from(written.expires)?.round(Unit::Second)?;
    if arguments.output.json {
        super::print_json(&document(&written, expires))?;
    } else {
        output::say(text(&folder, &written, expires)?.trim_end());
    }
    Ok(exit::SUCCESS)
}

fn advise(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::Exists { .. } => anyhow!("{error}; --force replaces it and the others"),
        WriteError::BadName { .. } => anyhow!("--name: {error}"),
        error => error.into(),
    }
}

fn document(written: &Written, expires: Timestamp) -> Document<'_> {
    Document {
        authority: &written.authority,
        authority_key: &written.authority_key,
        server: &written.server,
        server_key: &written.server_key,
        client: &written.client,
        client_key: &written.client_key,
        names: &written.names,
        expires: expires.to_string(),
    }
}

/// What was written and what to do with it.
fn text(folder: &Path, written: &Written, expires: Timestamp) -> Result<String> {
    let (names, day) = (written.names.join(", "), expires.strftime("%Y-%m-%d"));
    Ok(format!(
        r#"Certificates for development, valid until {day}, in {}:

  ca.pem, ca.key          the authority; whoever has its key can be the server or any client
  server.pem, server.key  the server: {names}
  client.pem, client.key  a client: marketplace

Settings of the server, for mutual TLS:

  [tls]
  certificate = {}
  key = {}
  client_ca = {}

A client in Python, run in that folder (pip install grpcio):

  import grpc
  ca, key, certificate = (open(name, "rb").read() for name in ("ca.pem", "client.key", "client.pem"))
  credentials = grpc.ssl_channel_credentials(ca, key, certificate)
  channel = grpc.secure_channel("localhost:50051", credentials)
"#,
        folder.display(),
        quoted(&written.server)?,
        quoted(&written.server_key)?,
        quoted(&written.authority)?,
    ))
}

/// A path as a string of TOML, which takes those of JSON.
fn quoted(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(serde_json::to_string(text)?)
}
