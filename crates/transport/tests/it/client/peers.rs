//! Peers good and bad, and channels to them.

use std::net::SocketAddr;
use std::time::Duration;

use api::tutorial::RecommendationRequest;
use api::tutorial::recommendations_client::RecommendationsClient;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::Status;
use transport::client::{Channel, Ejection, Settings};

/// The tutorial's only method.
pub(crate) const RECOMMEND: &str = "/Recommendations/Recommend";

/// Production's limits.
pub(crate) fn limits() -> Settings {
    Settings::for_a_nearby_service()
}

/// Production's limits, with the tutorial's method for an idempotent one.
pub(crate) fn idempotent() -> Settings {
    let mut settings = limits();
    settings.retries.idempotent_methods = vec![RECOMMEND.to_owned()];
    settings
}

/// Limits under which ejected endpoints come back soon.
pub(crate) fn forgiving(settings: Settings) -> Settings {
    let backoff_first = Duration::from_millis(20);
    let ejection = Ejection { backoff_first, backoff_max: backoff_first, ..settings.ejection };
    Settings { ejection, ..settings }
}

/// A channel to addresses in plaintext.
pub(crate) fn channel(addresses: &[SocketAddr], settings: Settings) -> Channel {
    let places: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    Channel::new(places.join(",").parse().unwrap(), settings, None).unwrap()
}

/// Asks for a user, to be answered after so many milliseconds.
pub(crate) async fn ask(channel: &Channel, after_ms: i32) -> Result<String, Status> {
    ask_within(channel, after_ms, None).await
}

/// Asks, and waits for no longer than the timeout.
pub(crate) async fn ask_within(
    channel: &Channel,
    after_ms: i32,
    timeout: Option<Duration>,
) -> Result<String, Status> {
    let question = RecommendationRequest { user_id: 7, category: 0, max_results: after_ms };
    let mut request = tonic::Request::new(question);
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    let answer = RecommendationsClient::new(channel.clone()).recommend(request).await?.into_inner();
    Ok(answer.recommendations.into_iter().map(|book| book.title).collect())
}

/// A peer that accepts connections and never says anything.
pub(crate) struct Silent {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Silent {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut open = Vec::new();
            loop {
                open.push(listener.accept().await.unwrap());
            }
        });
        Self { address, task }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address that nobody listens on.
pub(crate) async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
