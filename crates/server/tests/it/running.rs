//! A small shop, served on a port of the system's choosing.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use api::tutorial::recommendations_client::RecommendationsClient;
use api::v1::event_service_client::EventServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use futures_util::{StreamExt as _, stream};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use recommender::offer::Offer;
use recommender::{EventKind, ItemNumber, Rating, UserNumber};
use server::data_folder::DataFolder;
use server::live::Live;
use server::progress::{Progress, Silent};
use server::recommend::Recommender;
use server::serve::{Openness, Service};
use server::settings::Settings;
use server::train::train;
use storage::{Book, EventId, EventOrigin, NewEvent, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tower::ServiceExt as _;

use crate::operator::Operator;

/// A service under test.
pub(crate) struct Running {
    pub(crate) admin: Operator,
    pub(crate) executor: unstall::Executor,
    pub(crate) address: String,
    pub(crate) channel: Channel,
    pub(crate) live: Arc<Live>,
    recommender: Arc<Recommender>,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    /// Serves a data folder.
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::start_with(folder, settings()).await
    }

    /// Serves a data folder with other settings than the defaults.
    pub(crate) async fn start_with(folder: &Path, settings: Settings) -> Self {
        Self::start_as(folder, settings, |service| service).await
    }

    /// The same with something done to the service before it runs.
    pub(crate) async fn start_as(
        folder: &Path,
        mut settings: Settings,
        prepare: impl FnOnce(Service) -> Service,
    ) -> Self {
        settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
        settings.admin.listen = vec!["127.0.0.1:0".parse().unwrap()];
        let data = DataFolder::new(folder);
        let service = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap();
        let address = format!("http://{}", service.plaintext_addresses()[0]);
        let recommender = Arc::clone(service.recommender());
        let live = Arc::clone(recommender.live());
        let admin = Operator::of(&service);
        let executor = service.executor().clone();
        let service = prepare(service);
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(async move {
            service.run(async { stopped.await.unwrap() }).await.unwrap();
        });
        let channel = Channel::from_shared(address.clone()).unwrap().connect().await.unwrap();
        Self { admin, executor, address, channel, live, recommender, stop, ended }
    }

    pub(crate) fn v1(&self) -> RecommendationServiceClient<Channel> {
        RecommendationServiceClient::new(self.channel.clone())
    }

    pub(crate) fn events(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    pub(crate) fn tutorial(&self) -> RecommendationsClient<Channel> {
        RecommendationsClient::new(self.channel.clone())
    }

    /// Calls any path with any headers and an empty message, and reads the answer to its end.
    pub(crate) async fn call(&self, path: &str, headers: &[(&str, &str)]) -> Code {
        let mut request =
            Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = tonic::body::Body::new(Full::new(Bytes::from_static(&[0; 5])));
        let answer = self.channel.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap();
        let status = parts.headers.get("grpc-status");
        let status = status.or_else(|| body.trailers()?.get("grpc-status"));
        status.map_or(Code::Unknown, |status| Code::from_bytes(status.as_bytes()))
    }

    /// The value of a metric, by the beginning of its line; -1 if there is none.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = self.admin.get("/metrics").await.text;
        let line = page.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit_once(' ')?.1.parse().ok()).unwrap_or(-1.0)
    }

    /// The store that it reads.
    pub(crate) fn store(&self) -> &Store {
        self.recommender.store()
    }

    /// Takes the store away from under it.
    pub(crate) async fn close_store(&self) {
        self.recommender.close().await;
    }

    /// Tells it to stop and waits until it has.
    pub(crate) async fn stop(self) {
        let Self { channel, live, recommender, stop, ended, .. } = self;
        drop((channel, live, recommender));
        stop.send(()).unwrap();
        ended.await.unwrap();
    }
}

/// The defaults, but for a port that several services would fight for, and trainings that nobody
/// asked for.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::read(None).unwrap();
    settings.admin.listen.clear();
    settings.retrain.on = false;
    settings
}

/// The defaults with what a file says.
pub(crate) fn settings_of(text: &str) -> Settings {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Settings::read(Some(file.path())).unwrap()
}

/// A stream that is open until it is dropped, since its client never says anything.
pub(crate) struct Open {
    _answers: Streaming<ServerReflectionResponse>,
    _until: oneshot::Sender<()>,
}

/// Opens a stream.
pub(crate) async fn open_stream(channel: Channel) -> Result<Open, Status> {
    let (until, dropped) = oneshot::channel();
    let silence = stream::pending::<ServerReflectionRequest>().take_until(dropped);
    let answers = ServerReflectionClient::new(channel).server_reflection_info(silence).await?;
    Ok(Open { _answers: answers.into_inner(), _until: until })
}

