//! `foreword compare` with two real services whose differences are known.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use api::v1::event_service_client::EventServiceClient;
use api::v1::{Event, EventEntry, EventKind, RecordEventsRequest, event_entry};
use serde_json::Value;
use tonic::transport::Endpoint;

use crate::program::Program;
use crate::serve::Serving;
use crate::shop;

const SERVE: &str = "serve --listen 127.0.0.1:0 --set retrain.on=false";

/// A shop, and the same with more events.
struct Pair {
    old: (SocketAddr, Serving),
    new: (SocketAddr, Serving),
    _shop: Program,
    program: Program,
}

impl Pair {
    /// The new one knows that reader 1 bought this book.
    async fn start(bought: &str) -> Self {
        let serve = |shop: &Program| {
            let mut serving = Serving::start(shop.command(SERVE));
            (serving.address(), serving)
        };
        let shop = shop::own();
        let (old, new) = (serve(shop::demo()), serve(&shop));
        let event = Event {
            event_id: "order-1".to_owned(),
            user_id: "1".to_owned(),
            book_id: bought.to_owned(),
            kind: EventKind::Purchase.into(),
            ..Event::default()
        };
        let entry = EventEntry { entry: Some(event_entry::Entry::Event(event)) };
        let endpoint = Endpoint::try_from(format!("http://{}", new.0)).unwrap();
        let mut client = EventServiceClient::new(endpoint.connect_lazy());
        client.record_events(RecordEventsRequest { entries: vec![entry] }).await.unwrap();
        Self { old, new, _shop: shop, program: Program::new() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.program.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn compare(&self, arguments: &str) -> Value {
        let arguments = format!("compare --new {} --rate 200 --json {arguments}", self.new.0);
        let text = self.program.run(&arguments).succeeded();
        serde_json::from_str(&text).unwrap()
    }

    fn stop(self) {
        for (_, serving) in [self.old, self.new] {
            serving.signal("-TERM");
            assert_eq!(serving.code(), Some(0));
        }
    }
}

/// The books that the demo shop has for a reader, the best first.
fn shelf(user: &str) -> Vec<String> {
    let text = shop::demo().run(&format!("recommend --user {user} --json")).succeeded();
    let shelf: Value = serde_json::from_str(&text).unwrap();
    let books = shelf["books"].as_array().unwrap().iter();
    books.map(|book| book["id"].as_str().unwrap().to_owned()).collect()
}

fn mean(document: &Value, figure: &str) -> f64 {
    document[figure]["mean"].as_f64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_history_differs_is_found_among_those_who_are_alike() {
    let first = shelf("1");
    let pair = Pair::start(&first[0]).await;
    let users =
        pair.file("users", &(1..=20).fold(String::new(), |text, id| format!("{text}{id}\n")));
    let page = pair.program.folder.path().join("compared.html");
    let asked = format!(
        "--old http://{} --users {} --html {}",
        pair.old.0,
        users.display(),
        page.display()
    );
    let found = pair.compare(&asked);
    assert_eq!((&found["users"], &found["compared"]), (&20.into(), &20.into()));
    for side in ["old", "new"] {
        assert_eq!(found[side]["with_books"], 20);
        assert_eq!((&found[side]["fallbacks"], &found[side]["missing"]), (&0.into(), &0.into()));
        assert_eq!(found[side]["load"]["requests"], 20);
    }
    // Nineteen have the same lists. What reader 1 bought is gone, and another book has come.
    assert_eq!(found["spread"][4], 19);
    let least = &found["least_alike"][0];
    assert_eq!((&least["user"], &least["old"]), (&"1".into(), &first.clone().into()));
    let new: Vec<&str> =
        least["new"].as_array().unwrap().iter().map(|book| book.as_str().unwrap()).collect();
    let common = new.iter().filter(|book| first.iter().any(|old| old == *book)).count();
    assert!(common < 10 && !new.contains(&first[0].as_str()), "{new:?}");
    let overlap = (19.0 + common as f64 / 10.0) / 20.0;
    assert!((mean(&found, "overlap") - overlap).abs() < 1e-9);
    assert!(mean(&found, "rbo") < 1.0 && mean(&found, "rbo") > 0.9);
    assert!(fs::read_to_string(page).unwrap().contains("<h1>The old and the new</h1>"));

    // As many readers as the new one lists first, by the tutorial's contract: mysteries.
    let found = pair.compare(&format!("--old {} --first-users 30 --contract tutorial", pair.old.0));
    assert_eq!((&found["compared"], &found["old"]["fallbacks"]), (&30.into(), &Value::Null));
    pair.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nightly_table_is_compared_with_what_is_served() {
    let pair = Pair::start("1").await;
    let mut table = "user,book,rank\n".to_owned();
    // The same list, the same books from the last to the first, and one that nobody has.
    let lists = [("2", shelf("2")), ("3", shelf("3").into_iter().rev().collect())];
    for (user, list) in lists.iter().chain([&("4", vec!["none".to_owned()])]) {
        for (rank, book) in (1..).zip(list) {
            writeln!(table, "{user},{book},{rank}").unwrap();
        }
    }
    let table = pair.file("table.csv", &table);
    let found = pair.compare(&format!("--old-table {}", table.display()));
    assert_eq!(found["spread"], serde_json::json!([1, 0, 0, 0, 2]));
    assert_eq!(found["old"]["load"], Value::Null);
    let least = found["least_alike"].as_array().unwrap();
    let users: Vec<&str> = least.iter().map(|pair| pair["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["4", "3"]);
    let rbo = |place: usize| least[place]["rbo"].as_f64().unwrap();
    assert!(rbo(0) == 0.0 && rbo(1) > 0.3 && rbo(1) < 0.9);
    assert!((mean(&found, "rbo") - (1.0 + rbo(1)) / 3.0).abs() < 1e-9);

    let asked = format!("compare --new {} --old-table {} -n 3", pair.new.0, table.display());
    let text = pair.program.run(&asked).succeeded();
    assert!(text.starts_with("3 readers, lists of at most 3\n"), "{text}");
    assert!(text.contains("overlap@3") && text.contains("least alike"), "{text}");
    assert!(text.contains("Readers by overlap: "), "{text}");
    let found = pair.compare(&format!("--old-table {} --first-users 2", table.display()));
    assert_eq!(
        (&found["users"], &found["spread"]),
        (&2.into(), &serde_json::json!([0, 0, 0, 0, 2]))
    );
    pair.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_compared_is_told() {
    let pair = Pair::start("1").await;
    let users = pair.file("users", "ann\n");
    let (old, new) = (pair.old.0, pair.new.0);
    let run = |arguments: &str| {
        pair.program.run(&format!("compare --new {new} --users {} {arguments}", users.display()))
    };
    let told = run(&format!("--old {old} --contract tutorial")).failed(1);
    assert!(told.contains("user \"ann\" cannot be asked for"), "{told}");
    let told = run(&format!("--old {old} --contract tutorial --category poetry")).failed(1);
    assert!(told.contains("expected one of mystery, science-fiction, self-help"), "{told}");
    let told = run(&format!("--old http://{new}")).failed(1);
    assert!(told.contains(&format!("both {new}, expected two services")), "{told}");
    let told = run("--old 127.0.0.1:1").failed(1);
    assert!(told.contains("no connection to 127.0.0.1:1"), "{told}");
    let table = pair.file("table.csv", "user,book,rank\nann,1,best\n");
    let told = run(&format!("--old-table {}", table.display())).failed(1);
    assert!(told.contains("line 2: found the rank \"best\""), "{told}");
    assert!(run("").failed(2).contains("--old"));
    let alone = pair.program.run(&format!("compare --new {new} --old {old}"));
    assert!(alone.failed(1).contains("give --users or --first-users"));
    pair.stop();
}
