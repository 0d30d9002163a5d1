//! A rolling restart under load: no call fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api::v1::WatchMetricsRequest;
use api::v1::insight_service_client::InsightServiceClient;
use tokio::task::JoinHandle;
use transport::client::Channel;

use super::deployment::{Deployment, roll};
use super::load::{Load, Plan};
use super::storefront::Storefront;
use crate::process::until;

/// All replicas, one after the other; the report, or `None` without PostgreSQL.
pub(super) async fn run(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = deployment.start(super::deployment::REPLICAS).await;
    let shops = [Storefront::open(&deployment).await, Storefront::open(&deployment).await];
    let mut load = Load::start(&deployment, &shops, plan);
    let watching = Watching::start(load.channel());
    tokio::time::sleep(Duration::from_secs(1)).await;
    roll(&deployment, &mut replicas).await;
    watching.sees_more().await;
    let report = load.end().await.none_failed();
    let events = load.nothing_is_lost().await;
    Some(format!("{report}; {events} events acknowledged and there"))
}

/// Somebody who looks at figures all the time, as a console does: a stream that no drain waits
/// for, and that is begun anew when it ends.
struct Watching {
    seen: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Watching {
    fn start(channel: Channel) -> Self {
        let seen = Arc::<AtomicU32>::default();
        let counted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut client = InsightServiceClient::new(channel);
            loop {
                if let Ok(answer) = client.watch_metrics(WatchMetricsRequest::default()).await {
                    let mut figures = answer.into_inner();
                    while let Ok(Some(_)) = figures.message().await {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Self { seen, task }
    }

    /// Waits until it sees figures that are newer than now.
    async fn sees_more(&self) {
        let before = self.seen.load(Ordering::Relaxed);
        let is_more = || self.seen.load(Ordering::Relaxed) > before + 1;
        until("figures after a restart", async || is_more()).await;
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}
