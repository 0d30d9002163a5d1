//! Models: listed, trained, chosen.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use api::v1::model_service_client::ModelServiceClient;
use api::v1::train_response::Told;
use api::v1::{
    ActivateModelRequest, GetModelRequest, ListModelsRequest, Model, RollBackModelRequest,
    TrainRequest,
};
use recommender::ShopId;
use server::demo;
use server::progress::Silent;
use server::retrain::TrainingProgram;
use server::serve::Service;
use storage::{ModelFolder, ModelVersion, SnapshotHeader};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::retraining;
use crate::running::{self, Running};

fn client(running: &Running) -> ModelServiceClient<Channel> {
    ModelServiceClient::new(running.channel.clone())
}

async fn list(running: &Running) -> Vec<Model> {
    client(running).list_models(ListModelsRequest {}).await.unwrap().into_inner().models
}

async fn get(running: &Running, version: &str) -> Result<Model, Status> {
    let request = GetModelRequest { version: version.to_owned() };
    Ok(client(running).get_model(request).await?.into_inner().model.unwrap())
}

async fn activate(running: &Running, version: &str) -> Result<Model, Status> {
    let request = ActivateModelRequest { version: version.to_owned() };
    Ok(client(running).activate_model(request).await?.into_inner().model.unwrap())
}

async fn roll_back(running: &Running, version: &str) -> Result<Model, Status> {
    let request = RollBackModelRequest { version: version.to_owned() };
    Ok(client(running).roll_back_model(request).await?.into_inner().model.unwrap())
}

/// Trains; before the model comes only progress.
async fn train(running: &Running) -> Result<Model, Status> {
    let mut told = client(running).train(TrainRequest {}).await?.into_inner();
    while let Some(answer) = told.message().await? {
        match answer.told.unwrap() {
            Told::Progress(progress) => assert!(progress.elapsed.is_some()),
            Told::Model(model) => {
                assert_eq!(told.message().await?, None);
                return Ok(model);
            }
        }
    }
    panic!("the stream ended without a model");
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

/// Versions, the active one and the one that is served.
fn told(models: &[Model]) -> (Vec<&str>, Vec<&str>, Vec<&str>) {
    let of = |is: fn(&Model) -> bool| {
        models.iter().filter(|model| is(model)).map(|model| model.version.as_str()).collect()
    };
    (of(|_| true), of(|model| model.active), of(|model| model.served))
}

#[tokio::test]
async fn a_model_is_trained_served_and_told_of() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let trained = train(&running).await.unwrap();
    assert_eq!((trained.version.as_str(), trained.active, trained.served), ("2", true, true));
    assert_eq!(told(&list(&running).await), (vec!["2", "1"], vec!["2"], vec!["2"]));
    let model = get(&running, "").await.unwrap();
    let trained_on = model.trained_on.unwrap();
    assert_eq!((trained_on.user_count, trained_on.book_count), (60, 40));
    assert_eq!((trained_on.interaction_count, trained_on.simulated_interaction_count), (600, 0));
    assert_eq!(trained_on.event_changes_since, Some(0));
    assert!(model.file_bytes > 0 && model.train_time.is_some() && model.damage.is_empty());
    assert!(model.settings_toml.starts_with("[train]"), "{}", model.settings_toml);
    assert!(list(&running).await.iter().all(|model| model.settings_toml.is_empty()));
    running.stop().await;
}

#[tokio::test]
async fn how_well_a_model_ranks_is_measured_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = running::store(folder.path()).await;
    demo::fill(&store, 0, &Silent).await.unwrap();
    store.close().await;
    let running = Running::start(folder.path()).await;
    let trained = train(&running).await.unwrap();
    let quality = trained.quality.unwrap();
    // The tastes of simulated readers can be learnt.
    assert!(quality.popularity_ndcg_at_10 > 0.0, "{quality:?}");
    assert!(quality.ndcg_at_10 > 1.5 * quality.popularity_ndcg_at_10, "{quality:?}");
    assert!(quality.recall_at_10 > 0.0 && quality.recall_at_10 < 1.0, "{quality:?}");
    assert!(quality.user_count > 100, "{quality:?}");
    let trained_on = trained.trained_on.unwrap();
    for took in [trained_on.measure_duration, trained_on.read_duration, trained_on.fit_duration] {
        assert!(took.is_some_and(|took| (took.seconds, took.nanos) > (0, 0)), "{took:?}");
    }
    assert_eq!(get(&running, "").await.unwrap().quality, Some(quality));
    running.stop().await;

    // It holds for a day; of other settings, or later, it is measured again, and never if that is off.
    for (hours, neighbours, expected) in [
        (24.0, 200, Measured::Before),
        (24.0, 20, Measured::Anew),
        (1e-7, 20, Measured::Anew),
        (0.0, 20, Measured::Not),
    ] {
        let text = format!("[train]\nmeasure_hours = {hours:?}\nneighbours = {neighbours}\n");
        let mut settings = running::settings_of(&text);
        settings.admin.listen.clear();
        settings.retrain.on = false;
        let running = Running::start_with(folder.path(), settings).await;
        let before = get(&running, "").await.unwrap().quality;
        let trained = train(&running).await.unwrap();
        let took = trained.trained_on.unwrap().measure_duration.unwrap();
        let found = match trained.quality {
            None => Measured::Not,
            measured if measured == before => Measured::Before,
            Some(_) => Measured::Anew,
        };
        assert_eq!(found, expected, "{text}");
        assert_eq!((took.seconds, took.nanos) > (0, 0), expected == Measured::Anew, "{text}");
        running.stop().await;
    }
}

