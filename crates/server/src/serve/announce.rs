//! How others find the server: `foreword recommend` on the same machine.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use crate::data_folder::DataFolder;

/// How often to try to become the server that others find.
const ANNOUNCE_AGAIN: Duration = Duration::from_millis(200);

/// After so many vain tries there is another server.
const RIVAL_AFTER: u32 = 5;

/// Lets others find the server until `stopped` ends. Where another server of the folder can
/// be found already, this one takes over when that one ends.
pub(super) async fn announce(
    data: &DataFolder,
    addresses: &[SocketAddr],
    stopped: impl Future<Output = ()>,
) {
    if addresses.is_empty() {
        return;
    }
    let announcing = async {
        let mut tries = 0_u32;
        loop {
            match data.announce(addresses) {
                Ok(Some(announcement)) => {
                    let _held = announcement;
                    std::future::pending::<()>().await;
                }
                // A passing `foreword recommend` may hold the lock for a moment.
                Ok(None) if tries == RIVAL_AFTER => tracing::warn!(
                    "another server of this data folder is running; `foreword recommend` asks that one"
                ),
                Ok(None) => {}
                Err(error) if tries == 0 => {
                    tracing::warn!(%error, "`foreword recommend` will not find this server");
                }
                Err(_) => {}
            }
            tries = tries.saturating_add(1);
            tokio::time::sleep(ANNOUNCE_AGAIN).await;
        }
    };
    tokio::select! {
        () = stopped => {}
        () = announcing => {}
    }
}
