//! A shop under test: a service with forty books and sixty readers, and the shop in front of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::event_entry::Entry;
use api::v1::event_service_client::EventServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    Book, Event, EventEntry, EventKind, ExportUserRequest, GetBookRequest, Price,
    RecordEventsRequest, StoredEvent, UpsertBooksRequest,
};
use marketplace::settings::{Settings, SignIn};
use marketplace::{Marketplace, Openness};
use server::data_folder::DataFolder;
use server::progress::{Progress, Silent};
use server::serve::Service;
use server::settings::Address;
use server::train::train;
use tempfile::TempDir;
use tokio::sync::{OnceCell, oneshot};
use tokio::task::JoinHandle;
use tonic::Code;
use tonic::transport::Channel;

use crate::browser::Browser;
use crate::faults::Faults;
use crate::proxy::Proxy;

/// What a page waits for the service here: long, since the machine is busy with other tests.
pub(crate) const PAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// A service and a shop; both end with it.
pub(crate) struct Shop {
    pub(crate) proxy: Proxy,
    pub(crate) faults: Faults,
    pub(crate) url: String,
    /// Asks the service past the proxy.
    pub(crate) channel: Channel,
    /// What the service runs on.
    pub(crate) executor: unstall::Executor,
    _folder: TempDir,
    _ends: [oneshot::Sender<()>; 2],
}

impl Shop {
    /// A demo shop.
    pub(crate) async fn demo() -> Self {
        Self::with(|settings| settings.sign_in = SignIn::Demo).await
    }

    /// A shop with other settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let shop = Self::before(service_settings(), change).await;
        shop.has_categories().await;
        shop
    }

    /// A shop with other settings, before a service with settings of its own. It may not know its
    /// categories yet; over TLS, `channel` does not reach the service.
    pub(crate) async fn before(
        service: server::settings::Settings,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(full_folder().await, folder.path());
        let faults = Faults::default();
        let Served { address, executor, end, .. } =
            serve(folder.path(), service, faults.clone()).await;
        let proxy = Proxy::start(address).await;
        let mut settings = Settings::reference();
        settings.listen = vec!["127.0.0.1:0".to_owned()];
        settings.page_timeout_ms = (PAGE_TIMEOUT.as_millis() as u32).try_into().unwrap();
        settings.act_timeout_ms = 10_000.try_into().unwrap();
        change(&mut settings);
        let scheme = if settings.tls.client_files().is_some() { "https" } else { "http" };
        settings.recommendations = format!("{scheme}://{}", proxy.address);
        let shop = Marketplace::start(&settings, None, Openness::LocalDemo).unwrap();
        let url = shop.url().unwrap();
        let (end_shop, ended) = oneshot::channel::<()>();
        tokio::spawn(async move {
            // Dropping the other end stops it too.
            shop.run(async { drop(ended.await) }).await.unwrap();
        });
        let ends = [end, end_shop];
        Self {
            proxy,
            faults,
            url,
            channel: channel(address),
            executor,
            _folder: folder,
            _ends: ends,
        }
    }

    /// Somebody who has just come.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// Somebody who is signed in.
    pub(crate) async fn reader(&self, id: &str) -> Browser {
        let mut browser = self.visitor();
        let page = browser.get("/sign-in").await.found();
        let token = page.field("token");
        browser.post("/sign-in", &[("token", &token), ("reader", id)]).await.found();
        browser
    }

    /// The bookseller, signed in.
    pub(crate) async fn bookseller(&self) -> Browser {
        let mut browser = self.visitor();
        let token = browser.get("/sign-in").await.found().field("token");
        let answer = browser.post_only("/sign-in", &[("token", &token), ("role", "admin")]).await;
        assert_eq!(answer.leads_to().as_deref(), Some("/console"));
        browser
    }

    /// The units of a book that can be sold.
    pub(crate) async fn stock(&self, book: &str) -> Option<u32> {
        let request = GetBookRequest { book_id: book.to_owned(), ..Default::default() };
        let found = CatalogServiceClient::new(self.channel.clone()).get_book(request).await;
        found.unwrap().into_inner().book.unwrap().stock
    }

    /// Everything that the service holds of a user; `None` if it knows nobody of that name.
    pub(crate) async fn stored(&self, user: &str) -> Option<Vec<StoredEvent>> {
        let request = ExportUserRequest { user_id: user.to_owned() };
        let asked = UserServiceClient::new(self.channel.clone()).export_user(request).await;
        let mut stored = Vec::new();
        let mut answers = match asked {
            Ok(answers) => answers.into_inner(),
            Err(status) if status.code() == Code::NotFound => return None,
            Err(status) => panic!("{status}"),
        };
        loop {
            match answers.message().await {
                Ok(Some(answer)) => stored.extend(answer.events),
                Ok(None) => return Some(stored),
                Err(status) if status.code() == Code::NotFound => return None,
                Err(status) => panic!("{status}"),
            }
        }
    }

    /// The events of one kind that count.
    pub(crate) async fn events(&self, user: &str, kind: EventKind) -> Vec<Event> {
        let stored = self.stored(user).await.unwrap_or_default().into_iter();
        let events = stored.filter(|stored| !stored.retracted).filter_map(|stored| stored.event);
        events.filter(|event| event.kind() == kind).collect()
    }

    /// Waits until the service holds so many events of one kind.
    pub(crate) async fn has_events(&self, user: &str, kind: EventKind, count: usize) -> Vec<Event> {
        for _ in 0..400 {
            let events = self.events(user, kind).await;
            if events.len() == count {
                return events;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{user} never had {count} events of kind {kind:?}");
    }

    /// Waits until the shop has told what nobody waited for before.
    pub(crate) async fn has_told_all(&self) {
        let witness = "a witness";
        let before = self.events(witness, EventKind::View).await.len();
        self.reader(witness).await.get("/books/9").await.found();
        self.has_events(witness, EventKind::View, before + 1).await;
    }

    /// Waits until the shop has asked for the categories of its menu.
    pub(crate) async fn has_categories(&self) {
        for _ in 0..200 {
            if self.visitor().get("/").await.has("/categories/mystery") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the shop never learnt its categories");
    }
}

/// A folder of a shop with a model, made once.
async fn full_folder() -> &'static Path {
    static FOLDER: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
    let made = FOLDER.get_or_init(async || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let served = serve(&path, service_settings(), Faults::default()).await;
        fill(channel(served.address)).await;
        drop(served.end);
        served.ended.await.unwrap();
        let data = DataFolder::new(&path);
        let settings = service_settings();
        let store = data.store(&settings).await.unwrap();
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let never = Arc::new(AtomicBool::new(false));
        train(&store, &data.models().unwrap(), &settings, &silent, &never).await.unwrap();
        store.close().await;
        (folder, path)
    });
    &made.await.1
}