pub(crate) async fn store(folder: &Path) -> Store {
    DataFolder::new(folder).store(&settings()).await.unwrap()
}

/// Forty books: odd numbers are mysteries, even ones science fiction; books 39 and 40
/// are two editions of one work.
pub(crate) async fn add_books(store: &Store) {
    let mut writer = store.begin().await.unwrap();
    let books: Vec<Book> = (1..=40).map(book).collect();
    writer.put_books(&books).await.unwrap();
    writer.commit().await.unwrap();
}

/// Adds one book more.
pub(crate) async fn add_book(store: &Store, number: u32) {
    let mut writer = store.begin().await.unwrap();
    writer.put_books(&[book(number)]).await.unwrap();
    writer.commit().await.unwrap();
}

/// Changes how books are offered.
pub(crate) async fn put_offers(
    store: &Store,
    numbers: RangeInclusive<u32>,
    offer: impl Fn(u32) -> Offer,
) {
    let mut writer = store.begin().await.unwrap();
    let books: Vec<Book> =
        numbers.map(|number| Book { offer: offer(number), ..book(number) }).collect();
    writer.put_books(&books).await.unwrap();
    writer.commit().await.unwrap();
}

/// A book of the shop.
pub(crate) fn book(number: u32) -> Book {
    Book {
        number: ItemNumber(number),
        id: number.to_string(),
        title: format!("Book {number}"),
        authors: vec![format!("Author {}", number % 7)],
        published_year: Some(1900 + number as i32),
        language: Some(if number.is_multiple_of(5) { "en-US" } else { "en" }.to_owned()),
        categories: vec![if number % 2 == 1 { "mystery" } else { "sci-fi" }.to_owned()],
        series: None,
        volume: None,
        work: (39..=40).contains(&number).then(|| "work-39".to_owned()),
        isbn13: None,
        cover_url: None,
        publisher: None,
        offer: Offer::default(),
    }
}

/// Sixty readers: user `u` rated the ten books from `u % 30` on.
pub(crate) async fn add_readers(store: &Store) {
    for user in 1..=60 {
        let books: Vec<u32> = (0..10).map(|step| (user % 30 + step) % 40 + 1).collect();
        add_ratings(store, user, &books, 10).await;
    }
}

/// Lets a user rate books with so many half stars.
pub(crate) async fn add_ratings(store: &Store, user: u32, books: &[u32], half_stars: u8) {
    let event = |book: &u32| NewEvent {
        kind: EventKind::Rating,
        rating: Rating::from_half_stars(half_stars),
        time_ms: None,
        ..view(user, *book, &format!("{book}-{half_stars}"))
    };
    append(store, &books.iter().map(event).collect::<Vec<_>>()).await;
}

/// Lets a user look at book 40 so many times, later than everything else.
pub(crate) async fn add_views(store: &Store, user: u32, count: u32) {
    let views = (0..count).map(|count| view(user, 40, &format!("view-{count}")));
    append(store, &views.collect::<Vec<_>>()).await;
}

/// The first user buys a book.
pub(crate) fn purchase(book: u32, event_id: &str) -> NewEvent {
    NewEvent { kind: EventKind::Purchase, ..view(1, book, event_id) }
}

fn view(user: u32, book: u32, event_id: &str) -> NewEvent {
    NewEvent {
        user: UserNumber(user),
        item: ItemNumber(book),
        event_id: EventId::new(event_id.as_bytes()).unwrap(),
        kind: EventKind::View,
        rating: None,
        time_ms: Some(1),
        recorded_ms: 1,
        origin: EventOrigin::Client,
        attribution_token: None,
    }
}

async fn append(store: &Store, events: &[NewEvent]) {
    let mut writer = store.begin().await.unwrap();
    writer.append_events(events).await.unwrap();
    writer.commit().await.unwrap();
}

/// Trains and activates; returns the version.
pub(crate) async fn train_once(folder: &Path) -> String {
    train_with(folder, &settings()).await
}

/// The same with other settings.
pub(crate) async fn train_with(folder: &Path, settings: &Settings) -> String {
    let data = DataFolder::new(folder);
    let store = data.store(settings).await.unwrap();
    let silent: Arc<dyn Progress> = Arc::new(Silent);
    let never = Arc::new(AtomicBool::new(false));
    let models = data.models().unwrap();
    let trained = train(&store, &models, settings, &silent, &never).await.unwrap();
    store.close().await;
    trained.model_version
}

/// Asks until the condition holds, for a minute at most.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came true");
}

/// A shop with books, readers and a model.
pub(crate) async fn full_shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    add_books(&store).await;
    add_readers(&store).await;
    store.close().await;
    train_once(folder.path()).await;
    folder
}
