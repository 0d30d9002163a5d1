//! Open and closed loops against servers that answer, stall, refuse, are silent or go away.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evaluation::load::{Arrivals, LoadError, Measured, Outcome, Plan, Report, Target, run};
use tokio::time::Instant;
use tonic::Status;

use crate::shop::{Shop, ask, plan, some};

const STALL: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_millis(50);

fn measure(plan: &Plan, shop: &Shop) -> Measured {
    run(plan, &shop.target(), ask(), &|_| {}, &Arc::default()).unwrap()
}

fn constant(per_second: f64) -> Arrivals {
    Arrivals::Constant { per_second }
}

fn closed(in_flight: usize) -> Arrivals {
    Arrivals::Closed { in_flight: some(in_flight) }
}

/// From its 21st request on, it answers nothing for a while, once.
fn stalling() -> Shop {
    let (calls, stall_end) = (AtomicU64::new(0), Arc::new(Mutex::new(None)));
    Shop::start(move |_| {
        if calls.fetch_add(1, Ordering::SeqCst) == 20 {
            *stall_end.lock().unwrap() = Some(Instant::now() + STALL);
        }
        let stall_end = *stall_end.lock().unwrap();
        Box::pin(async move {
            if let Some(end) = stall_end {
                tokio::time::sleep_until(end).await;
            }
            Ok(vec![1, 2, 3])
        })
    })
}

#[test]
fn a_stall_is_felt_by_every_request_that_was_due_in_an_open_loop_and_by_one_in_a_closed_loop() {
    let open = measure(&plan(constant(100.0), 800), &stalling());
    assert_eq!(open.outcomes.count(), 80);
    let felt = open.outcomes.latency().count_over(LONG);
    assert!(felt >= 20, "{felt} of about 30");
    let closed = measure(&plan(closed(1), 800), &stalling());
    let felt_closed = closed.outcomes.latency().count_over(LONG);
    assert!((1..=5).contains(&felt_closed), "{felt_closed}");
    assert!(closed.send_lateness.count() == 0 && closed.outcomes.good() > 30);
}

#[test]
fn one_stream_is_enough_to_feel_a_stall_because_waiting_counts() {
    let narrow = Plan { streams_per_connection: some(1), ..plan(constant(100.0), 800) };
    let measured = measure(&narrow, &stalling());
    assert_eq!(measured.outcomes.count(), 80);
    assert!(measured.outcomes.latency().count_over(LONG) >= 20);
    // The server saw one request at a time, so that hardly any took long by itself.
    assert!(measured.service_time.count_over(LONG) <= 5);
    assert!(measured.waited >= 20, "{}", measured.waited);
    assert!(measured.send_lateness.count_over(STALL / 2) == 0, "the client is not to blame");
}

#[test]
fn every_request_that_is_due_is_counted_once() {
    let shop = Shop::good();
    let warm = Plan {
        warm_up: Duration::from_millis(100),
        connections: some(3),
        ..plan(Arrivals::Poisson { per_second: 700.0, seed: 2 }, 400)
    };
    let measured = measure(&warm, &shop);
    let due = warm.arrivals.schedule().unwrap();
    let window = warm.warm_up..warm.warm_up + warm.duration;
    let due = due.take_while(|due| *due < window.end).filter(|due| window.contains(due)).count();
    assert_eq!(measured.outcomes.count(), due as u64);
    assert_eq!(measured.outcomes.wrong(), 0);
    assert_eq!(measured.service_time.count(), measured.outcomes.good());
    assert_eq!(measured.send_lateness.count(), measured.outcomes.good());
    assert!(measured.probe.count() > 0 && !measured.stopped_early);
    assert_eq!(measured.duration, warm.duration);
    let report = Report::from(&measured);
    assert!(report.latency_less_probe.p50_us <= report.latency.p50_us);
}

#[test]
fn requests_that_find_no_stream_before_the_end_are_unsent_with_the_time_they_waited() {
    let shop = Shop::silent();
    let narrow = Plan {
        connections: some(2),
        streams_per_connection: some(3),
        deadline: Duration::from_millis(900),
        ..plan(constant(200.0), 300)
    };
    let measured = measure(&narrow, &shop);
    assert_eq!(measured.outcomes.count(), 60);
    assert_eq!(measured.outcomes.count_of("DEADLINE_EXCEEDED"), 6);
    assert_eq!(measured.outcomes.unsent(), 54);
    assert_eq!((measured.outcomes.wrong(), measured.outcomes.good()), (6, 0));
    // The first that was not sent was due after 30 ms and waited for the other 270.
    let waited = measured.outcomes.0["unsent"].latency.percentile(100.0);
    assert!(waited >= Duration::from_millis(269) && waited <= Duration::from_millis(271));
    assert_eq!(shop.seen.open_max.load(Ordering::SeqCst), 6);
    assert_eq!(shop.seen.peers.lock().unwrap().len(), 2);
    assert_eq!(measured.finished.good, 0);
}