#[derive(Debug, PartialEq)]
enum Measured {
    Before,
    Anew,
    Not,
}

#[tokio::test]
async fn another_model_is_activated_and_rolled_back_to() {
    let folder = running::full_shop().await;
    running::train_once(folder.path()).await;
    running::train_once(folder.path()).await;
    let running = Running::start(folder.path()).await;
    assert_eq!(told(&list(&running).await), (vec!["3", "2", "1"], vec!["3"], vec!["3"]));
    assert_eq!(roll_back(&running, "3").await.unwrap().version, "2");
    // The request again, and one that nobody needs any more: nothing changes.
    assert_eq!(roll_back(&running, "3").await.unwrap().version, "2");
    assert_eq!(running.live.model_version(), Some(2));
    assert_eq!(roll_back(&running, "").await.unwrap().version, "1");
    let oldest = roll_back(&running, "").await.unwrap_err();
    assert_eq!(reason(&oldest), (Code::FailedPrecondition, "NO_OLDER_MODEL".to_owned()));
    let model = activate(&running, "3").await.unwrap();
    assert!(model.active && model.served);
    assert!(activate(&running, "3").await.unwrap().active);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_chosen_is_refused_with_a_reason() {
    let folder = running::full_shop().await;
    running::train_once(folder.path()).await;
    let running = Running::start(folder.path()).await;
    for version in ["x", "01", "-1"] {
        for refused in [
            get(&running, version).await.unwrap_err(),
            activate(&running, version).await.unwrap_err(),
        ] {
            let violations = refused.get_details_bad_request().unwrap().field_violations;
            assert_eq!(violations[0].field, "version");
        }
    }
    assert_eq!(activate(&running, "").await.unwrap_err().code(), Code::InvalidArgument);
    let unknown = (Code::NotFound, "MODEL_UNKNOWN".to_owned());
    assert_eq!(reason(&get(&running, "9").await.unwrap_err()), unknown);
    assert_eq!(reason(&activate(&running, "9").await.unwrap_err()), unknown);
    let path = folder.path().join("models/000000000001.snapshot");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let damaged = activate(&running, "1").await.unwrap_err();
    assert_eq!(reason(&damaged), (Code::FailedPrecondition, "MODEL_DAMAGED".to_owned()));
    assert_eq!(told(&list(&running).await), (vec!["2", "1"], vec!["2"], vec!["2"]));
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_is_whole_and_holds_no_model_is_not_activated() {
    let folder = running::full_shop().await;
    let models = ModelFolder::open(&folder.path().join("models")).unwrap();
    let lock = models.lock().unwrap();
    let header = SnapshotHeader { shop: ShopId::ONLY, simulated: false };
    let keep = NonZeroUsize::new(3).unwrap();
    assert_eq!(models.publish(&lock, header, &[], keep).unwrap(), ModelVersion(2));
    models.activate(&lock, ModelVersion(1)).unwrap();
    drop(lock);
    let running = Running::start(folder.path()).await;
    let refused = activate(&running, "2").await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "MODEL_DAMAGED".to_owned()));
    assert_eq!(told(&list(&running).await), (vec!["2", "1"], vec!["1"], vec!["1"]));
    running.stop().await;
}

