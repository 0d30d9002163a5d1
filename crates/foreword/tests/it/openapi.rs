//! The program held to its own OpenAPI document by schemathesis.

use std::process::Command;

use crate::needs;
use crate::shop;

#[test]
fn answers_are_as_the_openapi_document_says() {
    let Some(schemathesis) = needs::schemathesis("answers_are_as_the_openapi_document_says") else {
        return;
    };
    let server = shop::demo().start("demo --listen 127.0.0.1:0");
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
