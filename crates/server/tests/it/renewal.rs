//! New models and books come into service without a pause.

use std::fs;
use std::path::Path;

use api::v1::RecommendRequest;
use server::data_folder::DataFolder;
use storage::{ModelFolderError, ModelVersion};

use crate::running::{self, Running, until};

fn request() -> RecommendRequest {
    RecommendRequest { user_id: "3".to_owned(), ..RecommendRequest::default() }
}

async fn version_served(running: &Running) -> String {
    running.v1().recommend(request()).await.unwrap().into_inner().model_version
}

/// Gives book 1 another title, behind the server's back.
async fn retitle(folder: &Path, title: &str) {
    let store = running::store(folder).await;
    let mut book = store.books_after(None, 1).await.unwrap().remove(0);
    title.clone_into(&mut book.title);
    let mut writer = store.begin().await.unwrap();
    writer.put_books(&[book]).await.unwrap();
    writer.commit().await.unwrap();
    store.close().await;
}

fn title_served(running: &Running) -> String {
    let generation = running.live.generation();
    let index = generation.index_of_id("1").unwrap();
    generation.book(index).unwrap().title.clone()
}

#[tokio::test]
async fn a_new_model_is_served_without_a_restart_or_a_failed_request() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut client = running.v1();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let asking = tokio::spawn(async move {
        let mut answers = 0;
        let mut versions = Vec::new();
        while stopped.try_recv().is_err() {
            let answer = client.recommend(request()).await.unwrap().into_inner();
            assert_eq!(answer.books.len(), 10);
            answers += 1;
            if versions.last() != Some(&answer.model_version) {
                versions.push(answer.model_version);
            }
        }
        (answers, versions)
    });
    for _ in 0..4 {
        let version = running::train_once(folder.path()).await;
        until(async || version_served(&running).await == version).await;
    }
    stop.send(()).unwrap();
    let (answers, versions) = asking.await.unwrap();
    assert!(answers > 10, "{answers}");
    assert!(versions.is_sorted() && versions.len() > 2, "{versions:?}");
    running.stop().await;
}

#[tokio::test]
async fn changed_books_are_served_without_a_training() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    retitle(folder.path(), "A New Title").await;
    until(async || title_served(&running) == "A New Title").await;
    assert_eq!(version_served(&running).await, "1");
    running.stop().await;
}

#[tokio::test]
async fn a_broken_model_is_refused_and_the_one_before_goes_on_serving() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let models = DataFolder::new(folder.path()).models().unwrap();
    // Training verifies what it writes, so the broken files are put in place behind its back.
    let good = fs::read(models.path(ModelVersion(1))).unwrap();
    let broken = [&good[..good.len() / 2], b"not a snapshot", &flipped(&good)];
    for (version, broken) in (2..).map(ModelVersion).zip(broken) {
        fs::write(models.path(version), broken).unwrap();
        let error = models.activate(&models.lock().unwrap(), version).unwrap_err();
        assert!(matches!(error, ModelFolderError::Damaged { .. }), "{error}");
        // Not even a pointer to it makes it served; books are renewed all the same.
        fs::write(folder.path().join("models/active"), version.file_name() + "\n").unwrap();
        retitle(folder.path(), &format!("Title {version}")).await;
        until(async || title_served(&running) == format!("Title {version}")).await;
        assert_eq!(version_served(&running).await, "1");
        // Whoever changes a book is not told of the model, neither the first time nor again.
        for title in [format!("First {version}"), format!("Second {version}")] {
            let before = running.live.generation().books_revision();
            retitle(folder.path(), &title).await;
            running.live.serve_books(before + 1).await.unwrap();
            assert_eq!(title_served(&running), title);
        }
    }
    // A server that starts now falls back to the version before.
    let second = Running::start(folder.path()).await;
    assert_eq!(version_served(&second).await, "1");
    second.stop().await;
    running.stop().await;
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}