/// A service in the clear, on this machine.
pub(crate) fn service_settings() -> server::settings::Settings {
    let mut settings = server::settings::Settings::read(None).unwrap();
    settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
    settings.admin.listen.clear();
    settings.retrain.on = false;
    settings
}

/// A service that runs until `end` is dropped.
struct Served {
    address: SocketAddr,
    executor: unstall::Executor,
    end: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn serve(folder: &Path, settings: server::settings::Settings, faults: Faults) -> Served {
    let open = server::serve::Openness::LoopbackOnly;
    let service = Service::start(&DataFolder::new(folder), &settings, open).await.unwrap();
    let Address::Tcp(address) = service.addresses()[0] else { panic!("not on TCP") };
    let executor = service.executor().clone();
    let (end, asked) = oneshot::channel::<()>();
    let ended = tokio::spawn(async move {
        service.run_with(faults, async { drop(asked.await) }).await.unwrap();
    });
    Served { address, executor, end, ended }
}

fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

/// Forty books, odd ones mysteries and even ones science fiction, and sixty readers: user `u` rated
/// the ten books from `u % 30` on.
async fn fill(channel: Channel) {
    let books = (1..=40).map(book).collect();
    let mut catalog = CatalogServiceClient::new(channel.clone());
    catalog.upsert_books(UpsertBooksRequest { books }).await.unwrap();
    let mut events = EventServiceClient::new(channel);
    for user in 1..=60 {
        let entries = (0..10).map(|step| rating(user, (user % 30 + step) % 40 + 1)).collect();
        events.record_events(RecordEventsRequest { entries }).await.unwrap();
    }
}

fn rating(user: u32, book: u32) -> EventEntry {
    let event = Event {
        event_id: format!("rated-{book}"),
        user_id: user.to_string(),
        book_id: book.to_string(),
        kind: EventKind::Rating.into(),
        rating: 5.0,
        ..Event::default()
    };
    EventEntry { entry: Some(Entry::Event(event)) }
}

/// Book 7 has three units, book 8 none; books 9, 11 and 13 are a series; 39 and 40 are two
/// editions of one work; the title of book 6 and the author of book 4 are traps.
fn book(number: u32) -> Book {
    let series = [9, 11, 13].iter().position(|volume| *volume == number);
    let trap = "<script>alert('book')</script>";
    Book {
        id: number.to_string(),
        title: if number == 6 { trap.to_owned() } else { format!("Book {number}") },
        authors: vec![if number == 4 { trap.to_owned() } else { format!("Author {}", number % 7) }],
        published_year: Some(1900 + i32::try_from(number).unwrap()),
        language: "en".to_owned(),
        categories: vec![if number % 2 == 1 { "mystery" } else { "science-fiction" }.to_owned()],
        series: series.map(|_| "The Odd Ones".to_owned()).unwrap_or_default(),
        volume: series.map(|place| place as f64 + 1.0),
        work_id: if number >= 39 { "work-39".to_owned() } else { String::new() },
        stock: match number {
            7 => Some(3),
            8 => Some(0),
            _ => None,
        },
        price: Some(Price { minor_units: 990 + i64::from(number), currency: "EUR".to_owned() }),
        min_age: (number == 10).then_some(16),
        isbn13: if number == 1 { "9780306406157".to_owned() } else { String::new() },
        ..Book::default()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
