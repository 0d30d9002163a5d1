//! A training that the bookseller began: it goes on when its page is closed, and is told to whoever
//! looks.
//!
//! The service stops a training whose call ends, so the call is held here and not by a page.

use std::sync::{Arc, Mutex, PoisonError};

use api::v1::train_response::Told;
use futures_util::{Stream, stream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tonic::{Code, Status};

use crate::service::{Failure, Service};

/// How far the latest training is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Stage {
    /// There was none since the shop started.
    #[default]
    Never,
    /// It is under way: what is done, and how much of how much; 0 of what is not known.
    Running { stage: String, done: i64, total: i64 },
    /// It is over: the version of the model that is active now.
    Done { version: String },
    /// There is no new model: why, if it is known.
    Failed { problem: Option<String> },
    /// The bookseller stopped it.
    Stopped,
}

impl Stage {
    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

/// The latest training.
pub(crate) struct Training {
    service: Arc<Service>,
    stage: watch::Sender<Stage>,
    is_closing: watch::Sender<bool>,
    task: Mutex<Option<AbortHandle>>,
}

impl Training {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            stage: watch::Sender::default(),
            is_closing: watch::Sender::default(),
            task: Mutex::default(),
        }
    }

    /// How far it is now.
    pub(crate) fn stage(&self) -> Stage {
        self.stage.borrow().clone()
    }

    /// Begins a training, unless one is under way.
    pub(crate) fn begin(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stage.borrow().is_running() {
            return;
        }
        self.stage.send_replace(Stage::Running { stage: String::new(), done: 0, total: 0 });
        let (service, stage) = (Arc::clone(&self.service), self.stage.clone());
        *task = Some(tokio::spawn(train(service, stage)).abort_handle());
    }

    /// Stops it, if it is under way.
    pub(crate) fn stop(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take()
            && self.stage.borrow().is_running()
        {
            task.abort();
            self.stage.send_replace(Stage::Stopped);
        }
    }

    /// Ends a training and what follows it.
    pub(crate) fn close(&self) {
        self.stop();
        self.is_closing.send_replace(true);
    }

    /// Each stage from the one of now on, until the training is over.
    pub(crate) fn follow(&self) -> impl Stream<Item = Stage> + Send + 'static {
        let mut stages = self.stage.subscribe();
        stages.mark_changed();
        let following = Some((stages, self.is_closing.subscribe()));
        stream::unfold(following, |following| async move {
            let (mut stages, mut closing) = following?;
            tokio::select! {
                changed = stages.changed() => changed.ok()?,
                _ = closing.wait_for(|is_closing| *is_closing) => return None,
            }
            let stage = stages.borrow_and_update().clone();
            let more = stage.is_running().then_some((stages, closing));
            Some((stage, more))
        })
    }
}

async fn train(service: Arc<Service>, stage: watch::Sender<Stage>) {
    let ended = match service.train().await {
        Ok(mut answers) => loop {
            match answers.message().await.map(|answer| answer.and_then(|answer| answer.told)) {
                Ok(Some(Told::Progress(progress))) => {
                    stage.send_replace(Stage::Running {
                        stage: progress.stage,
                        done: progress.done_count,
                        total: progress.total_count,
                    });
                }
                Ok(Some(Told::Model(model))) => break Stage::Done { version: model.version },
                Ok(None) => break Stage::Failed { problem: None },
                Err(status) => break failed(&status),
            }
        },
        Err(Failure::Refused(problem)) => Stage::Failed { problem: Some(problem) },
        Err(_) => Stage::Failed { problem: None },
    };
    stage.send_replace(ended);
}

fn failed(status: &Status) -> Stage {
    // Anything else is the service's own affair, and its text is not for people.
    let is_told = status.code() == Code::FailedPrecondition;
    Stage::Failed { problem: is_told.then(|| status.message().to_owned()) }
}
