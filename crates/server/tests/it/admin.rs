//! The port for operators, as probes, Prometheus and people ask it.

use api::v1::RecommendRequest;
use http::{Method, StatusCode};
use server::data_folder::DataFolder;
use server::serve::{Openness, Service};
use tokio::sync::oneshot;
use tonic::transport::Channel;

use crate::operator::Operator;
use crate::running::{self, Running};

fn port_of_its_own() -> server::settings::Settings {
    let mut settings = running::settings();
    settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
    settings.admin.listen = vec!["127.0.0.1:0".parse().unwrap()];
    settings
}

#[tokio::test]
async fn probes_tell_the_start_from_the_service_and_its_stop() {
    let folder = running::full_shop().await;
    let data = DataFolder::new(folder.path());
    let service = Service::start(&data, &port_of_its_own(), Openness::LoopbackOnly).await.unwrap();
    let admin = Operator::of(&service);
    let executor = service.executor().clone();
    let check = async |path: &str, status: StatusCode, text: &str| {
        let answer = admin.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text.starts_with(text), "{path}: {}", answer.text);
    };
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    check("/livez", StatusCode::OK, "live").await;
    check("/startupz", busy, "starting").await;
    check("/readyz", busy, "starting").await;
    let address = service.plaintext_addresses()[0];
    let (stop, stopped) = oneshot::channel();
    let running = tokio::spawn(service.run(async { stopped.await.unwrap() }));
    running::until(async || admin.get("/readyz").await.status == StatusCode::OK).await;
    check("/startupz", StatusCode::OK, "serving").await;
    check("/livez", StatusCode::OK, "live").await;
    // A connection with an open call holds the drain up for a while.
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    let _open = running::open_stream(channel.connect().await.unwrap()).await.unwrap();
    stop.send(()).unwrap();
    running::until(async || admin.get("/readyz").await.status == busy).await;
    check("/readyz", busy, "stopping").await;
    check("/startupz", StatusCode::OK, "stopping").await;
    check("/livez", StatusCode::OK, "live").await;
    running.await.unwrap().unwrap();
    drop(executor);
}

#[tokio::test]
async fn a_stall_is_counted_and_told_with_its_method_while_it_lasts() {
    let folder = running::full_shop().await;
    let data = DataFolder::new(folder.path());
    let service = Service::start(&data, &port_of_its_own(), Openness::LoopbackOnly).await.unwrap();
    let admin = Operator::of(&service);
    let executor = service.executor().clone();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let stalled = executor.spawn("/foreword.v1.RecommendationService/Trending", async move {
        let _ = held.recv();
    });
    let method = "foreword.v1.RecommendationService/Trending";
    running::until(async || {
        let sample = format!("foreword_stalls_total{{rpc_method=\"{method}\",kind=\"blocked\"}}");
        admin.sample(&sample).await == Some(1.0)
            && admin.sample("foreword_stalled").await == Some(1.0)
    })
    .await;
    running::until(async || admin.get("/debug/stalls").await.text.contains(method)).await;
    // It is told once, as it was last, however long it lasts.
    let people = admin.get("/debug/stalls?format=text").await.text;
    assert_eq!(people.matches(&format!(": /{method} blocked")).count(), 1, "{people}");
    let programs = admin.get("/debug/stalls").await;
    assert_eq!(programs.headers["content-type"], "application/json");
    let reports: serde_json::Value = serde_json::from_str(&programs.text).unwrap();
    let [report] = &reports.as_array().unwrap()[..] else { panic!("{reports:#}") };
    assert_eq!(report["method"], format!("/{method}"));
    assert!(["begun", "lasting"].contains(&report["stage"].as_str().unwrap()), "{report:#}");
    assert_eq!(report["kind"], "blocked");
    assert!(report["stack"].is_array() && report["at"].is_string(), "{report:#}");
    drop(release);
    stalled.await.unwrap();
    running::until(async || admin.sample("foreword_stalled").await == Some(0.0)).await;
}

