//! The service trains by itself.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use api::v1::model_service_client::ModelServiceClient;
use api::v1::{RollBackModelRequest, SimilarBooksRequest};
use recommender::{ItemNumber, UserNumber};
use server::data_folder::DataFolder;
use server::settings::Settings;
use storage::ModelVersion;

use crate::running::{self, Running, until};

/// No wait is longer than it takes to see that it is over.
const SHORT: &str = "[retrain]\nquiet_ms = 1\nsoon_ms = 1\nlatest_ms = 1000\npause_ms = 1\n\
                     retry_ms = 1\nevents_share = 1.0\n";

async fn start(folder: &Path, settings: &str) -> Running {
    Running::start_with(folder, running::settings_of(settings)).await
}

async fn similar(running: &Running, book: u32) -> Vec<String> {
    let book_id = book.to_string();
    let request = SimilarBooksRequest { book_id, max_results: 10, ..Default::default() };
    let answer = running.v1().similar_books(request).await.unwrap().into_inner();
    answer.books.into_iter().filter_map(|book| Some(book.book?.id)).collect()
}

#[tokio::test]
async fn a_new_book_and_its_first_events_come_into_the_model_by_themselves() {
    let folder = running::full_shop().await;
    // Other changes would wait for ten minutes.
    let patient = SHORT.replace("latest_ms = 1000", "latest_ms = 600000");
    let running = start(folder.path(), &patient).await;
    let store = running::store(folder.path()).await;
    running::add_book(&store, 41).await;
    until(async || running.live.model_version() >= Some(2)).await;
    let generation = running.live.generation();
    let model = &generation.model().unwrap().model;
    assert!(model.index_of(ItemNumber(41)).is_some(), "the book is in the model");
    assert!(!similar(&running, 10).await.contains(&"41".to_owned()), "nobody has met it");

    for user in 61..=70 {
        running::add_ratings(&store, user, &[10, 41], 10).await;
    }
    until(async || similar(&running, 10).await.contains(&"41".to_owned())).await;
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"failed\"}").await, 0.0);
    store.close().await;
    running.stop().await;
}

#[tokio::test]
async fn a_user_who_is_deleted_is_soon_out_of_the_model() {
    let folder = running::full_shop().await;
    let running =
        start(folder.path(), &SHORT.replace("latest_ms = 1000", "latest_ms = 600000")).await;
    let users = || running.live.generation().model().map(|model| model.model.summary().users);
    assert_eq!(users(), Some(60));
    let store = running::store(folder.path()).await;
    let mut writer = store.begin().await.unwrap();
    assert_eq!(writer.delete_user(UserNumber(3)).await.unwrap(), 10);
    writer.commit().await.unwrap();
    store.close().await;
    until(async || users() == Some(59)).await;
    running.stop().await;
}

#[tokio::test]
async fn a_model_that_was_rolled_back_to_stays_until_a_user_of_it_is_deleted() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    running::add_book(&store, 41).await;
    running::add_ratings(&store, 61, &[10, 41], 10).await;
    running::train_once(folder.path()).await;
    // Any news would be trained at the look that finds it.
    let running = start(folder.path(), &SHORT.replace("latest_ms = 1000", "latest_ms = 1")).await;
    let mut models = ModelServiceClient::new(running.channel.clone());
    models.roll_back_model(RollBackModelRequest::default()).await.unwrap();
    assert_eq!(running.live.model_version(), Some(1));
    running::add_views(&store, 3, 1).await;
    running::add_ratings(&store, 62, &[41], 10).await;
    until(async || running.metric("foreword_changes_not_learnt{kind=\"events\"}").await == 2.0)
        .await;
    let mut writer = store.begin().await.unwrap();
    writer.delete_user(UserNumber(5)).await.unwrap();
    writer.commit().await.unwrap();
    until(async || running.live.model_version() != Some(1)).await;
    assert_eq!(running.live.model_version(), Some(3));
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"trained\"}").await, 1.0);
    store.close().await;
    running.stop().await;
}

#[tokio::test]
async fn a_training_that_waits_for_a_choice_leaves_it_as_it_is() {
    let folder = running::full_shop().await;
    running::train_once(folder.path()).await;
    let models = DataFolder::new(folder.path()).models().unwrap();
    let lock = models.lock().unwrap();
    let running = start(folder.path(), &SHORT.replace("latest_ms = 1000", "latest_ms = 1")).await;
    let store = running::store(folder.path()).await;
    running::add_views(&store, 3, 1).await;
    store.close().await;
    // It is decided for the model that is active, and waits for the turn.
    until(async || running.metric("foreword_training_under_way").await == 1.0).await;
    models.activate(&lock, ModelVersion(1)).unwrap();
    drop(lock);
    until(async || running.live.model_version() == Some(1)).await;
    until(async || running.metric("foreword_training_under_way").await == 0.0).await;
    assert!(running.metric("foreword_trainings_total{outcome=\"busy\"}").await >= 1.0);
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"trained\"}").await, 0.0);
    assert_eq!(models.versions().unwrap(), [ModelVersion(2), ModelVersion(1)]);
    running.stop().await;
}

