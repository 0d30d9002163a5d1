//! What Prometheus reads, and the page that tells people of it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use api::v1::RecommendRequest;
use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use server::telemetry::metrics::{families, markdown};
use tonic::Code;

use crate::running::{self, Running};

const RECOMMEND: &str = "foreword.v1.RecommendationService/Recommend";

#[test]
fn the_page_for_people_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, markdown()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == markdown(),
        "docs/metrics.md is out of date; UPDATE_DOCS=1 cargo test -p server --test it metrics:: makes it anew"
    );
}

/// Names of the families on a page, as they are queried.
fn names(page: &str) -> BTreeSet<&str> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split(' ').next()).collect()
}

#[tokio::test]
async fn every_metric_of_the_page_is_served_after_a_call() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    running.v1().recommend(RecommendRequest::default()).await.unwrap();
    let page = running.admin.metrics().await;
    let declared: BTreeSet<String> = families().iter().map(|one| one.queried_name()).collect();
    assert_eq!(names(&page), declared.iter().map(String::as_str).collect());
    for name in &declared {
        // Without TLS there is no certificate, and nothing has changed that could be learnt.
        let absent = [
            "foreword_certificate_expires_seconds",
            "foreword_training_seconds",
            "foreword_training_peak_bytes",
        ];
        let has_samples = page.lines().any(|line| line.starts_with(name.as_str()));
        assert_eq!(has_samples, !absent.contains(&name.as_str()), "{name}");
    }
    running.stop().await;
}

#[tokio::test]
async fn calls_count_by_method_and_status() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let counted = async |method: &str, code: &str, error: &str| {
        let error =
            if error.is_empty() { String::new() } else { format!(",error_type=\"{error}\"") };
        let sample = format!(
            "rpc_server_call_duration_seconds_count{{rpc_system_name=\"grpc\",rpc_method=\"{method}\",rpc_response_status_code=\"{code}\"{error}}}"
        );
        running.admin.sample(&sample).await
    };
    assert_eq!(counted(RECOMMEND, "OK", "").await, Some(0.0));
    for _ in 0..3 {
        running.v1().recommend(RecommendRequest::default()).await.unwrap();
    }
    let many = RecommendRequest { max_results: -1, ..RecommendRequest::default() };
    let refused = running.v1().recommend(many).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    running::until(async || counted(RECOMMEND, "OK", "").await == Some(3.0)).await;
    running::until(async || counted(RECOMMEND, "INVALID_ARGUMENT", "").await == Some(1.0)).await;
    let unknown = running.call("/shop.Films/List", &[]).await;
    assert_eq!(unknown, Code::Unimplemented);
    running::until(async || counted("_OTHER", "UNIMPLEMENTED", "UNIMPLEMENTED").await == Some(1.0))
        .await;
    let open = format!("foreword_calls_open{{rpc_method=\"{RECOMMEND}\"}}");
    assert_eq!(running.admin.sample(&open).await, Some(0.0));
    let unknown_user = "foreword_fallbacks_total{reason=\"unknown_user\"}";
    assert_eq!(running.admin.sample(unknown_user).await, Some(3.0));
    running.stop().await;
}

#[tokio::test]
async fn prometheus_takes_both_formats() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let open = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    let answer = running.admin.ask(Method::GET, "/metrics", &[("accept", open)], "").await;
    assert!(
        answer.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics")
    );
    assert!(answer.text.ends_with("# EOF\n"));
    assert!(answer.text.contains("# TYPE foreword_stalls counter\n"));
    let answer = running.admin.get("/metrics").await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(answer.text.contains("# TYPE foreword_stalls_total counter\n"));
    let is_there = Command::new("promtool").arg("--version").output().is_ok();
    if is_there {
        check_with_promtool(&answer.text);
    } else {
        println!("promtool is not installed (Debian: prometheus): the page is not linted");
    }
    running.stop().await;
}

fn check_with_promtool(page: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// What no label may hold: it is in every path and header that the test sends.
const MARK: &str = "Zq7Zq7";

#[test]
fn nothing_that_a_client_sends_becomes_a_label() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = runtime.block_on(running::full_shop());
    let running = runtime.block_on(Running::start(folder.path()));
    let samples = || runtime.block_on(running.admin.metrics()).lines().count();
    // The first call of a method that is not served adds its series.
    runtime.block_on(running.call("/shop.Films/List", &[]));
    runtime.block_on(running.admin.metrics());
    let before = samples();
    let path = prop_oneof![
        "/[a-zA-Z0-9._~-]{1,20}/[a-zA-Z0-9._~-]{0,20}",
        Just("/foreword.v1.RecommendationService/Recommend".to_owned()),
        r"/foreword\.v1\.RecommendationService/[a-z]{1,20}",
    ];
    let name = prop_oneof![
        Just("x-request-id"),
        Just("traceparent"),
        Just("tracestate"),
        Just("authorization"),
        Just("user-agent"),
        Just("grpc-timeout"),
    ];
    let mut runner =
        TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    runner
        .run(&(path, name, "[ -~]{0,40}"), |(path, name, value)| {
            let path = if path.ends_with("/Recommend") { path } else { format!("{path}{MARK}") };
            runtime.block_on(running.call(&path, &[(name, &format!("{value}{MARK}"))]));
            let page = runtime.block_on(running.admin.metrics());
            prop_assert!(!page.contains(MARK));
            Ok(())
        })
        .unwrap();
    // A few statuses are new; sixty calls that were all different are not sixty series.
    let histogram = 19;
    assert!(samples() <= before + 6 * histogram, "{before} {}", samples());
    runtime.block_on(running.stop());
}
