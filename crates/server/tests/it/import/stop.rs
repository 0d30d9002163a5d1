//! Imports that are stopped: before the commit nothing is stored, after that everything.

use std::future::{pending, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use server::import::{ImportError, ImportOptions, Source, import};
use server::progress::{Progress, Silent, Unit};

use super::scratch::{NOW_MS, Scratch, counts};

const BOOKS: &str = "book,title\n1,Dune\n";

const OPTIONS: ImportOptions = ImportOptions { keep_going: false, recorded_ms: NOW_MS };

/// Remembers whether a task has begun.
struct Watch {
    task: &'static str,
    begun: AtomicBool,
}

impl Watch {
    fn task(task: &'static str) -> Arc<Self> {
        Arc::new(Self { task, begun: AtomicBool::new(false) })
    }

    /// Is over when the task has begun; whoever waits for it polls all the time.
    async fn begun(&self) {
        poll_fn(|context| {
            if self.begun.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl Progress for Watch {
    fn begin(&self, task: &str, _total: Option<u64>, _unit: Unit) {
        self.begun.fetch_or(task == self.task, Ordering::SeqCst);
    }
    fn at(&self, _done: u64) {}
    fn end(&self) {}
}

/// A hundred thousand events.
fn events() -> String {
    let rows: String = (0..100_000).map(|row| format!("{row},1\n")).collect();
    format!("user,book\n{rows}")
}

#[tokio::test]
async fn an_import_stopped_before_it_commits_leaves_the_store_as_it_was_and_free() {
    let scratch = Scratch::new().await;
    let before = scratch.state().await;
    let source = scratch.csv(BOOKS, events());
    let at_once = import(&scratch.store, source.clone(), &OPTIONS, Arc::new(Silent), ready(()));
    assert!(matches!(at_once.await, Err(ImportError::Interrupted)));
    assert_eq!(scratch.state().await, before);

    let watch = Watch::task("reading shop_events.csv");
    let half_way = import(&scratch.store, source, &OPTIONS, watch.clone(), watch.begun());
    assert!(matches!(half_way.await, Err(ImportError::Interrupted)));
    assert_eq!(scratch.state().await, before);
    scratch.strict(scratch.csv(BOOKS, "user,book\nann,1\n")).await.unwrap();
}

#[tokio::test]
async fn what_a_reader_exported_is_read_while_others_write() {
    let scratch = Scratch::new().await;
    let rows = "Dune,Frank Herbert,read\n";
    let file = scratch.file("export.csv", format!("Title,Author,Exclusive Shelf\n{rows}"));
    let source = Source::Goodreads { file, user: "ann".to_owned() };
    let writer = scratch.store.begin().await.unwrap();
    let watch = Watch::task("reading export.csv");
    let reading = import(&scratch.store, source, &OPTIONS, watch.clone(), watch.begun()).await;
    assert!(matches!(reading, Err(ImportError::Interrupted)), "{reading:?}");
    writer.rollback().await.unwrap();
}

#[tokio::test]
async fn an_import_stopped_while_it_commits_says_what_became_of_it() {
    let scratch = Scratch::new().await;
    let source = scratch.csv(BOOKS, "user,book\nann,1\n");
    let watch = Watch::task("saving");
    let report = import(&scratch.store, source, &OPTIONS, watch.clone(), watch.begun()).await;
    assert!(watch.begun.load(Ordering::SeqCst));
    assert_eq!(counts(&report.unwrap()), [[1, 0, 0, 0], [1, 0, 0, 0]]);
    assert_eq!(scratch.events("ann").await, ["purchase 1"]);
}

#[tokio::test]
async fn an_import_dropped_half_way_leaves_the_store_as_it_was_and_free() {
    let scratch = Scratch::new().await;
    let before = scratch.state().await;
    let source = scratch.csv(BOOKS, events());
    tokio::select! {
        biased;
        _ = import(&scratch.store, source, &OPTIONS, Arc::new(Silent), pending()) => panic!("it cannot be over yet"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(scratch.state().await, before);
    scratch.strict(scratch.csv(BOOKS, "user,book\nann,1\n")).await.unwrap();
}