#[tokio::test]
async fn any_change_is_learnt_in_the_end_and_then_nothing_is_trained_again() {
    let folder = running::full_shop().await;
    let running = start(folder.path(), SHORT).await;
    let store = running::store(folder.path()).await;
    running::add_views(&store, 3, 1).await;
    until(async || running.live.model_version() == Some(2)).await;
    until(async || running.metric("foreword_changes_not_learnt{kind=\"events\"}").await == 0.0)
        .await;
    assert!(running.metric("foreword_training_seconds").await > 0.0);
    // The next training is that of the next change.
    running::add_views(&store, 4, 1).await;
    until(async || running.live.model_version() >= Some(3)).await;
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"trained\"}").await, 2.0);
    running.stop().await;
    // Another process reads in the model what it was trained on.
    let running = start(folder.path(), SHORT).await;
    running::add_views(&store, 5, 1).await;
    until(async || running.metric("foreword_changes_not_learnt{kind=\"events\"}").await == 1.0)
        .await;
    until(async || running.live.model_version() >= Some(4)).await;
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"trained\"}").await, 1.0);
    running.stop().await;
    store.close().await;
}

#[tokio::test]
async fn a_shop_without_a_model_gets_one_once_there_is_something_to_learn() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), SHORT).await;
    let store = running::store(folder.path()).await;
    running::add_books(&store).await;
    until(async || running.live.generation().book_count() == 40).await;
    assert_eq!(running.live.model_version(), None);
    running::add_readers(&store).await;
    store.close().await;
    until(async || running.live.model_version().is_some()).await;
    // Books alone were not tried: that would have failed.
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"failed\"}").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn whoever_trains_by_hand_is_left_to_it() {
    let folder = running::full_shop().await;
    let models = DataFolder::new(folder.path()).models().unwrap();
    let lock = models.lock().unwrap();
    let running = start(folder.path(), SHORT).await;
    let store = running::store(folder.path()).await;
    running::add_book(&store, 41).await;
    store.close().await;
    until(async || running.metric("foreword_trainings_total{outcome=\"busy\"}").await >= 2.0).await;
    assert_eq!(running.live.model_version(), Some(1));
    drop(lock);
    until(async || running.live.model_version() == Some(2)).await;
    assert_eq!(running.metric("foreword_trainings_total{outcome=\"failed\"}").await, 0.0);
    running.stop().await;
}

#[tokio::test]
async fn a_training_that_fails_is_tried_again_and_the_service_goes_on() {
    let folder = running::full_shop().await;
    let in_the_way = folder.path().join("models/training.lock");
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    let running = start(folder.path(), SHORT).await;
    let store = running::store(folder.path()).await;
    running::add_book(&store, 41).await;
    store.close().await;
    until(async || running.metric("foreword_trainings_total{outcome=\"failed\"}").await >= 2.0)
        .await;
    assert!(!similar(&running, 10).await.is_empty());
    fs::remove_dir(&in_the_way).unwrap();
    until(async || running.live.model_version() == Some(2)).await;
    running.stop().await;
}

#[tokio::test]
async fn a_service_that_trains_stops_at_once() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    add_many_readers(&store).await;
    // Far longer than the test may take.
    let slow = format!("{SHORT}[train]\nlow_pass_iterations = 100\nneighbours = 2000\n");
    let running = start(folder.path(), &slow).await;
    until(async || running.metric("foreword_training_under_way").await == 1.0).await;
    let began = Instant::now();
    running.stop().await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    store.close().await;
    let models = DataFolder::new(folder.path()).models().unwrap();
    assert_eq!(models.active().unwrap(), Some(ModelVersion(1)));
    assert_eq!(models.versions().unwrap(), [ModelVersion(1)]);
    // The lock is free, and nothing half-done is left.
    drop(models.lock().unwrap());
    let names = fs::read_dir(folder.path().join("models")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.ends_with(".unfinished")));
}

/// Two thousand books, each liked by fifty of two thousand readers.
pub(crate) async fn add_many_readers(store: &storage::Store) {
    let mut writer = store.begin().await.unwrap();
    let books: Vec<_> = (41..=2040).map(running::book).collect();
    writer.put_books(&books).await.unwrap();
    writer.commit().await.unwrap();
    let mut writer = store.begin().await.unwrap();
    for user in 100..2100_u32 {
        let book = |step: u32| (user * 7 + step * step * 13) % 2000 + 41;
        let events: Vec<_> = (0..50)
            .map(|step| storage::NewEvent {
                user: UserNumber(user),
                ..running::purchase(book(step), &format!("bought-{step}"))
            })
            .collect();
        writer.append_events(&events).await.unwrap();
    }
    writer.commit().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_told_not_to_does_not_train() {
    let folder = running::full_shop().await;
    let settings: Settings =
        running::settings_of(&SHORT.replace("[retrain]", "[retrain]\non = false"));
    let running = Running::start_with(folder.path(), settings).await;
    let store = running::store(folder.path()).await;
    running::add_book(&store, 41).await;
    store.close().await;
    until(async || running.live.generation().book_count() == 41).await;
    // Long enough for one that is told to.
    let other = start(folder.path(), SHORT).await;
    until(async || other.live.model_version() == Some(2)).await;
    other.stop().await;
    assert!(running.metric("foreword_trainings_total{outcome=\"trained\"}").await <= 0.0);
    // It takes the other's.
    until(async || running.live.model_version() == Some(2)).await;
    running.stop().await;
}
