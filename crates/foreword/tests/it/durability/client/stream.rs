//! Telling events in a stream.

use std::collections::VecDeque;

use api::v1::StreamEventsRequest;
use api::v1::event_service_client::EventServiceClient;
use rand::RngExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Client;

/// How many entries wait for their results at most, but for those of one request.
const ENTRIES_OPEN_MAX: usize = 40;

impl Client {
    /// Tells some events in a stream, with several requests on their way.
    pub(super) async fn stream(&mut self) -> bool {
        let (send, requests) = mpsc::channel(ENTRIES_OPEN_MAX);
        let mut service = EventServiceClient::new(self.channel());
        let mut results = match service.stream_events(ReceiverStream::new(requests)).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                self.crowd.witness.write_failed(&status);
                return false;
            }
        };
        let mut asked = VecDeque::new();
        let mut left = self.random.random_range(1..12);
        let mut send = Some(send);
        loop {
            while left > 0 && asked.len() < ENTRIES_OPEN_MAX {
                left -= 1;
                let entries = self.entries();
                asked.extend(entries.iter().map(|entry| self.ask(entry)));
                if let Some(send) = &send {
                    // If nobody takes it, the stream says why.
                    let _ = send.try_send(StreamEventsRequest { entries });
                }
            }
            if left == 0 || self.crowd.has_to_stop() {
                left = 0;
                send = None;
            }
            match results.message().await {
                Ok(Some(answer)) => {
                    for result in &answer.results {
                        let Some(asked) = asked.pop_front() else {
                            self.crowd.witness.complain(format!("{result:?} was not asked for"));
                            return false;
                        };
                        self.hear(&asked, result);
                    }
                }
                Ok(None) if asked.is_empty() => return true,
                Ok(None) => {
                    self.crowd.witness.complain("a stream ended without all results".to_owned());
                    self.hear_nothing(&asked);
                    return false;
                }
                Err(status) => {
                    self.crowd.witness.write_failed(&status);
                    self.hear_nothing(&asked);
                    return false;
                }
            }
        }
    }
}
