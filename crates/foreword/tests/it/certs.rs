//! `foreword certs`, and Python's grpcio with what it writes.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::needs;
use crate::program::Program;

#[test]
fn certificates_are_written_and_what_to_do_with_them_is_told() {
    let program = Program::new();
    let out = program.folder.path().join("certificates");
    let run = |more: &str| program.run(&format!("certs --out {} {more}", out.display()));
    let text = run("--name shop.example --days 3").succeeded();
    let day = |text: &str| {
        let (_, rest) = text.split_once("valid until ").unwrap();
        rest.split_once(',').unwrap().0.to_owned()
    };
    insta::assert_snapshot!(text.replace(&day(&text), "DAY"));
    for name in ["ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key"] {
        assert!(fs::read_to_string(out.join(name)).unwrap().starts_with("-----BEGIN "), "{name}");
    }

    let before = fs::read(out.join("ca.pem")).unwrap();
    insta::assert_snapshot!(run("").failed(1), @"error: DATA/certificates/ca.key is there already, and nothing was written; --force replaces it and the others");
    assert_eq!(fs::read(out.join("ca.pem")).unwrap(), before);

    let document: Value = serde_json::from_str(&run("--force --json").succeeded()).unwrap();
    assert_ne!(fs::read(out.join("ca.pem")).unwrap(), before);
    assert_eq!(document["client_key"], "DATA/certificates/client.key");
    assert_eq!(document["names"][0], "recommendations");
    assert!(document["expires"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn names_and_days_that_no_certificate_has_are_refused() {
    let program = Program::new();
    let out = program.folder.path().join("certificates");
    let run = |more: &[&str]| {
        let mut command = program.command_of(["certs", "--out", out.to_str().unwrap()]);
        crate::program::Ran::new(&command.args(more).output().unwrap(), program.folder.path())
    };
    insta::assert_snapshot!(run(&["--name", "http://shop"]).failed(1), @r#"error: --name: "http://shop" is neither a host name nor an IP address"#);
    assert!(run(&["--days", "0"]).failed(2).contains("0 is not in 1..=3650"));
    assert!(run(&["--days", "3651"]).failed(2).contains("3651 is not in 1..=3650"));
    assert!(!out.exists());
}

/// A service of grpcio over mutual TLS, and calls of clients that should and should not succeed.
const MUTUAL_TLS: &str = r#"
import concurrent.futures, pathlib, sys
import grpc

read = lambda name: (pathlib.Path(sys.argv[1]) / name).read_bytes()
ca, other = read("ca.pem"), pathlib.Path(sys.argv[2])

server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
echo = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", {"Say": echo})])
credentials = grpc.ssl_server_credentials([(read("server.key"), read("server.pem"))], ca, True)
port = server.add_secure_port("127.0.0.1:0", credentials)
server.start()

def call(target, key=None, certificate=None, name=None):
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    options = [("grpc.ssl_target_name_override", name)] if name else []
    with grpc.secure_channel(f"{target}:{port}", credentials, options) as channel:
        try:
            return channel.unary_unary("/test.Echo/Say")(b"hello", timeout=20) == b"hello"
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            return False

pair = read("client.key"), read("client.pem")
assert call("localhost", *pair)
assert call("127.0.0.1", *pair)
assert call("127.0.0.1", *pair, name="recommendations")
assert not call("127.0.0.1", *pair, name="elsewhere.example")
assert not call("localhost")
assert not call("localhost", (other / "client.key").read_bytes(), (other / "client.pem").read_bytes())
server.stop(None)
print("all calls ended as promised")
"#;

#[test]
fn pythons_grpcio_takes_the_certificates_on_both_sides() {
    let Some(python) = needs::python("pythons_grpcio_takes_the_certificates_on_both_sides") else {
        return;
    };
    let program = Program::new();
    let write = |name: &str| {
        let out = program.folder.path().join(name);
        program.run(&format!("certs --out {}", out.display())).succeeded();
        out
    };
    let output = Command::new(python)
        .args([Path::new("-c"), Path::new(MUTUAL_TLS), &write("one"), &write("other")])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout), "all calls ended as promised\n");
}
