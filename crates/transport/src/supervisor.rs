//! What systemd, or another supervisor that sets `NOTIFY_SOCKET`, is told of the service.
//!
//! Without such a supervisor all of this does nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The service answers.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The service reads its settings again; [`ready`] follows. systemd wants to know when that began
/// (`Type=notify-reload`).
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot tell the supervisor of a reload"),
    }
}

/// The service stops and may take so long for it.
pub fn stopping(at_most: Duration) {
    let micros = u32::try_from(at_most.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(micros)]);
}

/// Shows that the calling runtime is alive, twice in each period that the supervisor allows
/// (`WatchdogSec=`). Never ends.
pub async fn show_life() {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(period / 2);
    loop {
        ticks.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "cannot tell the supervisor");
    }
}
