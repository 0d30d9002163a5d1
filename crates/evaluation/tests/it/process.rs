//! A process that is watched.
#![cfg(target_os = "linux")]

use std::sync::Arc;

use evaluation::load::{Arrivals, Process, Report, Target, run};

use crate::shop::{Shop, ask, plan, some};

#[test]
fn the_servers_cpu_time_and_memory_are_told() {
    let shop = Shop::good();
    let process = Process(std::process::id());
    let before = process.usage().unwrap();
    assert!(before.resident_bytes > 0 && before.resident_bytes <= before.resident_peak_bytes);
    let target = Target { process: Some(process), ..shop.target() };
    let plan = plan(Arrivals::Closed { in_flight: some(4) }, 300);
    let measured = run(&plan, &target, ask(), &|_| {}, &Arc::default()).unwrap();
    let server = Report::from(&measured).server.unwrap();
    let after = process.usage().unwrap();
    assert!(measured.server.unwrap().cpu <= after.cpu - before.cpu);
    assert!(server.resident_bytes > 0 && server.cpu_us_per_request.is_some());
}

#[test]
fn a_process_that_is_not_there_is_told_before_anything_is_asked() {
    let shop = Shop::good();
    // Higher than any process number that Linux gives: `pid_max` is at most 2²².
    let target = Target { process: Some(Process(4_194_305)), ..shop.target() };
    let plan = plan(Arrivals::Closed { in_flight: some(1) }, 300);
    let error = run(&plan, &target, ask(), &|_| {}, &Arc::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot watch process 4194305: "), "{error}");
    assert!(shop.seen.requests.lock().unwrap().is_empty());
}
