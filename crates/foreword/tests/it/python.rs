//! Python's grpcio against the running binary: the tutorial's own way of calling it.

use std::process::Command;

use crate::needs;
use crate::shop;

#[test]
fn pythons_grpcio_calls_both_contracts_with_stubs_made_from_the_protos() {
    let Some(python) =
        needs::python("pythons_grpcio_calls_both_contracts_with_stubs_made_from_the_protos")
    else {
        return;
    };
    let server = shop::demo().start("demo --listen 127.0.0.1:0");
    let lines = server.read_until("Serving gRPC on localhost:");
    let port = lines.last().unwrap().split(['.', ':']).nth(1).unwrap();
    let script = needs::repository().join("crates/foreword/tests/python/client.py");
    let protos = needs::repository().join("crates/api/proto");
    let output = Command::new(python)
        .arg(script)
        .args([format!("127.0.0.1:{port}").as_ref(), protos.as_os_str()])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).ends_with("all calls answered as promised\n"));
    assert_eq!(server.end_with("-TERM"), 0);
}
