//! Reloads: the settings are read again when the operator asks (SIGHUP), and the log tells of
//! each changed key what came of it.

use std::future::Future;
use std::pin::pin;

use tokio::sync::mpsc;
use transport::supervisor;

use crate::blocking::blocking;
use crate::settings::{Effect, LiveSettings, Reloaded, SettingsError};

/// Reloads for each message, and lets `follow` take it up, until `stopped` ends or nobody can ask any more.
pub(super) async fn reload(
    settings: &LiveSettings,
    asked: Option<mpsc::Receiver<()>>,
    follow: impl Fn(&Reloaded),
    stopped: impl Future<Output = ()>,
) {
    let Some(mut asked) = asked else { return };
    let mut stopped = pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            message = asked.recv() => if message.is_none() { return },
        }
        supervisor::reloading();
        let again = settings.clone();
        // Files may lie on a disk that is slow.
        let reloaded = blocking(move || again.reload()).await;
        if let Ok(reloaded) = &reloaded {
            follow(reloaded);
        }
        tell(reloaded);
        supervisor::ready();
    }
}

fn tell(reloaded: Result<Reloaded, SettingsError>) {
    let changes = match reloaded {
        Ok(Reloaded { changes }) => changes,
        Err(error) => {
            tracing::error!(
                "settings were not reloaded, and those before stay in force; mend what is wrong and reload again: {error}"
            );
            return;
        }
    };
    for change in &changes {
        let key = change.key.as_str();
        match change.effect {
            // Who may do what is nobody's daily business.
            Effect::Applied { by } if key.starts_with("access.") => {
                tracing::warn!(key, by, "changed setting: applied");
            }
            Effect::Applied { by } => tracing::info!(key, by, "changed setting: applied"),
            Effect::NeedsRestart => tracing::warn!(key, "changed setting: needs a restart"),
        }
    }
    tracing::info!(changes = changes.len(), "settings reloaded");
}
