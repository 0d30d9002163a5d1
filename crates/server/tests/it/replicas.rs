//! Two services on one PostgreSQL database.

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::model_service_client::ModelServiceClient;
use api::v1::train_response::Told;
use api::v1::{
    ActivateModelRequest, AdjustStockRequest, AdjustStockResponse, GetBookRequest, Model,
    OfferUpdate, RollBackModelRequest, TrainRequest, UpdateOffersRequest,
};
use server::data_folder::DataFolder;
use server::settings::Settings;
use tempfile::TempDir;
use testbed::postgres::{Database, database_or_skip};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::retraining;
use crate::running::{self, Running};

/// Two services with a folder each.
struct Replicas {
    one: Running,
    other: Running,
    _folders: [TempDir; 2],
}

impl Replicas {
    /// Serves the small shop.
    async fn start(database: &Database) -> Self {
        Self::start_with(database, running::settings()).await
    }

    async fn start_with(database: &Database, mut settings: Settings) -> Self {
        settings.store.database = database.url().to_owned().into();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let store = DataFolder::new(folders[0].path()).store(&settings).await.unwrap();
        running::add_books(&store).await;
        running::add_readers(&store).await;
        store.close().await;
        let one = Running::start_with(folders[0].path(), settings.clone()).await;
        let other = Running::start_with(folders[1].path(), settings).await;
        Self { one, other, _folders: folders }
    }

    async fn stop(self) {
        self.one.stop().await;
        self.other.stop().await;
    }
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

async fn adjust(running: &Running, request_id: &str) -> Result<AdjustStockResponse, Status> {
    let (request_id, book_id) = (request_id.to_owned(), "1".to_owned());
    let request = AdjustStockRequest { request_id, book_id, change: -1 };
    let mut client = CatalogServiceClient::new(running.channel.clone());
    Ok(client.adjust_stock(request).await?.into_inner())
}

async fn restock(running: &Running, stock: u32) {
    let offer = OfferUpdate { book_id: "1".to_owned(), stock: Some(stock), price: None };
    let mut client = CatalogServiceClient::new(running.channel.clone());
    client.update_offers(UpdateOffersRequest { offers: vec![offer] }).await.unwrap();
}

async fn stock(running: &Running) -> Option<u32> {
    let request = GetBookRequest { book_id: "1".to_owned(), ..GetBookRequest::default() };
    let mut client = CatalogServiceClient::new(running.channel.clone());
    client.get_book(request).await.unwrap().into_inner().book.unwrap().stock
}

#[tokio::test]
async fn the_last_unit_is_sold_by_one_of_two() {
    let Some(database) = database_or_skip("the last unit is sold by one of two") else { return };
    let Replicas { one, other, _folders } = Replicas::start(&database).await;
    for round in 0..10 {
        restock(&one, 1).await;
        let ids = [format!("one-{round}"), format!("other-{round}")];
        let answers = tokio::join!(adjust(&one, &ids[0]), adjust(&other, &ids[1]));
        let (sold, refused) = match answers {
            (Ok(sold), Err(refused)) | (Err(refused), Ok(sold)) => (sold, refused),
            both => panic!("{both:?}"),
        };
        assert_eq!(sold, AdjustStockResponse { stock: Some(0), applied_before: false });
        assert_eq!(reason(&refused), (Code::FailedPrecondition, "SOLD_OUT".to_owned()));
    }
    for running in [&one, &other] {
        running::until(async || stock(running).await == Some(0)).await;
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn one_purchase_that_is_sent_to_both_counts_once() {
    let Some(database) = database_or_skip("a purchase sent to both counts once") else { return };
    let Replicas { one, other, _folders } = Replicas::start(&database).await;
    restock(&one, 10).await;
    for (id, left) in ["a", "b", "c", "d", "e"].into_iter().zip((0..10).rev()) {
        let (here, there) = tokio::join!(adjust(&one, id), adjust(&other, id));
        let mut answers = [here.unwrap(), there.unwrap()];
        answers.sort_by_key(|answer| answer.applied_before);
        let expected = [false, true]
            .map(|applied_before| AdjustStockResponse { stock: Some(left), applied_before });
        assert_eq!(answers, expected, "{id}");
    }
    one.stop().await;
    other.stop().await;
}

async fn train(running: &Running) -> Model {
    let mut client = ModelServiceClient::new(running.channel.clone());
    let mut told = client.train(TrainRequest {}).await.unwrap().into_inner();
    loop {
        if let Told::Model(model) = told.message().await.unwrap().unwrap().told.unwrap() {
            return model;
        }
    }
}

async fn activate(running: &Running, version: &str) -> Result<Model, Status> {
    let request = ActivateModelRequest { version: version.to_owned() };
    let mut client = ModelServiceClient::new(running.channel.clone());
    Ok(client.activate_model(request).await?.into_inner().model.unwrap())
}

fn serves(running: &Running, version: &str) -> bool {
    running.live.model_version().is_some_and(|served| served.to_string() == version)
}

#[tokio::test]
async fn a_model_that_one_goes_back_to_is_served_by_both() {
    let Some(database) = database_or_skip("both go back to a model") else { return };
    let replicas = Replicas::start(&database).await;
    let Replicas { one, other, .. } = &replicas;
    let (first, second) = (train(one).await.version, train(other).await.version);
    running::until(async || serves(one, &second) && serves(other, &second)).await;
    let request = RollBackModelRequest { version: second };
    let mut client = ModelServiceClient::new(one.channel.clone());
    let model = client.roll_back_model(request).await.unwrap().into_inner().model.unwrap();
    assert_eq!((&model.version, model.active, model.served), (&first, true, true));
    assert!(serves(one, &first));
    running::until(async || serves(other, &first)).await;
    replicas.stop().await;
}

#[tokio::test]
async fn no_model_is_chosen_while_the_other_trains() {
    let Some(database) = database_or_skip("no choice while the other trains") else { return };
    // Far longer than the test may take.
    let slow = "[retrain]\non = false\n[train]\nlow_pass_iterations = 100\nneighbours = 2000\n";
    let replicas = Replicas::start_with(&database, running::settings_of(slow)).await;
    let Replicas { one, other, .. } = &replicas;
    let version = train(one).await.version;
    retraining::add_many_readers(one.store()).await;
    let mut client = ModelServiceClient::new(other.channel.clone());
    let mut told = client.train(TrainRequest {}).await.unwrap().into_inner();
    loop {
        let Some(Told::Progress(progress)) = told.message().await.unwrap().unwrap().told else {
            panic!("it has trained already");
        };
        if !progress.stage.is_empty() {
            break;
        }
    }
    let refused = activate(one, &version).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "TRAINING_RUNNING".to_owned()));
    drop(told);
    running::until(async || activate(one, &version).await.is_ok()).await;
    replicas.stop().await;
}
