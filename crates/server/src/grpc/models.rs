//! `foreword.v1.ModelService`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::v1::model_service_server::ModelService;
use api::v1::train_response::Told;
use api::v1::{
    ActivateModelRequest, ActivateModelResponse, GetModelRequest, GetModelResponse,
    ListModelsRequest, ListModelsResponse, Model as ModelMessage, ModelQuality,
    RollBackModelRequest, RollBackModelResponse, TrainProgress, TrainRequest, TrainResponse,
    TrainingSummary,
};
use futures_util::{Stream, StreamExt as _, stream};
use storage::ModelVersion;
use tonic::{Request, Response, Status};

use super::status;
use super::time::{timestamp, timestamp_of};
use super::violations::Violations;
use crate::generation::VersionedModel;
use crate::layers::Permit;
use crate::live::Live;
use crate::models::{self, Contents, ModelInfo, ModelsError};
use crate::recommend::Recommender;
use crate::retrain::{Ended, RetrainError, Stage, Trainer, Training};
use crate::settings::LiveSettings;
use crate::train::{Notes, Quality, Replaces, TrainError};

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Keeps the shop's models.
pub(super) struct ModelKeeper {
    recommender: Arc<Recommender>,
    settings: LiveSettings,
    trainer: Arc<Trainer>,
}

impl ModelKeeper {
    pub(super) fn new(
        recommender: Arc<Recommender>,
        settings: LiveSettings,
        trainer: Arc<Trainer>,
    ) -> Self {
        Self { recommender, settings, trainer }
    }

    fn live(&self) -> &Arc<Live> {
        self.recommender.live()
    }
}

#[tonic::async_trait]
impl ModelService for ModelKeeper {
    async fn list_models(
        &self,
        _request: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        let found = models::list(self.live()).await.map_err(failed)?;
        Ok(Response::new(ListModelsResponse { models: found.iter().map(to_message).collect() }))
    }

    async fn get_model(
        &self,
        request: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        let version = wanted(&request.get_ref().version)?;
        let found = models::find(self.live(), version).await.map_err(failed)?;
        let mut model = to_message(&found);
        if let Some(Ok(contents)) = found.file {
            model.settings_toml = contents.settings;
        }
        Ok(Response::new(GetModelResponse { model: Some(model) }))
    }

    type TrainStream = Pin<Box<dyn Stream<Item = Result<TrainResponse, Status>> + Send + 'static>>;

