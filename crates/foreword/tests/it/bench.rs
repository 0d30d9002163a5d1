//! `foreword bench load` against a running demo shop.

use std::collections::BTreeMap;
use std::net::TcpListener;

use serde_json::Value;

use crate::program::{Program, Ran, Started};
use crate::shop;

fn serve() -> (Started, String) {
    let server = shop::demo().start("demo --listen 127.0.0.1:0");
    let lines = server.read_until("Serving gRPC on localhost:");
    let port = lines.last().unwrap().split(['.', ':']).nth(1).unwrap();
    let address = format!("127.0.0.1:{port}");
    (server, address)
}

/// A document with the types of its values in place of the values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::Object(fields) => {
            let shapes: BTreeMap<&String, Value> =
                fields.iter().map(|(name, value)| (name, shape(value))).collect();
            serde_json::to_value(shapes).unwrap()
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn scripts_get_one_document() {
    let (server, address) = serve();
    let program = Program::new();
    let arguments = format!(
        "bench load --to {address} --to {address} --rounds 2 --rate 200 --for 300ms --warm-up 100ms --pid {0} --pid {0} --json",
        server.id()
    );
    let text = program.run(&arguments).succeeded();
    let document: Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&shape(&document)).unwrap());
    assert_eq!(document["plan"]["duration_seconds"], 0.3);
    let targets = document["targets"].as_array().unwrap();
    assert_eq!((targets.len(), document["ratios"].as_array().unwrap().len()), (2, 1));
    for report in targets.iter().flat_map(|target| target["rounds"].as_array().unwrap()) {
        let outcomes = report["outcomes"].as_array().unwrap();
        assert_eq!((outcomes.len(), &outcomes[0]["outcome"]), (1, &"OK".into()));
        assert_eq!(outcomes[0]["count"], report["requests"]);
    }
    assert_eq!(server.end_with("-TERM"), 0);
}

#[test]
fn every_call_is_answered_in_both_loops() {
    let (server, address) = serve();
    let program = Program::new();
    for call in ["recommend", "similar", "trending", "tutorial"] {
        for load in
            ["--rate 100", "--rate 100 --arrivals constant", "--in-flight 3 --connections 2"]
        {
            let arguments =
                format!("bench load --to {address} --call {call} {load} --for 200ms --warm-up 0s");
            // On a busy machine the last request may come too late to be sent.
            let Ran { output: table, errors, .. } = program.run(&arguments);
            assert!(errors.is_empty() || errors.contains("could not be sent"), "{errors}");
            assert!(!errors.contains("went wrong"), "{errors}");
            for text in [call, "p99.9", "latency less probe", "good answers per second"] {
                assert!(table.contains(text), "{text:?} in {table}");
            }
            assert_eq!(table.contains("sent late by"), load.starts_with("--rate"), "{table}");
        }
    }
    assert_eq!(server.end_with("-TERM"), 0);
}

#[test]
fn rounds_are_shown_with_medians_and_ratios() {
    let (server, address) = serve();
    let arguments = format!(
        "bench load --to {address} --to {address} --rounds 3 --rate 100 --for 100ms --warm-up 0s"
    );
    let table = Program::new().run(&arguments).succeeded();
    assert_eq!(table.matches("\n 3 ").count(), 2, "{table}");
    assert_eq!(table.matches("\n median ").count(), 2, "{table}");
    assert!(table.contains(&format!("{address} / {address}")), "{table}");
    assert_eq!(server.end_with("-TERM"), 0);
}

#[test]
fn requests_that_go_wrong_are_shown_and_end_with_1() {
    let (server, address) = serve();
    let arguments = format!(
        "bench load --to {address} --call similar --books 900000..900001 --rate 100 --for 200ms --warm-up 0s"
    );
    let ran = Program::new().run(&arguments);
    assert!(ran.output.contains("\nNOT_FOUND: "), "{}", ran.output);
    let errors = ran.failed(1);
    assert!(errors.contains("requests went wrong"), "{errors}");
    assert_eq!(server.end_with("-TERM"), 0);
}

#[test]
fn users_that_the_shop_does_not_know_are_noted() {
    let (server, address) = serve();
    let arguments = format!(
        "bench load --to http://{address} --users 900000..900009 --in-flight 1 --for 100ms --warm-up 0s"
    );
    let ran = Program::new().run(&arguments);
    assert!(ran.errors.contains("a fallback"), "{}", ran.errors);
    ran.succeeded();
    assert_eq!(server.end_with("-TERM"), 0);
}

