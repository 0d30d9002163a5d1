//! Reading lists that users send in: received within bounds, imported one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use storage::Store;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::clock::now_ms;
use crate::import::{ImportError, ImportOptions, Report, Source, import};
use crate::progress::{Progress, Unit};

/// The most bytes of one list, as it is sent and unpacked.
pub(crate) const BYTES_MAX: usize = 10 << 20;

/// How many lists may be on their way at one time: they are held in memory.
const LISTS_MAX: usize = 8;

/// Takes reading lists.
#[derive(Clone, Debug)]
pub(crate) struct ReadingLists {
    store: Store,
    room: Arc<Semaphore>,
    turn: Arc<Mutex<()>>,
}

/// A list on its way here.
#[derive(Debug)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    room: OwnedSemaphorePermit,
}

/// There is no room for another list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRoom;

/// A list has more than [`BYTES_MAX`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooLarge;

/// An import that goes on until it is dropped.
#[derive(Debug)]
pub(crate) struct Importing {
    /// What comes of it: the report, and a revision of the events that has all of it.
    pub(crate) task: JoinHandle<Result<(Report, i64), ImportError>>,
    rows: Arc<Rows>,
    _until: oneshot::Sender<()>,
}

/// Counts the rows that were read.
#[derive(Debug, Default)]
struct Rows(AtomicU64);

impl Progress for Rows {
    fn begin(&self, _task: &str, _total: Option<u64>, _unit: Unit) {}
    fn at(&self, _done: u64) {}
    fn rows(&self, read: u64) {
        self.0.store(read, Ordering::Relaxed);
    }
    fn end(&self) {}
}

impl ReadingLists {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, room: Arc::new(Semaphore::new(LISTS_MAX)), turn: Arc::default() }
    }

    /// Begins to receive a list.
    pub(crate) fn receive(&self) -> Result<Received, NoRoom> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| NoRoom)?;
        Ok(Received { bytes: Vec::new(), room })
    }

    /// Imports a list as what this user did, after those that came before; a line that cannot be
    /// taken is left out. Must be called within a runtime.
    pub(crate) fn import(&self, list: Received, user: String) -> Importing {
        let (until, dropped) = oneshot::channel();
        let rows = Arc::new(Rows::default());
        let progress: Arc<dyn Progress> = Arc::clone(&rows) as _;
        let Self { store, turn, .. } = self.clone();
        let Received { bytes, room } = list;
        // Every book is looked at between two awaits: nothing for async threads.
        let runtime = Handle::current();
        let work = move || {
            runtime.block_on(async move {
                let _room = room;
                let _turn = turn.lock_owned().await;
                let text_bytes_max = BYTES_MAX as u64;
                let source = Source::SentGoodreads { bytes, text_bytes_max, user };
                let options = ImportOptions { keep_going: true, recorded_ms: now_ms() };
                // Sent or dropped, it is over.
                let stop = async { drop(dropped.await) };
                let report = import(&store, source, &options, progress, stop).await?;
                Ok((report, store.revisions().await?.events))
            })
        };
        let task = tokio::task::spawn_blocking(work);
        Importing { task, rows, _until: until }
    }
}

impl Received {
    /// Adds what came next.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        if bytes.len() > BYTES_MAX - self.bytes.len() {
            return Err(TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// How many bytes have come.
    pub(crate) fn byte_count(&self) -> usize {
        self.bytes.len()
    }
}

impl Importing {
    /// How many rows were read, as far as is known.
    pub(crate) fn rows(&self) -> u64 {
        self.rows.0.load(Ordering::Relaxed)
    }
}
