//! JSON over HTTP as others' tools see it: schemathesis, which holds the program to its own
//! `OpenAPI` document, and a client of the Connect protocol.

use std::process::Command;

use crate::needs;
use crate::shop;

#[test]
fn answers_are_as_the_openapi_document_says() {
    let Some(schemathesis) = needs::schemathesis("answers_are_as_the_openapi_document_says") else {
        return;
    };
    // It deletes books, merges users and whatever else there is.
    let shop = shop::own();
    let server = shop.start("demo --listen 127.0.0.1:0");
    let lines = server.read_until("Serving gRPC on localhost:");
    let port = lines.last().unwrap().split(['.', ':']).nth(1).unwrap();
    let scripts = needs::repository().join("crates/foreword/tests/python");
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(schemathesis)
        // It writes what it has found to the folder that it is started in.
        .current_dir(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", &scripts)
        .env("SCHEMATHESIS_HOOKS", "openapi_checks")
        .arg("--config-file")
        .arg(scripts.join("schemathesis.toml"))
        .args(["run", "--max-examples", "100"])
        .arg(format!("http://127.0.0.1:{port}/openapi.json"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(server.end_with("-TERM"), 0);
}

#[test]
fn a_client_of_the_connect_protocol_reads_answers_and_errors() {
    const TEST: &str = "a_client_of_the_connect_protocol_reads_answers_and_errors";
    let Some(python) = needs::python(TEST) else { return };
    let server = shop::demo().start("demo --listen 127.0.0.1:0");
    let lines = server.read_until("Serving gRPC on localhost:");
    let port = lines.last().unwrap().split(['.', ':']).nth(1).unwrap();
    let url = format!("http://127.0.0.1:{port}/foreword.v1.RecommendationService/Trending");
    let call = |versions: &[&str], request: &str| {
        // It lies beside the Python that it was installed with.
        let mut buf = Command::new(python.with_file_name("buf"));
        buf.args(["curl", "--protocol", "connect"]).args(versions);
        buf.arg("--schema").arg(needs::repository().join("crates/api/proto"));
        buf.args(["--data", request, &url]).output().unwrap()
    };
    // HTTP/1.1 and HTTP/2.
    for versions in [&[][..], &["--http2-prior-knowledge"]] {
        let answer = call(versions, r#"{"maxResults": 3}"#);
        let answer = String::from_utf8(answer.stdout).unwrap();
        assert_eq!(answer.matches("\"KIND_TRENDING\"").count(), 3, "{answer}");
        let refused = call(versions, r#"{"maxResults": -1}"#);
        let error = String::from_utf8(refused.stderr).unwrap();
        assert!(error.contains("\"invalid_argument\"") && error.contains("max_results"), "{error}");
    }
    assert_eq!(server.end_with("-TERM"), 0);
}