#[test]
fn an_interrupted_run_still_tells_what_it_measured() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Nothing is due before the signal comes.
    let arguments = format!("bench load --to {address} --rate 0.0001 --for 1h --warm-up 0s --json");
    let bench = Program::new().start(&arguments);
    let _connection = listener.accept().unwrap();
    let (code, text) = bench.end_and_read("-INT");
    assert_eq!(code, 130, "{text}");
    let document: Value = serde_json::from_str(&text).unwrap();
    let report = &document["targets"][0]["rounds"][0];
    assert_eq!((&report["stopped_early"], &report["requests"]), (&true.into(), &0.into()));
}

#[test]
fn what_cannot_be_run_is_told() {
    let program = Program::new();
    let refused = |arguments: &str| program.run(&format!("bench load {arguments}")).failed(2);
    let neither = refused("");
    assert!(neither.contains("--rate") && neither.contains("--in-flight"), "{neither}");
    assert!(refused("--rate 1 --in-flight 1").contains("cannot be used with"));
    assert!(refused("--in-flight 1 --arrivals constant").contains("cannot be used with"));
    assert!(refused("--rate 1 --for 10").contains("such as 10s, 500ms or 1m 30s"));
    assert!(refused("--rate 1 --users 5..1").contains("such as 1..2000"));
    assert!(refused("--rate 1 --tls-cert x").contains("--tls-ca"));
    let failed = |arguments: &str| program.run(&format!("bench load {arguments}")).failed(1);
    insta::assert_snapshot!(failed("--rate 0"), @"error: 0 requests per second, expected more than 0 and at most 1,000,000");
    insta::assert_snapshot!(failed("--in-flight 500 --connections 4"), @"error: 500 requests in flight need more than 4 connections with 100 streams each; take more connections or streams");
    insta::assert_snapshot!(failed("--rate 1 --to a:1 --to b:1 --pid 1"), @"error: 1 --pid for 2 --to, expected none, or one for each --to in the same order");
    insta::assert_snapshot!(failed("--rate 1 --to localhost"), @"error: bad address \"localhost\", expected HOST:PORT");
    insta::assert_snapshot!(failed("--rate 1 --to https://a:1"), @"error: --to https://a:1 needs --tls-ca");
    let ca = failed("--rate 1 --tls-ca no-such-file");
    assert!(ca.starts_with("error: cannot read --tls-ca no-such-file: "), "{ca}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let nobody = failed(&format!("--rate 1 --to {address}"));
    assert!(nobody.starts_with(&format!("error: no connection to {address}: ")), "{nobody}");
    assert!(nobody.trim_end().ends_with("serve` starts the service, --to says where it is"));
}

#[test]
fn each_size_is_measured_in_a_process_of_its_own_told_and_drawn() {
    let program = Program::new();
    let plot = program.folder.path().join("scale.svg");
    let arguments = "bench scale --items 300,200 --interactions-per-item 20";
    let told = program.run(&format!("{arguments} --plot {} --json", plot.display())).succeeded();
    let rows: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&rows[0]["items"], &rows[1]["items"]), (&200.into(), &300.into()));
    assert!(
        rows[0]["snapshot_bytes"].as_u64().unwrap() < rows[1]["snapshot_bytes"].as_u64().unwrap()
    );
    let picture = std::fs::read_to_string(plot).unwrap();
    assert!(picture.contains(">200</text>") && picture.contains(">300</text>"), "{picture}");
    let table = program.run(arguments).succeeded();
    assert!(table.contains("µs per item"), "{table}");
    assert!(program.run("bench scale --items 0").failed(2).contains("from 1 to"));
}

#[cfg(target_os = "linux")]
#[test]
fn trainings_are_measured_beside_calls_and_new_books_come_to_be_known() {
    let arguments = "bench retrain --in-flight 1 --items 300 --interactions-per-item 20 --for 300ms --rounds 1 \
                     --new-books 1 --events-per-second 50 --json";
    // On a busy machine a request may come too late to be sent, which is told as an error.
    let measured = Program::new().run(arguments).output;
    let document: Value = serde_json::from_str(&measured).unwrap();
    let beside = &document["beside"];
    for paired in [&beside["all"], &beside["half"]] {
        let names = [0, 1].map(|place| &paired["targets"][place]["address"]);
        assert_eq!(names, ["without trainings", "with trainings"]);
        assert_eq!(paired["ratios"][0]["address"], "with trainings");
        assert!(paired["ratios"][0]["p99"]["median"].is_number(), "{paired}");
        assert_eq!(wrong(paired), 0, "{paired}");
    }
    let freshness = &document["freshness"];
    assert!(freshness["appeared_seconds"][0].is_number(), "{freshness}");
    assert!(freshness["trainings"][0]["peak_bytes"].as_u64() > Some(0), "{freshness}");
}