#[tokio::test]
async fn it_answers_when_every_worker_is_stuck() {
    let folder = running::full_shop().await;
    let mut settings = port_of_its_own();
    settings.admin.listen = vec!["127.0.0.1:0".parse().unwrap()];
    let running = Running::start_with(folder.path(), settings).await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Arc::new(std::sync::Mutex::new(held));
    let jobs: Vec<_> = (0..300)
        .map(|number| {
            let held = std::sync::Arc::clone(&held);
            running.executor.spawn(&format!("stuck-{}", number % 7), async move {
                let _ = held.lock().unwrap().recv();
            })
        })
        .collect();
    running::until(async || running.admin.sample("foreword_stalled").await > Some(10.0)).await;
    for path in ["/livez", "/readyz", "/metrics", "/debug/stalls", "/debug/connections"] {
        assert_eq!(running.admin.get(path).await.status, StatusCode::OK, "{path}");
    }
    drop(release);
    for job in jobs {
        let _ = job.await;
    }
    running.stop().await;
}

#[tokio::test]
async fn connections_are_shown_with_what_they_do() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    running.v1().recommend(RecommendRequest::default()).await.unwrap();
    let answer = running.admin.get("/debug/connections").await;
    let shown: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(shown["open"], 1);
    assert_eq!(shown["accepted"], 1);
    assert_eq!(shown["ended"]["closed"], 0);
    assert_eq!(shown["left_out"], 0);
    let row = &shown["connections"][0];
    assert!(row["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{row}");
    assert!(row["age_seconds"].as_f64().unwrap() >= 0.0, "{row}");
    running.stop().await;
}

#[tokio::test]
async fn settings_are_shown_whole_and_without_secrets() {
    let secret = "authorization=Bearer hunter2";
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = format!("[traces]\nheaders = \"{secret}\"\n[serve]\nresults_max = 77");
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let settings = server::settings::Settings::read(Some(file.path())).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    let folder = running::full_shop().await;
    let running = Running::start_with(folder.path(), settings).await;
    let answer = running.admin.get("/debug/settings").await;
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    let shown: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(shown["traces.headers"]["value"], "***");
    assert_eq!(shown["serve.results_max"]["value"], 77);
    assert_eq!(shown["serve.results_default"]["from"], "default");
    let from = shown["serve.results_max"]["from"].as_str().unwrap();
    assert_eq!(from, format!("{}:4", file.path().display()));
    // Every key of the reference is there.
    let reference = server::settings::REFERENCE.lines();
    let mut section = "";
    for line in reference {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            assert!(shown.get(format!("{section}.{key}")).is_some(), "{section}.{key}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn web_pages_are_kept_from_debug_and_probes_may_ask_by_any_name() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let check = async |path: &str, header: (&str, &str), expected: StatusCode| {
        let answer = running.admin.ask(Method::GET, path, &[header], "").await;
        assert_eq!(answer.status, expected, "{path} {header:?}");
    };
    for path in ["/debug/settings", "/debug/stalls", "/debug/connections", "/debug/log"] {
        check(path, ("origin", "https://evil.example"), StatusCode::FORBIDDEN).await;
        check(path, ("host", "evil.example"), StatusCode::FORBIDDEN).await;
        check(path, ("host", "localhost:50052"), StatusCode::OK).await;
    }
    check("/metrics", ("host", "prometheus.shop.example"), StatusCode::OK).await;
    check("/readyz", ("host", "foreword.shop.svc"), StatusCode::OK).await;
    check("/else", ("host", "localhost"), StatusCode::NOT_FOUND).await;
    let posted = running.admin.ask(Method::POST, "/debug/stalls", &[], "").await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    running.stop().await;
}

#[tokio::test]
async fn a_chosen_address_that_is_taken_stops_the_start_and_the_default_does_not() {
    let folder = running::full_shop().await;
    let data = DataFolder::new(folder.path());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = port_of_its_own();
    let address = taken.local_addr().unwrap();
    settings.admin.listen = vec![server::settings::Address::Tcp(address)];
    let error = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains(&format!("cannot listen on {address}")), "{error}");
    assert!(error.contains("admin.listen chooses another address"), "{error}");
    // Whether or not another program has the default port, the service starts.
    settings.admin.listen = server::settings::Settings::read(None).unwrap().admin.listen;
    let one = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap();
    let other = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap();
    assert!(other.admin_addresses().is_empty());
    drop(one);
}