#[test]
fn a_closed_loop_has_as_many_requests_in_flight_as_it_was_told() {
    let yielding = |_| -> crate::shop::Answer {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(vec![1])
        })
    };
    let shop = Shop::start(yielding);
    let measured = measure(&Plan { connections: some(4), ..plan(closed(6), 300) }, &shop);
    assert_eq!(shop.seen.open_max.load(Ordering::SeqCst), 6);
    assert_eq!(shop.seen.peers.lock().unwrap().len(), 4);
    assert!(measured.outcomes.good() > 6 && measured.outcomes.wrong() == 0);
    assert_eq!(measured.outcomes.latency(), measured.service_time);
    assert!(measured.finished.good <= measured.outcomes.good());
    assert_eq!(measured.outcomes.unsent(), 0);
}

#[test]
fn statuses_are_counted_by_their_names_with_a_few_examples() {
    let shop = Shop::start(|request| {
        Box::pin(async move {
            match request.user_id % 3 {
                0 => Err(Status::resource_exhausted(format!("no room for {}", request.user_id))),
                1 => Err(Status::unavailable("closed on Sundays")),
                _ => Ok(vec![1]),
            }
        })
    });
    let measured = measure(&plan(constant(500.0), 300), &shop);
    let outcomes = &measured.outcomes;
    let of = |name| outcomes.count_of(name);
    assert_eq!(of("OK") + of("RESOURCE_EXHAUSTED") + of("UNAVAILABLE") + outcomes.unsent(), 150);
    assert!(of("OK") > 0 && of("RESOURCE_EXHAUSTED") > 0 && of("UNAVAILABLE") > 0);
    let full = &outcomes.0["RESOURCE_EXHAUSTED"];
    assert_eq!(full.examples.len(), 3);
    assert!(full.examples[0].starts_with("no room for "), "{:?}", full.examples);
    assert_eq!(outcomes.0["UNAVAILABLE"].examples, ["closed on Sundays"]);
    assert!(outcomes.0["OK"].examples.is_empty());
}

#[test]
fn a_server_that_goes_away_is_no_connection() {
    let shop = Mutex::new(Shop::good());
    let target = shop.lock().unwrap().target();
    let watch = |elapsed| {
        if elapsed > Duration::from_millis(150) {
            shop.lock().unwrap().end();
        }
    };
    let plan = plan(constant(200.0), 500);
    let measured = run(&plan, &target, ask(), &watch, &Arc::default()).unwrap();
    assert_eq!(measured.outcomes.count(), 100);
    assert!(measured.outcomes.good() > 0, "{:?}", measured.outcomes);
    assert!(measured.outcomes.count_of("no connection") > 10, "{:?}", measured.outcomes);
}

#[test]
fn a_cancelled_run_tells_what_it_measured_so_far() {
    let shop = Shop::good();
    for arrivals in [constant(300.0), closed(2)] {
        let cancelled = Arc::new(AtomicBool::new(false));
        let watch =
            |elapsed| cancelled.store(elapsed > Duration::from_millis(200), Ordering::Relaxed);
        let plan = plan(arrivals, 3_600_000);
        let measured = run(&plan, &shop.target(), ask(), &watch, &cancelled).unwrap();
        assert!(measured.stopped_early && measured.duration < plan.duration);
        assert!(measured.outcomes.good() > 0 && measured.outcomes.wrong() == 0);
        let report = Report::from(&measured);
        assert!(report.stopped_early && report.good_per_second > 0.0);
    }
}

#[test]
fn a_run_cancelled_before_it_began_measures_nothing() {
    let shop = Shop::good();
    let cancelled = Arc::new(AtomicBool::new(true));
    for arrivals in [constant(300.0), closed(2)] {
        let measured =
            run(&plan(arrivals, 60_000), &shop.target(), ask(), &|_| {}, &cancelled).unwrap();
        assert!(measured.stopped_early);
        assert_eq!(Report::from(&measured).wrong, 0);
    }
}

#[test]
fn a_call_may_be_anybodys_function_of_a_connection_and_a_number() {
    let shop = Shop::good();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let numbers = Arc::clone(&asked);
    let call = move |_channel, number| {
        numbers.lock().unwrap().push(number);
        async move { if number % 2 == 0 { Outcome::Good } else { Outcome::WrongContent("odd".into()) } }
    };
    let plan = plan(constant(100.0), 200);
    let measured = run(&plan, &shop.target(), call, &|_| {}, &Arc::default()).unwrap();
    let mut asked = asked.lock().unwrap().clone();
    asked.sort_unstable();
    assert_eq!(asked, (0..asked.len() as u64).collect::<Vec<_>>());
    assert_eq!(measured.outcomes.count(), 20);
    assert_eq!(measured.outcomes.0["wrong content"].examples, ["odd"]);
}

#[test]
fn nobody_there_is_an_error_with_the_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let of = |address: &str| {
        let target = Target::plaintext(address);
        run(&plan(closed(1), 100), &target, ask(), &|_| {}, &Arc::default()).unwrap_err()
    };
    let refused = of(&address);
    assert!(matches!(refused, LoadError::Connect(_)));
    let message = refused.to_string();
    assert!(message.starts_with(&format!("no connection to {address}: ")), "{message}");
    for odd in ["", "localhost", "localhost:", "http://localhost:1", "a b:1", ":1"] {
        assert!(of(odd).to_string().contains("expected HOST:PORT"), "{odd:?}");
    }
}
