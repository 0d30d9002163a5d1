//! The shop from its start to its end.

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use api::v1::{BookOrder, ListBooksRequest};
use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::MatchedPath;
use axum::middleware::{from_fn, from_fn_with_state};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::metadata::MetadataValue;
use tower::ServiceBuilder;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use transport::client::{Channel, ChannelError};
use transport::tls::{ClientTls, Tls, TlsError, Watcher};
use transport::unstall::{self, Executor, LayerError, Unstall};
use transport::{Address, ListenError, Listeners, OtherRequests, Server, StartError, supervisor};

use crate::assets::Assets;
use crate::bare;
use crate::console::{Figures, Training};
use crate::headers::{self, Headers};
use crate::outbox::{LAST_TELLING, Messenger, outbox};
use crate::own_host;
use crate::pages;
use crate::random;
use crate::remembered::Remembered;
use crate::service::{Channels, Service, TRAINING_TIME, Times, Waiting};
use crate::session::{Cookies, FormTokens, SingleSignOn};
use crate::settings::{BadValue, Settings, SignIn};
use crate::shop::{Inner, Shop};

/// The most bytes that a request may have. A file that is too long for us is read up to here, so
/// that its sender comes to read why it is refused.
const REQUEST_BYTES_MAX: NonZeroUsize = NonZeroUsize::new(32 << 20).expect("it is not zero");

/// The most bytes that all requests on their way may have announced: nothing of them is held.
const ANNOUNCED_BYTES_MAX: NonZeroUsize =
    NonZeroUsize::new(64 * REQUEST_BYTES_MAX.get()).expect("it is not zero");

/// How long such a file may be on its way.
const UPLOAD_TIME: Duration = Duration::from_secs(5 * 60);

/// How long any answer may take; what waits for the service has shorter limits of its own.
const ANSWER_TIME: Duration = Duration::from_secs(6 * 60);

/// How often the catalogue's part of what is remembered is renewed; sooner after a failure.
const RENEWAL: Duration = Duration::from_secs(30);
const RENEWAL_AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Books of the plain shelf.
const PLAIN_BOOKS: i32 = 24;

/// How often files of certificates are looked at.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(1);

/// The shop, listening; [`Marketplace::run`] lets it answer.
#[derive(Debug)]
pub struct Marketplace {
    settings: Settings,
    listeners: Listeners,
    addresses: Vec<Address>,
    tls: Option<Tls>,
    executor: Executor,
    channels: Channels,
    _client_watcher: Option<Watcher>,
}

