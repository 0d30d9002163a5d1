//! The log as programs read it, and its levels while it runs.
//!
//! There is one log in a process, so one test has it all, but for panics: those of other tests
//! shall not go into the log, so these have a process of their own.

use std::io;
use std::panic::panic_any;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use api::v1::RecommendRequest;
use http::{Method, StatusCode};
use serde_json::Value;
use server::settings::LogFormat;
use server::telemetry::log::{Colours, finish, start_to};
use tonic::{Code, Request};

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
    let unknown = running.call("/shop.Films/List", &[("x-request-id", "log-test-unknown")]).await;
    assert_eq!(unknown, Code::Unimplemented);
    a_line_of_a_handler_names_its_call(&written, &running).await;
    for unseen in ["log-test-before", "log-test-after", "log-test-unknown", "Films"] {
        assert_eq!(written.lines(unseen), Vec::<String>::new());
    }
    running.stop().await;
}

async fn a_line_of_a_handler_names_its_call(written: &Written, running: &Running) {
    running.admin.ask(Method::PUT, "/debug/log", &[], "off,server=info").await;
    running.close_store().await;
    let user_id = "3".to_owned();
    let mut request = Request::new(RecommendRequest { user_id, ..RecommendRequest::default() });
    request.metadata_mut().insert("x-request-id", "log-test-handler".parse().unwrap());
    running.v1().recommend(request).await.unwrap();
    let line = written.line("log-test-handler").await;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["message"], "history cannot be read; answering with popular books");
    assert_eq!(line["request_id"], "log-test-handler");
    assert_eq!(line["method"], &RECOMMEND[1..]);
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

/// Set in the process that panics.
const PANICKING: &str = "LOG_TEST_PANICKING";

#[test]
fn panics_are_lines_of_the_log_while_there_is_one() {
    if let Some(levels) = std::env::var_os(PANICKING) {
        return panic_in_all_ways(levels.to_str().unwrap());
    }
    let run = |levels: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "log::panics_are_lines_of_the_log_while_there_is_one"]);
        let output = command.arg("--nocapture").env(PANICKING, levels).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let errors = run("error");
    let (log, after) = errors.split_once("\n\n").unwrap();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(&errors)).collect();
    let messages: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        ["panicked: no text\nbut this", "panicked: book 3", "panicked: not with a text"]
    );
    for line in &lines {
        assert_eq!((&line["level"], &line["target"]), (&"ERROR".into(), &"panic".into()));
        assert_eq!(line["thread"], "panicking");
        assert_eq!(line["request_id"], "r-1");
        let location = line["location"].as_str().unwrap();
        assert!(location.contains("tests/it/log.rs:"), "{location}");
    }
    assert!(after.contains("after the end") && !after.contains("book 3"), "{after}");
    // Where the log says nothing of them, they are told as ever.
    let errors = run("off");
    assert!(errors.contains("panicked at") && errors.contains("book 3"), "{errors}");
}

fn panic_in_all_ways(levels: &str) {
    start_to(io::stderr(), Colours::None, LogFormat::Json, levels.parse().unwrap());
    let panicking = |panicking: fn()| {
        let within = move || {
            tracing::error_span!("call", request_id = "r-1").in_scope(panicking);
        };
        let thread = thread::Builder::new().name("panicking".to_owned()).spawn(within);
        assert!(thread.unwrap().join().is_err());
    };
    panicking(|| panic!("no text\nbut this"));
    panicking(|| panic!("book {}", std::hint::black_box(3)));
    panicking(|| panic_any(3));
    finish();
    // The default hook begins with an empty line.
    panicking(|| panic!("after the end"));
}
