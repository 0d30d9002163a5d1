//! The log as programs read it, and its levels while it runs.
//!
//! There is one log in a process, so one test has it all.

use std::io;
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};
use serde_json::Value;
use server::settings::LogFormat;
use server::telemetry::log::{Colours, start_to};
use tonic::Code;

use crate::running::{self, Running};

const RECOMMEND: &str = "/foreword.v1.RecommendationService/Recommend";

/// What was logged so far.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// The lines that hold a text; every line of the log is one object.
    fn lines(&self, text: &str) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        let all = String::from_utf8(bytes).unwrap();
        let whole = all.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().filter(|line| line.contains(text));
        lines.map(ToOwned::to_owned).collect()
    }

    async fn line(&self, text: &str) -> String {
        running::until(async || !self.lines(text).is_empty()).await;
        self.lines(text).remove(0)
    }
}

#[tokio::test]
async fn lines_have_one_shape_and_levels_change_while_the_service_runs() {
    let written = Written::default();
    let levels = "off,log_test=info".parse().unwrap();
    start_to(written.clone(), Colours::None, LogFormat::Json, levels);
    lines_have_one_shape(&written).await;

    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let operator = &running.admin;
    assert_eq!(operator.get("/debug/log").await.text, "off,log_test=info\n");
    let call = async |name: &str| {
        assert_eq!(running.call(RECOMMEND, &[("x-request-id", name)]).await, Code::Ok);
    };
    call("log-test-before").await;
    let put =
        async |levels: &'static str| operator.ask(Method::PUT, "/debug/log", &[], levels).await;
    let refused = put("info,access=loud").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.text.contains("\"access=loud\" is no level; expected error"),
        "{}",
        refused.text
    );
    let taken = put("off,access=info").await;
    assert_eq!((taken.status, taken.text.as_str()), (StatusCode::OK, "off,access=info\n"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("x-request-id", "log-test-during"), ("traceparent", trace)];
    assert_eq!(running.call(RECOMMEND, &headers).await, Code::Ok);
    a_call_has_a_line(&written.line("log-test-during").await);
    // With access=warn, the client's own errors are not told of, and the service's are.
    put("off,access=warn").await;
    call("log-test-after").await;
    running.call("/shop.Films/List", &[("x-request-id", "log-test-unknown")]).await;
    let line = written.line("log-test-unknown").await;
    assert!(
        line.contains("\"level\":\"WARN\"") && line.contains("\"code\":\"UNIMPLEMENTED\""),
        "{line}"
    );
    for unseen in ["log-test-before", "log-test-after", "Films"] {
        assert_eq!(written.lines(unseen), Vec::<String>::new());
    }
    running.stop().await;
}

async fn lines_have_one_shape(written: &Written) {
    let (bad, error) = ("a\u{1b}[31m\n\"b\"", io::Error::other("no\ndisk"));
    let error: &dyn std::error::Error = &error;
    tracing::info!(target: "log_test", bad, error, books = 3, share = 0.5, level = "high", "a {}", "message");
    tracing::debug!(target: "log_test", "not asked for");
    let line = written.line("log_test").await;
    let (first, rest) = line.split_once(',').unwrap();
    let timestamp = first.strip_prefix("{\"timestamp\":\"").unwrap().strip_suffix('"').unwrap();
    assert!(timestamp.ends_with('Z') && timestamp.len() == 27, "{timestamp}");
    assert_eq!(
        rest,
        r#""level":"INFO","target":"log_test","message":"a message","bad":"a\u001b[31m\n\"b\"","books":3,"error":"no\ndisk","level_":"high","share":0.5}"#
    );
    assert_eq!(written.lines("not asked for").len(), 0);
}

fn a_call_has_a_line(line: &str) {
    let line: Value = serde_json::from_str(line).unwrap();
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("level"), "INFO");
    assert_eq!(text("target"), "access");
    assert_eq!(text("message"), "call");
    assert_eq!(text("method"), &RECOMMEND[1..]);
    assert_eq!(text("code"), "OK");
    assert_eq!(text("request_id"), "log-test-during");
    assert_eq!(text("trace_id"), "0af7651916cd43dd8448eb211c80319c");
    assert!(text("peer").starts_with("127.0.0.1:"), "{line}");
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
}