#[tokio::test]
async fn one_training_runs_at_a_time_and_wants_something_to_learn_from() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let models = ModelFolder::open(&folder.path().join("models")).unwrap();
    let lock = models.lock().unwrap();
    let busy = (Code::FailedPrecondition, "TRAINING_RUNNING".to_owned());
    assert_eq!(reason(&train(&running).await.unwrap_err()), busy);
    assert_eq!(reason(&activate(&running, "1").await.unwrap_err()), busy);
    drop(lock);
    running.stop().await;
    let empty = tempfile::tempdir().unwrap();
    let running = Running::start(empty.path()).await;
    let nothing = (Code::FailedPrecondition, "NOTHING_TO_LEARN".to_owned());
    assert_eq!(reason(&train(&running).await.unwrap_err()), nothing);
    assert_eq!(list(&running).await, []);
    assert_eq!(get(&running, "").await.unwrap_err().code(), Code::NotFound);
    let older = (Code::FailedPrecondition, "NO_OLDER_MODEL".to_owned());
    assert_eq!(reason(&roll_back(&running, "").await.unwrap_err()), older);
    running.stop().await;
}

#[tokio::test]
async fn whoever_began_it_one_training_is_under_way() {
    let folder = running::full_shop().await;
    // Its process tells of a stage, and then trains until it is told to stop.
    let script = "read settings; read replaces; echo '{\"at\":{\"name\":\"solving\",\"done\":3,\"total\":9}}'; \
        exec cat";
    let program = TrainingProgram {
        program: "/bin/sh".into(),
        arguments: ["-c", script].map(OsString::from).into(),
    };
    let by_program = |service: Service| service.train_by(program);
    let running = Running::start_as(folder.path(), running::settings(), by_program).await;
    let mut first = client(&running).train(TrainRequest {}).await.unwrap().into_inner();
    loop {
        let Some(Told::Progress(progress)) = first.message().await.unwrap().unwrap().told else {
            panic!("nobody has trained");
        };
        let found = (progress.stage.as_str(), progress.done_count, progress.total_count);
        if found != ("", 0, 0) {
            assert_eq!(found, ("solving", 3, 9));
            break;
        }
    }
    let busy = (Code::FailedPrecondition, "TRAINING_RUNNING".to_owned());
    assert_eq!(reason(&train(&running).await.unwrap_err()), busy);
    assert_eq!(running.metric("foreword_training_under_way").await, 1.0);
    // Who goes ends it, and the next may begin.
    drop(first);
    running::until(async || running.metric("foreword_training_under_way").await == 0.0).await;
    let mut next = client(&running).train(TrainRequest {}).await.unwrap().into_inner();
    next.message().await.unwrap().unwrap();
    // One that is waited for when the service stops is told so.
    let told = tokio::spawn(async move {
        loop {
            if let Err(status) = next.message().await {
                return status;
            }
        }
    });
    running.stop().await;
    assert_eq!(reason(&told.await.unwrap()), (Code::Unavailable, "STOPPING".to_owned()));
}

#[tokio::test]
async fn a_training_that_fails_is_told_and_changes_nothing() {
    let folder = running::full_shop().await;
    let program = TrainingProgram { program: "/no/such/program".into(), arguments: Vec::new() };
    let by_program = |service: Service| service.train_by(program);
    let running = Running::start_as(folder.path(), running::settings(), by_program).await;
    let failed = (Code::Internal, "TRAINING_FAILED".to_owned());
    assert_eq!(reason(&train(&running).await.unwrap_err()), failed);
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"failed\"}").await, 1.0);
    assert_eq!(told(&list(&running).await), (vec!["1"], vec!["1"], vec!["1"]));
    running.stop().await;
}

#[tokio::test]
async fn a_training_that_nobody_waits_for_ends() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    retraining::add_many_readers(&store).await;
    store.close().await;
    // Far longer than the test may take.
    let slow = "[retrain]\non = false\n[train]\nlow_pass_iterations = 100\nneighbours = 2000\n";
    let running = Running::start_with(folder.path(), running::settings_of(slow)).await;
    let mut told = client(&running).train(TrainRequest {}).await.unwrap().into_inner();
    loop {
        let Some(Told::Progress(progress)) = told.message().await.unwrap().unwrap().told else {
            panic!("it has trained already");
        };
        if !progress.stage.is_empty() {
            break;
        }
    }
    assert_eq!(running.metric("foreword_training_under_way").await, 1.0);
    drop(told);
    running::until(async || running.metric("foreword_training_under_way").await == 0.0).await;
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"trained\"}").await, 0.0);
    assert_eq!(self::told(&list(&running).await), (vec!["1"], vec!["1"], vec!["1"]));
    running.stop().await;
}
