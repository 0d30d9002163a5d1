//! Whoever writes to the made-up shop: a thread with a connection of its own, as another process
//! would have it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use server::made_up::{MadeUpError, MadeUpShop};
use tokio::runtime::Runtime;

use crate::command::now_ms;

/// How often events are written.
const EVERY: Duration = Duration::from_millis(100);

/// Orders that wait.
const ORDERS_MAX: usize = 8;

/// The readers of a new book.
const READERS: usize = 10;

/// How few readers the book may have whose readers they are: there must be enough of them.
const SEED_READERS: usize = 20;

enum Order {
    /// So many events a second from now on.
    Events(u32),
    /// Tell whether the active model was trained on everything.
    IsLearnt(Sender<Result<bool, MadeUpError>>),
    /// Publish a book that gets its first readers at once.
    Publish(Sender<Result<Option<Published>, MadeUpError>>),
}

/// A new book, and the one whose readers have bought it.
pub(super) struct Published {
    pub(super) book: String,
    pub(super) seed: String,
}

/// The writer's other end.
pub(super) struct Writer {
    orders: SyncSender<Order>,
    thread: JoinHandle<Result<u64, MadeUpError>>,
}

impl Writer {
    pub(super) fn start(shop: MadeUpShop, runtime: Runtime) -> Self {
        let (orders, given) = sync_channel(ORDERS_MAX);
        let thread = std::thread::spawn(move || {
            let mut shop = shop;
            let written = write(&mut shop, &runtime, &given);
            runtime.block_on(shop.close());
            written
        });
        Self { orders, thread }
    }

    /// Has so many events written a second.
    pub(super) fn events(&self, per_second: u32) {
        // Its end tells why it does not listen any more.
        let _ = self.orders.send(Order::Events(per_second));
    }

    /// Whether the active model was trained on everything that was written.
    pub(super) fn is_learnt(&self) -> Result<bool> {
        self.ask(Order::IsLearnt)
    }

    /// Publishes a book with ten readers, all of them of another book.
    pub(super) fn publish(&self) -> Result<Published> {
        let published = self.ask(Order::Publish)?;
        published.context("no book has twenty readers; take more --interactions-per-item")
    }

    /// Ends it; returns how many events it wrote beside those of new books.
    pub(super) fn end(self) -> Result<u64> {
        drop(self.orders);
        let written = self.thread.join().map_err(|_| anyhow!("whoever writes events panicked"))?;
        written.context("cannot write events")
    }

    fn ask<T>(&self, order: impl FnOnce(Sender<Result<T, MadeUpError>>) -> Order) -> Result<T> {
        let (tell, told) = channel();
        // Its answer is missing then as well.
        let _ = self.orders.send(order(tell));
        let told = told.recv().context("whoever writes events has ended")?;
        told.context("cannot write events")
    }
}

fn write(
    shop: &mut MadeUpShop,
    runtime: &Runtime,
    orders: &Receiver<Order>,
) -> Result<u64, MadeUpError> {
    let (mut per_second, mut since, mut written, mut all) = (0, Instant::now(), 0, 0);
    loop {
        match orders.recv_timeout(EVERY) {
            Ok(Order::Events(rate)) => (per_second, since, written) = (rate, Instant::now(), 0),
            Ok(Order::IsLearnt(tell)) => {
                // Who asked has gone, if nobody listens.
                let _ = tell.send(runtime.block_on(shop.is_learnt()));
            }
            Ok(Order::Publish(tell)) => {
                let _ = tell.send(runtime.block_on(publish(shop)));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(all),
        }
        // What is due by now, so that a slow commit does not lower the rate.
        let due = (since.elapsed().as_secs_f64() * f64::from(per_second)) as u64;
        if due > written {
            runtime.block_on(shop.buy((due - written) as usize, now_ms()))?;
            all += due - written;
            written = due;
        }
    }
}

async fn publish(shop: &mut MadeUpShop) -> Result<Option<Published>, MadeUpError> {
    let Some((seed, readers)) = shop.book_with_readers(SEED_READERS) else { return Ok(None) };
    let book = shop.publish().await?;
    let readers: Vec<usize> = readers.into_iter().take(READERS).collect();
    shop.buy_newest(&readers, now_ms()).await?;
    Ok(Some(Published { book, seed }))
}
