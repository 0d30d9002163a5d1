//! Who may do what, through real clients.

mod known_users;
mod long_calls;
mod methods;
mod rates;
mod running_keys;
mod secrets;
mod table;
mod tokens;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;
use server::access::api_key::ApiKey;
use server::access::keys::{self, NewKey};
use server::access::{Role, Roles};
use server::settings::Settings;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::running;

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Settings with this text over the defaults.
fn settings(folder: &Path, text: &str) -> Settings {
    let path = folder.join("settings.toml");
    std::fs::write(&path, text).unwrap();
    Settings::read(Some(&path)).unwrap()
}

async fn create(folder: &Path, roles: &[Role], expires_ms: Option<i64>) -> ApiKey {
    let store = running::store(folder).await;
    let roles: Roles = roles.iter().copied().collect();
    let new = NewKey { name: "a key".to_owned(), roles, expires_ms };
    let (key, _) = keys::create(&store, &new, now_ms()).await.unwrap();
    store.close().await;
    key
}

async fn revoke(folder: &Path, key: &ApiKey) {
    let store = running::store(folder).await;
    keys::revoke(&store, key.id(), now_ms()).await.unwrap();
    store.close().await;
}

/// Calls any method with an empty message, and reads its whole answer.
pub(crate) async fn call(
    channel: &Channel,
    path: &str,
    authorization: &[&str],
) -> Result<(), Status> {
    let mut request = Request::new(());
    for value in authorization {
        request
            .metadata_mut()
            .append("authorization", AsciiMetadataValue::try_from(*value).unwrap());
    }
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let uri: PathAndQuery = path.parse().unwrap();
    let mut answer = client.server_streaming(request, uri, codec).await?.into_inner();
    // Figures never end.
    let is_endless = path.ends_with("/WatchMetrics");
    while answer.message().await?.is_some() && !is_endless {}
    Ok(())
}

/// Why a call was refused before its handler; none if its handler answered, whatever it said.
fn refusal(answer: &Result<(), Status>) -> Option<(Code, String)> {
    let status = answer.as_ref().err()?;
    if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) {
        return None;
    }
    let reason = status.get_details_error_info().map(|info| info.reason)?;
    Some((status.code(), reason))
}

/// The status as it went over the wire, details included.
fn wire(status: &Status) -> Vec<u8> {
    let details = tonic_types::pb::Status::decode(status.details()).unwrap();
    let mut wire = format!("{status:?} {details:?}").into_bytes();
    wire.extend_from_slice(status.details());
    wire.extend_from_slice(status.message().as_bytes());
    for (name, value) in status.metadata().clone().into_headers() {
        wire.extend(name.map(|name| name.to_string()).unwrap_or_default().bytes());
        wire.extend_from_slice(value.as_bytes());
    }
    wire
}