/// Why the shop could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum MarketplaceError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] BadValue),
    /// Visitors could be anybody whom they like, and others can reach the shop.
    #[error(
        "{address} can be reached from other machines, and marketplace.sign_in is \"demo\", so that anybody can be any reader; add --insecure if that is meant, or listen on 127.0.0.1"
    )]
    OpenDemo {
        /// The address.
        address: Address,
    },
    /// An address cannot be listened on.
    #[error("{0}; marketplace.listen or --listen chooses another address")]
    Listen(#[from] ListenError),
    /// Certificates cannot be used.
    #[error("{0}; [marketplace.tls] names the files")]
    Tls(#[from] TlsError),
    /// The service cannot be called.
    #[error("cannot call the recommendations service: {0}")]
    Channel(#[from] ChannelError),
    /// There is no thread to be had for the pages.
    #[error(transparent)]
    Executor(#[from] unstall::StartError),
    /// There is no thread to be had for connections.
    #[error(transparent)]
    Transport(#[from] StartError),
    /// A thread of the transport has ended: a defect.
    #[error("a thread that serves connections has ended; start the shop again")]
    Broken,
    /// The system does not tell where it listens.
    #[error("cannot listen: {0}")]
    Io(#[from] io::Error),
}

/// Whether a demo may be reached by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// A demo is for this machine only.
    LocalDemo,
    /// It is meant.
    Insecure,
}

impl Marketplace {
    /// Listens, and prepares to call the service; `host` is what the environment says of where
    /// that is. The service need not be there yet. To be called on a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`MarketplaceError`] says what to do.
    pub fn start(
        settings: &Settings,
        host: Option<&str>,
        openness: Openness,
    ) -> Result<Self, MarketplaceError> {
        settings.check()?;
        settings.warn_of_a_key_in_the_clear(host)?;
        let listeners = Listeners::bind(&settings.addresses()?)?;
        let addresses = listeners.addresses()?;
        refuse_open_demo(settings, &addresses, openness)?;
        let tls = settings.tls.files().map(Tls::load).transpose()?;
        let client_tls = settings.tls.client_files().map(ClientTls::load).transpose()?;
        let client_watcher = client_tls.clone();
        let client_watcher = client_watcher
            .map(|tls| Watcher::start_for_client(tls, CERTIFICATES_EVERY))
            .transpose()?;
        let (target, patient) = (settings.target(host)?, calls(settings));
        let page = patient.clone().for_callers_who_wait(settings.page_timeout());
        let channels = Channels {
            page: Channel::new(target.clone(), page, client_tls.clone())?,
            patient: Channel::new(target, patient, client_tls)?,
        };
        let executor = Executor::start(unstall::Settings::for_this_machine(), ())?;
        Ok(Self {
            settings: settings.clone(),
            listeners,
            addresses,
            tls,
            executor,
            channels,
            _client_watcher: client_watcher,
        })
    }

    /// Holds the settings, as [`Marketplace::start`] does before it listens: for whoever has much
    /// to do before that. Of what systemd has bound nothing is known yet.
    ///
    /// # Errors
    ///
    /// [`MarketplaceError::Settings`] and [`MarketplaceError::OpenDemo`].
    pub fn check(settings: &Settings, openness: Openness) -> Result<(), MarketplaceError> {
        settings.check()?;
        let mut addresses = settings.addresses()?;
        addresses.retain(|address| *address != Address::Systemd);
        refuse_open_demo(settings, &addresses, openness)
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where a browser on this machine finds it, if it listens on TCP.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.addresses.iter().find_map(|address| match address {
            Address::Tcp(address)
                if address.ip().is_loopback() || address.ip().is_unspecified() =>
            {
                Some(format!("{scheme}://localhost:{}", address.port()))
            }
            Address::Tcp(address) => Some(format!("{scheme}://{address}")),
            _ => None,
        })
    }

    /// Answers until `stop` ends, then lets open answers finish.
    ///
    /// # Errors
    ///
    /// If serving fails; being told to stop is no error.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), MarketplaceError> {
        let Self { settings, listeners, addresses, tls, executor, channels, .. } = self;
        let is_local = |address: &Address| matches!(address, Address::Tcp(_)) && address.is_local();
        let is_local_demo = settings.sign_in == SignIn::Demo && addresses.iter().all(is_local);
        let watcher = tls.clone().map(|tls| Watcher::start(tls, CERTIFICATES_EVERY));
        let _watcher = watcher.transpose()?;
        let (shop, messenger) = shop(&settings, channels);
        let router = pages::router(shop.clone());
        let router = around(router, &settings, executor.clone(), is_local_demo);
        let server = Server::start(limits(), listeners, tls, &executor, router)?;
        supervisor::ready();
        let (tell, told) = watch::channel(false);
        let stopped = || {
            let mut told = told.clone();
            async move {
                // An error means that the sender is gone: stopped as well.
                let _ = told.wait_for(|told| *told).await;
            }
        };
        let messages = tokio::spawn(messenger.run(stopped()));
        let renewal = tokio::spawn(renew(shop.clone(), stopped()));
        let ended = tokio::select! {
            () = stop => Ok(()),
            () = server.failed() => Err(MarketplaceError::Broken),
        };
        // Consoles would stay for as long as they are looked at.
        shop.figures.close();
        shop.training.close();
        supervisor::stopping(server.drain_at_most() + LAST_TELLING);
        server.drain().await;
        tell.send_replace(true);
        for task in [messages, renewal] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the shop has ended before its time");
            }
        }
        ended
    }
}

fn refuse_open_demo(
    settings: &Settings,
    addresses: &[Address],
    openness: Openness,
) -> Result<(), MarketplaceError> {
    let open = addresses.iter().find(|address| !address.is_local());
    match open {
        Some(address) if settings.sign_in == SignIn::Demo && openness == Openness::LocalDemo => {
            Err(MarketplaceError::OpenDemo { address: address.clone() })
        }
        _ => Ok(()),
    }
}

/// What all requests share, and who empties the outbox.
fn shop(settings: &Settings, channels: Channels) -> (Shop, Messenger) {
    let authorization = match settings.api_key.expose() {
        "" => None,
        key => MetadataValue::try_from(format!("Bearer {key}")).ok().map(|mut value| {
            value.set_sensitive(true);
            value
        }),
    };
    let times = Times {
        page: settings.page_timeout(),
        act: settings.act_timeout(),
        stream: UPLOAD_TIME + settings.import_timeout(),
    };
    let service = Arc::new(Service::new(channels, authorization, times));
    let (outbox, messenger) = outbox(Arc::clone(&service), settings.untold_events_max.get());
    let key = match settings.cookie_key.expose() {
        "" => {
            tracing::warn!(
                "marketplace.cookie_key is empty: a key is drawn, and visits end with this process"
            );
            random::bytes::<64>().to_vec()
        }
        key => key.as_bytes().to_vec(),
    };
    let header = HeaderName::try_from(&settings.sign_in_header);
    let single_sign_on = match (settings.sign_in, header) {
        (SignIn::Header, Ok(header)) => {
            Some(SingleSignOn::new(header, settings.sign_in_key.expose().as_bytes()))
        }
        _ => None,
    };
    let shop = Shop::new(Inner {
        service: Arc::clone(&service),
        remembered: Remembered::new(settings),
        outbox,
        cookies: Cookies::new(&key, settings.is_secure()),
        form_tokens: FormTokens::new(&key),
        single_sign_on,
        assets: Assets::new(),
        figures: Figures::new(Arc::clone(&service)),
        training: Training::new(Arc::clone(&service)),
        settings: settings.clone(),
    });
    (shop, messenger)
}

/// What stands around the pages: from the inside, the executor, the own name of a demo, headers,
/// and packing.
fn around(pages: Router, settings: &Settings, executor: Executor, is_local_demo: bool) -> Router {
    let on_the_executor = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(async |headers: HeaderMap, error: LayerError| {
            bare::lost(&headers, &error)
        }))
        .layer(Unstall::new(executor).name_by(route).timeout(ANSWER_TIME));
    let pages = pages.layer(on_the_executor);
    let pages = if is_local_demo { pages.layer(from_fn(own_host::only)) } else { pages };
    pages
        .layer(from_fn_with_state(Headers::new(settings), headers::add))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
}

