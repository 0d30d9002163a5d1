//! The program as `deploy/` starts it: with the rendered arguments, environment and files, asked on the
//! rendered probes as a kubelet would, and stopped within the rendered time.
//!
//! Addresses and folders are other ones, since there is no container; everything else is as it is
//! rendered.

mod certificates;
mod compose;
mod container;
mod manifests;
mod selectors;

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::rule_service_client::RuleServiceClient;
use api::v1::{ListRulesRequest, RecommendRequest};
use serde_json::Value;
use testbed::postgres::{Database, database_or_skip};
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};

use crate::program::Program;
use crate::serve::{Manager, Serving, secured};
use certificates::Authority;
use container::{Container, Ports, get};
use manifests::{Manifests, number};

/// The most that the longest stop may come close to being killed.
const TO_SPARE: Duration = Duration::from_secs(2);

/// Contents of secrets, by name of the secret and key.
type Secrets = BTreeMap<(String, String), String>;

/// A set of values and what it needs.
struct Release {
    manifests: Manifests,
    /// The namespace's name of the service, which clients know it by.
    host: &'static str,
    secrets: Secrets,
    ports: Ports,
    /// A shop of three books is brought in with these global arguments.
    store: Option<Database>,
}

impl Release {
    /// `None` if there is no PostgreSQL for a set that needs it.
    fn of(set: &str, host: &'static str) -> Option<Self> {
        let manifests = Manifests::read(set);
        let mut release =
            Self { host, secrets: Secrets::new(), ports: Ports::free(), store: None, manifests };
        if release.manifests.find("Job", "foreword-migration").is_some() {
            let database = database_or_skip(&format!("deployed, {set}"))?;
            for key in ["url", "uri"] {
                release.secret("foreword-database", key, database.url());
            }
            release.store = Some(database);
        }
        release.secret("shop-cookie", "key", &"c".repeat(32));
        release.secret("shop-sign-in", "key", &"s".repeat(32));
        release.secret("foreword-database-authority", "ca.crt", "");
        let key = r#"{"keys": [{"kty": "oct", "alg": "HS256", "k": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}"#;
        release.secret("token-keys", "jwks.json", key);
        Some(release)
    }

    fn secret(&mut self, name: &str, key: &str, content: &str) {
        self.secrets.insert((name.to_owned(), key.to_owned()), content.to_owned());
    }

    /// The only container of a Deployment or Job.
    fn container(&self, kind: &str, name: &str) -> Container {
        let pod = &self.manifests.get(kind, name)["spec"]["template"]["spec"];
        let mut container = Container::new(&pod["containers"][0], &self.ports, self.host);
        container.mount(pod, &self.manifests, &self.secrets);
        container
    }

    /// Brings the schema up to date as the Job does, if there is one.
    fn migrate(&self) {
        if self.store.is_some() {
            let job = self.container("Job", "foreword-migration");
            let output = job.command().output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{output:?}");
            assert!(said.contains("A new store in postgres"), "{said}");
        }
    }

    /// Brings books and events into the store of a service.
    fn fill(&self, service: &Container) {
        let folder = service.path("/var/lib/foreword");
        let program = Program::new();
        let [books, events] =
            ["books.csv", "events.csv"].map(|name| program.folder.path().join(name));
        std::fs::write(&books, "book,title\n1,Dune\n2,Emma\n3,Ulysses\n").unwrap();
        std::fs::write(&events, "user,book\nann,1\nann,2\nbob,2\nbob,3\n").unwrap();
        let arguments = format!(
            "--data-dir {} {} import csv --books {} --interactions {}",
            folder.display(),
            self.database(),
            books.display(),
            events.display()
        );
        program.run(&arguments).succeeded();
    }

    fn database(&self) -> String {
        self.store.as_ref().map(|it| format!("--database {}", it.url())).unwrap_or_default()
    }

    /// An API key as an operator makes it for the shop.
    fn api_key(&self) -> String {
        let roles = "--role reader --role writer --role admin";
        let create = format!("{} keys create --json --name shop {roles}", self.database());
        let made: Value = serde_json::from_str(&Program::new().run(&create).succeeded()).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }
}

/// A started container, and what its pod promises of the end.
struct Pod {
    serving: Serving,
    manager: Manager,
    grace: Duration,
}

impl Pod {
    /// Starts a Deployment's container, and waits as a kubelet does for what it asks.
    fn start(release: &Release, name: &str, container: &Container) -> Self {
        let pod = &release.manifests.get("Deployment", name)["spec"]["template"]["spec"];
        let spec = &pod["containers"][0];
        let manager = Manager::new();
        let mut command = container.command();
        manager.watch(&mut command);
        let mut serving = Serving::start(command);
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            container.answers(&spec[probe]["httpGet"], &mut serving);
        }
        assert!(manager.is_told().contains("READY=1"));
        let seconds = number(&pod["terminationGracePeriodSeconds"])
            - number(&spec["lifecycle"]["preStop"]["sleep"]["seconds"]);
        Self { serving, manager, grace: Duration::from_secs(seconds) }
    }

    /// SIGTERM, as after preStop: it ends well, and would not be killed even if it took the longest.
    fn stop(self) {
        self.serving.signal("-TERM");
        let told = loop {
            let told = self.manager.is_told();
            if told.contains("STOPPING=1") {
                break told;
            }
        };
        let (_, micros) = told.split_once("EXTEND_TIMEOUT_USEC=").unwrap();
        let longest = Duration::from_micros(micros.lines().next().unwrap().parse().unwrap());
        assert!(longest + TO_SPARE <= self.grace, "{longest:?} of {:?}", self.grace);
        assert_eq!(self.serving.code(), Some(0));
    }
}

