//! Doing the same again and again, such as looking for changes.

use std::fmt::Display;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// Renews something at every `interval`, until `stop` ends. A failure is logged as `said`, with its
/// cause: once, however often it comes again in a row, and not twice a second.
pub(crate) async fn repeat<R, T, E>(
    interval: Duration,
    renew: impl Fn() -> R,
    said: &'static str,
    stop: impl Future<Output = ()>,
) where
    R: Future<Output = Result<T, E>>,
    E: Display,
{
    repeat_after(|| tokio::time::sleep(interval), renew, said, stop).await;
}

/// As [`repeat`], whenever `wait` ends.
pub(crate) async fn repeat_after<W, R, T, E>(
    wait: impl Fn() -> W,
    renew: impl Fn() -> R,
    said: &'static str,
    stop: impl Future<Output = ()>,
) where
    W: Future<Output = ()>,
    R: Future<Output = Result<T, E>>,
    E: Display,
{
    let mut stop = pin!(stop);
    let mut failure: Option<String> = None;
    loop {
        tokio::select! {
            () = &mut stop => return,
            () = wait() => {}
        }
        match renew().await {
            Ok(_) => failure = None,
            Err(error) => {
                let text = error.to_string();
                if failure.as_ref() != Some(&text) {
                    tracing::error!(error = %text, "{said}");
                    failure = Some(text);
                }
            }
        }
    }
}