/// How many answers were wrong, in all rounds of a measurement.
#[cfg(target_os = "linux")]
fn wrong(measured: &Value) -> u64 {
    match measured {
        Value::Object(fields) => {
            let here = fields.get("wrong").and_then(Value::as_u64).unwrap_or(0);
            here + fields.values().map(wrong).sum::<u64>()
        }
        Value::Array(values) => values.iter().map(wrong).sum(),
        _ => 0,
    }
}

/// Trainings that leave the machine to other tests.
#[cfg(target_os = "linux")]
const QUICK: &str = "--set train.factors=0 --set train.neighbours=10 --set content.scale=0";

#[cfg(target_os = "linux")]
#[test]
fn stores_of_made_up_users_are_made_once_and_served() {
    let program = Program::new();
    let folder = program.folder.path().join("stores");
    let bench = |arguments: &str| {
        program.run(&format!("bench users {} {arguments} {QUICK} --json", folder.display()))
    };
    // On a busy machine a request may come too late to be sent, which is told as an error.
    let measured = bench("--users 500,1000 --rate 50 --for 300ms --rounds 2").output;
    let document: Value = serde_json::from_str(&measured).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&shape(&document)).unwrap());
    for (size, users) in document["sizes"].as_array().unwrap().iter().zip([500, 1000]) {
        assert_eq!((&size["users"], &size["events"]), (&users.into(), &(10 * users).into()));
        let served = &size["served"];
        let cold = &served["cold"];
        assert_eq!((&cold["fallbacks"], &cold["from_memory"]), (&0.into(), &0.into()), "{cold}");
        assert_eq!(wrong(cold), 0, "{cold}");
        assert!(cold["from_store"].as_u64() > Some(0), "{cold}");
        let full = &served["full"];
        assert_eq!(full["model"]["resident_bytes"].as_u64().unwrap() >> 20, {
            size["model_bytes"].as_u64().unwrap() >> 20
        });
        assert!(served["history_cache_bytes"].as_u64().unwrap() > 0, "{served}");
    }
    let again: Value = serde_json::from_str(&bench("--users 500 --rounds 0").succeeded()).unwrap();
    let size = &again["sizes"][0];
    assert_eq!((&size["events_filled"], &size["train_seconds"]), (&0.into(), &Value::Null));
    assert_eq!(size["served"], Value::Null);
    let falling = bench("--users 1000,500").failed(2);
    assert!(falling.contains("name the fewest users first"), "{falling}");
    let few = bench("--users 500").failed(1);
    assert!(few.contains("cannot all be cold"), "{few}");
}

#[cfg(target_os = "linux")]
#[test]
fn events_are_measured_on_one_server_and_on_a_replica() {
    let arguments = "bench events --store-events 2000 --clients 2 --for 300ms --rounds 1 --json";
    let program = Program::new();
    let measure = |folder: &str, more: &str| {
        let folder = program.folder.path().join(folder);
        let ran = program.run(&format!("{arguments} {} {QUICK} {more}", folder.display()));
        serde_json::from_str::<Value>(&ran.succeeded()).unwrap()
    };
    let check = |fresh: &Value| {
        assert!(fresh["asked"].as_u64().unwrap() > 0, "{fresh}");
        assert_eq!(fresh["asked"], fresh["changed"]);
    };
    let document = measure("alone", "");
    assert_eq!(document["prepared"]["events_filled"], 2000);
    let round = &document["rounds"][0];
    assert!(round["groups"].as_f64().unwrap() > 0.0, "{round}");
    check(&round["fresh"]);
    assert_eq!(round["fresh_elsewhere"], Value::Null);
    let Some(database) = testbed::postgres::database_or_skip("bench events, replica") else {
        return;
    };
    let document = measure("replica", &format!("--database {}", database.url()));
    check(&document["rounds"][0]["fresh"]);
    check(&document["rounds"][0]["fresh_elsewhere"]);
}