/// Who calls.
enum Caller {
    Anybody(Channel),
    Key(Channel, String),
}

impl Caller {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Self::Key(_, key) = self {
            let bearer = MetadataValue::try_from(format!("Bearer {key}")).unwrap();
            request.metadata_mut().insert("authorization", bearer);
        }
        request
    }

    fn channel(&self) -> Channel {
        match self {
            Self::Anybody(channel) | Self::Key(channel, _) => channel.clone(),
        }
    }

    /// A reader's call, and one of an admin.
    async fn may_do_what_the_shop_does(&self) {
        let question = RecommendRequest { user_id: "zoe".into(), ..RecommendRequest::default() };
        let mut client = RecommendationServiceClient::new(self.channel());
        let answer = client.recommend(self.request(question)).await.unwrap().into_inner();
        assert_eq!(answer.books.len(), 3);
        let mut rules = RuleServiceClient::new(self.channel());
        rules.list_rules(self.request(ListRulesRequest::default())).await.unwrap();
    }
}

/// Starts what a set of values deploys, and lets the shop ask the service.
async fn check(mut release: Release, with_key: bool) {
    release.migrate();
    let key = with_key.then(|| release.api_key());
    if let Some(key) = &key {
        release.secret("shop-api-key", "key", key);
    }
    let service = release.container("Deployment", "foreword");
    release.fill(&service);
    let running = Pod::start(&release, "foreword", &service);
    let mut shop = release.container("Deployment", "foreword-shop");
    // The service is at another address here, by the same name.
    shop.set("FOREWORD_MARKETPLACE__TLS__SERVER_NAME", release.host);

    let port = release.ports.calls();
    let plain = || Endpoint::try_from(format!("http://127.0.0.1:{port}")).unwrap().connect_lazy();
    let files = ["ca.crt", "tls.crt", "tls.key"].map(|it| shop.path("/etc/foreword/tls").join(it));
    let [authority, chain, secret] = &files;
    let caller = match key {
        Some(key) => Caller::Key(plain(), key),
        None if !authority.exists() => Caller::Anybody(plain()),
        None => {
            let unknown = secured(port, release.host, authority, None);
            let mut unknown = RecommendationServiceClient::new(unknown);
            unknown.recommend(RecommendRequest::default()).await.unwrap_err();
            Caller::Anybody(secured(port, release.host, authority, Some((chain, secret))))
        }
    };
    caller.may_do_what_the_shop_does().await;

    let selling = Pod::start(&release, "foreword-shop", &shop);
    let (status, page) = get(release.ports.shop(), "/books/1");
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Dune"), "{page}");
    if let Some(title) = shop.variable("FOREWORD_MARKETPLACE__TITLE") {
        let title = title.replace('&', "&#38;");
        assert!(page.contains(&title), "{title}: {page}");
    }
    selling.stop();
    running.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_with_a_file_starts_as_rendered() {
    let Some(release) = Release::of("sqlite", "foreword.books.svc.cluster.local") else { return };
    check(release, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_a_database_start_as_rendered_and_take_keys() {
    let host = "foreword.books.svc.cluster.local";
    let Some(release) = Release::of("postgres", host) else { return };
    check(release, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_certificates_are_taken_as_rendered() {
    let host = "foreword.books.svc.cluster.local";
    let Some(mut release) = Release::of("given-secrets", host) else { return };
    let program = Program::new();
    let out = program.folder.path().join("certificates");
    program.run(&format!("certs --out {} --name {host}", out.display())).succeeded();
    let file = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    for (secret, name) in [("foreword-server", "server"), ("foreword-client", "client")] {
        release.secret(secret, "ca.crt", &file("ca.pem"));
        release.secret(secret, "tls.crt", &file(&format!("{name}.pem")));
        release.secret(secret, "tls.key", &file(&format!("{name}.key")));
    }
    check(release, false).await;
}

/// The same with certificates as the rendered resources ask cert-manager for them.
async fn check_with_issued_certificates(set: &str, host: &'static str) {
    let Some(mut release) = Release::of(set, host) else { return };
    let authority = Authority::new();
    let asked: Vec<Value> = release.manifests.all("Certificate").cloned().collect();
    assert_eq!(asked.len(), 2);
    for certificate in &asked {
        let spec = &certificate["spec"];
        let secret = spec["secretName"].as_str().unwrap();
        for (key, content) in authority.issue(spec) {
            release.secret(secret, key, &content);
        }
    }
    check(release, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_may_call_by_the_uri_in_its_certificate() {
    let host = "foreword.books.svc.cluster.local";
    check_with_issued_certificates("mtls-cert-manager", host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_value_starts_as_rendered() {
    check_with_issued_certificates("everything", "foreword.books.svc.cluster.example").await;
}