/// What requests are named by: their route, since addresses hold ids.
fn route(parts: &Parts) -> &str {
    parts.extensions.get::<MatchedPath>().map_or("nothing here", MatchedPath::as_str)
}

fn limits() -> transport::Settings {
    transport::Settings {
        message_bytes_max: REQUEST_BYTES_MAX,
        unfinished_bytes_max: ANNOUNCED_BYTES_MAX,
        message_timeout: UPLOAD_TIME,
        other_requests: OtherRequests::PassOn,
        ..transport::Settings::for_this_machine()
    }
}

/// How the service is called: a page that waits for a second try is late, but one that finds a
/// closed connection gets another at once.
fn calls(settings: &Settings) -> transport::client::Settings {
    let mut calls = transport::client::Settings::for_a_nearby_service();
    calls.retries.idempotent_methods = api::idempotent_methods();
    calls.retries.backoff_first = Duration::from_millis(20);
    // Each call has a deadline of its own; an import waits for whoever sends it.
    calls.timeout = TRAINING_TIME.max(UPLOAD_TIME + settings.import_timeout());
    calls.ejection.backoff_max = Duration::from_secs(5);
    calls.names.servers.clone_from(&settings.name_servers);
    let name = &settings.tls.server_name;
    calls.server_name = (!name.is_empty()).then(|| name.clone());
    calls
}

/// Keeps categories and the plain shelf current, so that pages need not ask for them.
async fn renew(shop: Shop, stopped: impl Future<Output = ()>) {
    let renewing = async {
        loop {
            let request = ListBooksRequest {
                order: BookOrder::Popular.into(),
                page_size: PLAIN_BOOKS,
                ..ListBooksRequest::default()
            };
            // No page waits for these.
            let (categories, books) = tokio::join!(
                shop.service.list_categories(Waiting::Patient),
                shop.service.list_books(request, Waiting::Patient)
            );
            let is_renewed = categories.is_ok() && books.is_ok();
            if let Ok(categories) = categories {
                shop.remembered.keep_categories(categories.categories);
            }
            if let Ok(books) = books {
                shop.remembered.keep_plain(books.books);
            }
            sleep(if is_renewed { RENEWAL } else { RENEWAL_AFTER_FAILURE }).await;
        }
    };
    tokio::select! {
        () = stopped => {}
        () = renewing => {}
    }
}
