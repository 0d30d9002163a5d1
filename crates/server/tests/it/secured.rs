//! TLS as the settings have it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use hyper_util::rt::TokioIo;
use server::data_folder::DataFolder;
use server::serve::{Openness, ServeError, Service};
use server::settings::{Address, Settings};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Uri};
use transport::development::{Existing, Plan, VALIDITY_DEFAULT, write_certificates};

use crate::running;

/// A folder with a shop, certificates, and settings that name some of them.
struct Shop {
    folder: TempDir,
}

impl Shop {
    async fn new() -> Self {
        let shop = Self { folder: running::full_shop().await };
        let plan = Plan { names: Vec::new(), validity: VALIDITY_DEFAULT, existing: Existing::Keep };
        write_certificates(&shop.certificates(), &plan, SystemTime::now()).unwrap();
        shop
    }

    fn certificates(&self) -> PathBuf {
        self.folder.path().join("certificates")
    }

    /// Settings with these keys of `[tls]`, each with a file of the certificates.
    fn settings(&self, keys: &[(&str, &str)]) -> Settings {
        let line =
            |(key, file): &(&str, &str)| format!("{key} = {:?}\n", self.certificates().join(file));
        let text = format!("[tls]\n{}", keys.iter().map(line).collect::<String>());
        let path = self.folder.path().join("settings.toml");
        std::fs::write(&path, text).unwrap();
        Settings::read(Some(&path)).unwrap()
    }

    async fn start(&self, settings: &Settings) -> Result<Service, ServeError> {
        let data = DataFolder::new(self.folder.path());
        Service::start(&data, settings, Openness::LoopbackOnly).await
    }
}

const SERVER: [(&str, &str); 2] = [("certificate", "server.pem"), ("key", "server.key")];
const MUTUAL: [(&str, &str); 3] = [SERVER[0], SERVER[1], ("client_ca", "ca.pem")];

/// What a client of these certificates trusts, and what it shows.
pub(crate) fn client(folder: &Path, shows_certificate: Option<&str>) -> ClientConfig {
    let certificates = |name: &str| CertificateDer::from_pem_file(folder.join(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificates("ca.pem")).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots);
    let mut config = match shows_certificate {
        None => config.with_no_client_auth(),
        Some(name) => {
            let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
            let chain = vec![certificates(&format!("{name}.pem"))];
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// A channel over TLS.
pub(crate) fn channel(port: u16, config: ClientConfig) -> Channel {
    let connector = TlsConnector::from(Arc::new(config));
    let connect = tower::service_fn(move |_: Uri| {
        let connector = connector.clone();
        async move {
            let socket = TcpStream::connect(("127.0.0.1", port)).await?;
            let name = ServerName::try_from("recommendations").unwrap();
            connector.connect(name, socket).await.map(TokioIo::new)
        }
    });
    let endpoint = Endpoint::from_static("http://recommendations");
    endpoint.connect_with_connector_lazy(connect)
}

/// How many books are trending, asked over TLS.
async fn ask(port: u16, config: ClientConfig) -> Result<usize, Status> {
    let mut client = RecommendationServiceClient::new(channel(port, config));
    let answer = client.trending(TrendingRequest::default()).await?;
    Ok(answer.into_inner().books.len())
}

/// Serves while `asking` asks at the port.
pub(crate) async fn while_served(service: Service, asking: impl AsyncFnOnce(u16)) {
    let [Address::Tcp(address)] = service.addresses() else { panic!("{:?}", service.addresses()) };
    let port = address.port();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(service.run(async { stopped.await.unwrap() }));
    asking(port).await;
    stop.send(()).unwrap();
    ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_service_is_served_with_the_certificate_of_the_settings() {
    let shop = Shop::new().await;
    let mut settings = shop.settings(&SERVER);
    settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
    let service = shop.start(&settings).await.unwrap();
    assert!(service.plaintext_addresses().is_empty());
    while_served(service, async |port| {
        assert_eq!(ask(port, client(&shop.certificates(), None)).await.unwrap(), 10);
        let plain = Endpoint::try_from(format!("http://127.0.0.1:{port}")).unwrap();
        let mut plain = RecommendationServiceClient::new(plain.connect_lazy());
        plain.trending(TrendingRequest::default()).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn a_service_that_asks_for_certificates_may_listen_beyond_this_machine() {
    let shop = Shop::new().await;
    let mut settings = shop.settings(&MUTUAL);
    settings.serve.listen = vec!["0.0.0.0:0".parse().unwrap()];
    let service = shop.start(&settings).await.unwrap();
    let folder = shop.certificates();
    while_served(service, async |port| {
        assert_eq!(ask(port, client(&folder, Some("client"))).await.unwrap(), 10);
        ask(port, client(&folder, None)).await.unwrap_err();
        // The right authority, but a certificate for servers.
        ask(port, client(&folder, Some("server"))).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn a_service_that_asks_for_none_may_not() {
    let shop = Shop::new().await;
    let mut settings = shop.settings(&SERVER);
    settings.serve.listen = vec!["0.0.0.0:0".parse().unwrap()];
    let error = shop.start(&settings).await.unwrap_err();
    assert!(matches!(error, ServeError::Open { .. }), "{error}");
    assert!(error.to_string().contains("tls.client_ca"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let shop = Shop::new().await;
    for (file, keys) in [
        ("missing.pem", [("certificate", "missing.pem"), SERVER[1]]),
        ("client.key", [SERVER[0], ("key", "client.key")]),
    ] {
        let error = shop.start(&shop.settings(&keys)).await.unwrap_err();
        assert!(matches!(error, ServeError::Tls(_)), "{error}");
        assert!(error.to_string().contains(file), "{error}");
    }
}
