//! `foreword serve` on a data folder, timed from its start, and killed without a word.

use std::process::Command;
use std::time::{Duration, Instant};

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::process::{Process, until};

/// A service; killed if a test forgets it.
pub(crate) struct Serving {
    process: Process,
    /// How long it took from its start until it answered.
    pub(crate) opened_in: Duration,
    /// Calls it.
    pub(crate) channel: Channel,
}

impl Serving {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(command: &mut Command) -> Self {
        let started = Instant::now();
        // Without a line for each call that was refused.
        let mut process = Process::start(command.env("FOREWORD_LOG__LEVELS", "info"));
        let mut address = None;
        until("an address in the log", async || {
            address = listens_at(&process.log());
            let ended = process.code();
            assert!(address.is_some() || ended.is_none(), "it does not serve: {}", process.log());
            address.is_some()
        })
        .await;
        let endpoint = Endpoint::try_from(format!("http://{}", address.unwrap())).unwrap();
        let mut serving =
            Self { process, opened_in: Duration::ZERO, channel: endpoint.connect_lazy() };
        until("an answer", async || serving.answers().await).await;
        serving.opened_in = started.elapsed();
        serving
    }

    /// Whether it answers.
    async fn answers(&self) -> bool {
        let mut client = RecommendationServiceClient::new(self.channel.clone());
        client.trending(TrendingRequest::default()).await.is_ok()
    }

    /// Whether its process has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.code().is_some()
    }

    /// Kills it with SIGKILL, if it has not ended.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// The first address of the line that says where it listens.
fn listens_at(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("addresses=[\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}
