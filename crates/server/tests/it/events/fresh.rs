//! What was acknowledged is always in the next answer, whoever else asks and writes meanwhile.

use futures_util::{StreamExt as _, stream};

use super::{bought, entry, has, record, settings, shelf};
use crate::running::{self, Running};

/// Books that are in the shop and that nobody's history has but by these tests.
const BOOKS: [u32; 4] = [5, 11, 17, 23];

/// Many users at once, over a cache that holds few of them: each buys a book, and it is gone from
/// their shelf as soon as they are told, whoever asks for them meanwhile.
async fn check(users: u32, at_once: usize) {
    let folder = running::full_shop().await;
    let settings = settings("[store]\nhistory_cache_mib = 1");
    let running = Running::start_with(folder.path(), settings).await;
    let user = async |number: u32| {
        let user = format!("user-{number}");
        for book in BOOKS {
            let asking = async {
                for _ in 0..3 {
                    shelf(&running, &user, 0).await;
                }
            };
            let telling = async {
                let id = format!("book-{book}");
                let told = record(&running, vec![entry(bought(&user, book, &id))]).await.unwrap();
                let known = shelf(&running, &user, 0).await;
                assert!(!has(&known, book), "{user} {book}");
                assert!(known.user_revision >= told[0].user_revision && !known.stale);
            };
            tokio::join!(asking, telling, asking_twice(&running, &user));
        }
        // All of them, once everything has settled.
        let known = shelf(&running, &user, 0).await;
        assert!(BOOKS.iter().all(|book| !has(&known, *book)), "{user}");
    };
    stream::iter(0..users).for_each_concurrent(at_once, user).await;
    running.stop().await;
}

async fn asking_twice(running: &Running, user: &str) {
    shelf(running, user, 0).await;
    shelf(running, user, 0).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_always_in_the_next_answer() {
    check(300, 32).await;
}

#[tokio::test]
#[ignore = "minutes; for soak"]
async fn what_was_acknowledged_is_in_the_next_answer_ten_thousand_times() {
    check(10_000, 64).await;
}