    async fn train(
        &self,
        request: Request<TrainRequest>,
    ) -> Result<Response<Self::TrainStream>, Status> {
        let permit = Permit::of(&request);
        let live = Arc::clone(self.live());
        let training = self.trainer.begin(&self.settings.current(), Replaces::Any);
        let training = training.map_err(|error| not_trained(&error))?;
        let run = Run { training, live, permit };
        let answers = stream::unfold(Some(run), |run| async move {
            let mut run = run?;
            match run.next().await {
                Ok(told @ Told::Progress(_)) => Some((Ok(answer(told)), Some(run))),
                Ok(told) => Some((Ok(answer(told)), None)),
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn activate_model(
        &self,
        request: Request<ActivateModelRequest>,
    ) -> Result<Response<ActivateModelResponse>, Status> {
        let version = wanted(&request.get_ref().version)?;
        let Some(version) = version else { return Err(no_version("")) };
        let keep = self.settings.current().models.keep;
        models::activate(self.live(), version, keep).await.map_err(failed)?;
        tracing::info!(model = version.0, "model activated");
        let found = models::find(self.live(), Some(version)).await.map_err(failed)?;
        Ok(Response::new(ActivateModelResponse { model: Some(to_message(&found)) }))
    }

    async fn roll_back_model(
        &self,
        request: Request<RollBackModelRequest>,
    ) -> Result<Response<RollBackModelResponse>, Status> {
        let left = wanted(&request.get_ref().version)?;
        let keep = self.settings.current().models.keep;
        models::roll_back(self.live(), left, keep).await.map_err(failed)?;
        let found = models::find(self.live(), None).await.map_err(failed)?;
        tracing::info!(model = found.version.0, "model rolled back");
        Ok(Response::new(RollBackModelResponse { model: Some(to_message(&found)) }))
    }
}

/// A training, and who waits for it.
struct Run {
    training: Training,
    live: Arc<Live>,
    permit: Permit,
}

impl Run {
    /// What is to be told next.
    async fn next(&mut self) -> Result<Told, Status> {
        let trained = tokio::select! {
            biased;
            status = self.permit.ended() => return Err(status),
            trained = self.training.ended() => trained,
            () = tokio::time::sleep(TELL_EVERY) => return Ok(Told::Progress(self.progress())),
        };
        let trained = trained.map_err(|error| not_trained(&error))?;
        tracing::info!(model = trained.model_version, "trained a new model, as it was asked for");
        if let Err(error) = self.live.renew().await {
            // It is active, and the answer says that it is not served yet.
            tracing::warn!(%error, "trained, and not served yet");
            self.live.hint();
        }
        let version = trained.model_version.parse().ok().map(ModelVersion);
        Ok(Told::Model(to_message(&models::find(&self.live, version).await.map_err(failed)?)))
    }

    fn progress(&self) -> TrainProgress {
        let Stage { name, done, total } = self.training.stage();
        TrainProgress {
            stage: name,
            // Counts of rows, users and books.
            done_count: done as i64,
            total_count: total.unwrap_or_default() as i64,
            elapsed: prost_types::Duration::try_from(self.training.began().elapsed()).ok(),
        }
    }
}

fn answer(told: Told) -> TrainResponse {
    TrainResponse { told: Some(told) }
}

/// The version that a request names; `None` if it names none.
fn wanted(version: &str) -> Result<Option<ModelVersion>, Status> {
    if version.is_empty() {
        return Ok(None);
    }
    let number = version.parse().ok().filter(|number: &u64| number.to_string() == version);
    number.map(|number| Some(ModelVersion(number))).ok_or_else(|| no_version(version))
}

fn no_version(found: &str) -> Status {
    let mut violations = Violations::new();
    violations.add("version", format_args!("{found:?}"), "the number of a version");
    violations.check().map_or_else(Status::from, |()| status::unknown_model())
}

fn to_message(info: &ModelInfo) -> ModelMessage {
    let contents = info.file.as_ref().and_then(|file| file.as_ref().ok());
    let damage = info.file.as_ref().and_then(|file| file.as_ref().err());
    ModelMessage {
        version: info.version.to_string(),
        active: info.is_active,
        served: info.is_served,
        train_time: info.written.and_then(timestamp_of),
        // A file has fewer bytes than that.
        file_bytes: info.file_bytes as i64,
        trained_on: contents.map(trained_on),
        quality: contents.and_then(|contents| contents.model.notes.quality).map(quality),
        settings_toml: String::new(),
        damage: damage.cloned().unwrap_or_default(),
    }
}

/// How well a model ranks.
pub(crate) fn quality(measured: Quality) -> ModelQuality {
    ModelQuality {
        ndcg_at_10: measured.ndcg_at_10,
        recall_at_10: measured.recall_at_10,
        user_count: measured.readers.into(),
        popularity_ndcg_at_10: measured.popularity_ndcg_at_10,
        measure_time: Some(timestamp(measured.measured_ms)),
    }
}

fn trained_on(contents: &Contents) -> TrainingSummary {
    let event_changes_since = contents.changes_since;
    TrainingSummary { event_changes_since, ..summary(&contents.model) }
}

/// What a model was learnt from, and how long that took; not what changed since.
pub(crate) fn summary(model: &VersionedModel) -> TrainingSummary {
    let duration = |seconds: f64| {
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        prost_types::Duration::try_from(duration).ok()
    };
    let VersionedModel { model, notes: Notes { times, .. }, .. } = model;
    let summary = model.summary();
    // Counts of rows, users and books.
    TrainingSummary {
        user_count: summary.users as i64,
        book_count: model.item_count() as i64,
        interaction_count: summary.interactions as i64,
        simulated_interaction_count: summary.simulated_interactions as i64,
        weight_count: model.weight_count() as i64,
        event_changes_since: None,
        read_duration: times.and_then(|times| duration(times.read_seconds)),
        measure_duration: times.and_then(|times| duration(times.measure_seconds)),
        fit_duration: times.and_then(|times| duration(times.fit_seconds)),
    }
}

/// Why there is no new model.
fn not_trained(error: &RetrainError) -> Status {
    if let RetrainError::Train(TrainError::Cancelled) = error {
        // The client waits for it: it is the service that stops.
        return status::stopping();
    }
    match error.ended() {
        Ended::NothingToLearn => status::nothing_to_learn(),
        Ended::Busy => status::training_running(),
        Ended::Failed | Ended::Trained => {
            tracing::error!(%error, "a training that was asked for failed; the model before stays active");
            status::training_failed()
        }
    }
}

/// Why models cannot be told of or chosen: the log says more, and the caller what to do.
fn failed(error: ModelsError) -> Status {
    match error {
        ModelsError::Unknown => status::unknown_model(),
        ModelsError::NoOlder => status::no_older_model(),
        ModelsError::Damaged(found) => status::model_damaged(&found),
        ModelsError::Training => status::training_running(),
        error => {
            tracing::error!(%error, "the models cannot be read or changed");
            status::store_unavailable()
        }
    }
}
