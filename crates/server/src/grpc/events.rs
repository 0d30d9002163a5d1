//! `foreword.v1.EventService`.

mod check;
mod result;
mod stream;

use std::sync::Arc;

use api::v1::event_service_server::EventService;
use api::v1::{
    RecordEventsRequest, RecordEventsResponse, StreamEventsRequest, StreamEventsResponse,
};
use futures_util::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::status;
use crate::ingest::{Ingest, NotTaken};
use crate::layers::Permit;
use crate::live::Live;
use crate::settings::LiveSettings;

use check::{Checked, check};

/// Takes events from those who may tell them.
pub(super) struct EventKeeper {
    doorway: Arc<Doorway>,
}

/// What every request goes through.
pub(super) struct Doorway {
    ingest: Arc<Ingest>,
    live: Arc<Live>,
    settings: LiveSettings,
}

impl EventKeeper {
    pub(super) fn new(ingest: Arc<Ingest>, live: Arc<Live>, settings: LiveSettings) -> Self {
        Self { doorway: Arc::new(Doorway { ingest, live, settings }) }
    }
}

#[tonic::async_trait]
impl EventService for EventKeeper {
    async fn record_events(
        &self,
        request: Request<RecordEventsRequest>,
    ) -> Result<Response<RecordEventsResponse>, Status> {
        let doorway = &self.doorway;
        let Checked { entries, answers } = doorway.check(request.into_inner().entries)?;
        let written = match entries.is_empty() {
            true => None,
            false => {
                let receipt = doorway.ingest.submit(entries).map_err(status::not_taken)?;
                // A job that was lost tells nobody.
                let written = receipt.await.unwrap_or(Err(NotTaken::StoreAway));
                Some(written.map_err(status::not_taken)?)
            }
        };
        Ok(Response::new(RecordEventsResponse { results: answers.results(written) }))
    }

    type StreamEventsStream = BoxStream<'static, Result<StreamEventsResponse, Status>>;

    async fn stream_events(
        &self,
        request: Request<Streaming<StreamEventsRequest>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let permit = Permit::of(&request);
        let answers = stream::answers(Arc::clone(&self.doorway), permit, request.into_inner());
        Ok(Response::new(answers))
    }
}

impl Doorway {
    /// Checks the entries of one request, and counts those that are not valid.
    fn check(&self, entries: Vec<api::v1::EventEntry>) -> Result<Checked, Status> {
        let settings = self.settings.current();
        let checked = check(entries, &settings.events, &self.live.generation())?;
        for _ in 0..checked.answers.invalid() {
            self.ingest.figures().invalid();
        }
        Ok(checked)
    }
}
