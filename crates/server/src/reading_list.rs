//! Reading lists that users send in: received within bounds, imported one at a time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};

use storage::Store;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinHandle;

use crate::access::Identity;
use crate::clock::now_ms;
use crate::import::{ImportError, ImportOptions, Report, Source, import};
use crate::progress::{Progress, Unit};

/// The most bytes of one list, as it is sent and unpacked.
pub(crate) const BYTES_MAX: usize = 10 << 20;

/// How many lists may be on their way at one time: they are held in memory.
const LISTS_MAX: usize = 8;

/// How many of these may be of one caller, who may send them slowly: others have room then.
const LISTS_OF_ONE_MAX: usize = 4;

/// Takes reading lists.
#[derive(Clone, Debug)]
pub(crate) struct ReadingLists {
    store: Store,
    places: Arc<Places>,
    turn: Arc<Mutex<()>>,
}

/// Who has how many lists on their way.
#[derive(Debug, Default)]
struct Places(StdMutex<HashMap<Option<Identity>, usize>>);

/// A place among the lists on their way, until it is dropped.
#[derive(Debug)]
struct Place {
    places: Arc<Places>,
    caller: Option<Identity>,
}

/// A list on its way here.
#[derive(Debug)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    place: Place,
}

/// There is no room for another list, or for another of this caller.
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
        Self { store, places: Arc::default(), turn: Arc::default() }
    }

    /// Begins to receive a list of a caller. Those who are not known are one.
    pub(crate) fn receive(&self, caller: Option<&Identity>) -> Result<Received, NoRoom> {
        let mut held = self.places.held();
        let own = held.get(&caller.cloned()).copied().unwrap_or_default();
        if own == LISTS_OF_ONE_MAX || held.values().sum::<usize>() == LISTS_MAX {
            return Err(NoRoom);
        }
        held.insert(caller.cloned(), own + 1);
        let place = Place { places: Arc::clone(&self.places), caller: caller.cloned() };
        Ok(Received { bytes: Vec::new(), place })
    }

    /// Imports a list as what this user did, after those that came before; a line that cannot be
    /// taken is left out. One that is given up before its turn gives its room back at once. Must be
    /// called within a runtime.
    pub(crate) fn import(&self, list: Received, user: String) -> Importing {
        let (until, mut dropped) = oneshot::channel();
        let rows = Arc::new(Rows::default());
        let progress: Arc<dyn Progress> = Arc::clone(&rows) as _;
        let Self { store, turn, .. } = self.clone();
        let Received { bytes, place } = list;
        // Every book is looked at between two awaits: nothing for async threads.
        let runtime = Handle::current();
        let work = move || {
            runtime.block_on(async move {
                let _place = place;
                let _turn = tokio::select! {
                    biased;
                    _ = &mut dropped => return Err(ImportError::Interrupted),
                    turn = turn.lock_owned() => turn,
                };
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

impl Places {
    fn held(&self) -> MutexGuard<'_, HashMap<Option<Identity>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        let left = held.remove(&self.caller).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            held.insert(self.caller.take(), left);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{IdentityKind, Roles};
    use crate::data_folder::DataFolder;
    use crate::settings::Settings;

    #[tokio::test]
    async fn one_caller_has_half_of_the_places_and_gives_them_back() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(None).unwrap();
        let store = DataFolder::new(folder.path()).store(&settings).await.unwrap();
        let lists = ReadingLists::new(store.clone());
        let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| {
            let (kind, roles) = (IdentityKind::ApiKey, Roles::default());
            Some(Identity { kind, name: name.into(), roles })
        });
        let receive = |caller: &Option<Identity>| lists.receive(caller.as_ref());
        let of_ann: Vec<Received> = (0..4).map(|_| receive(&ann).unwrap()).collect();
        assert!(receive(&ann).is_err());
        let mut of_bob: Vec<Received> = (0..4).map(|_| receive(&bob).unwrap()).collect();
        assert!(receive(&eve).is_err(), "there is no room at all");
        drop(of_ann);
        of_bob.pop();
        let _of_eve: Vec<Received> = (0..4).map(|_| receive(&eve).unwrap()).collect();
        of_bob.push(receive(&bob).unwrap());
        assert!(receive(&bob).is_err() && receive(&eve).is_err());
        assert_eq!(lists.places.held().len(), 2, "who has no list is not kept");
        store.close().await;
    }

    #[tokio::test]
    async fn a_list_that_is_given_up_before_its_turn_gives_its_room_back() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(None).unwrap();
        let store = DataFolder::new(folder.path()).store(&settings).await.unwrap();
        let lists = ReadingLists::new(store.clone());
        let turn = Arc::clone(&lists.turn).lock_owned().await;
        let import = || lists.import(lists.receive(None).unwrap(), "ann".to_owned());
        let mut waiting: Vec<Importing> =
            std::iter::repeat_with(import).take(LISTS_OF_ONE_MAX).collect();
        assert!(lists.receive(None).is_err());
        let Importing { task, _until: until, .. } = waiting.pop().unwrap();
        drop(until);
        let ended = task.await.unwrap();
        assert!(matches!(ended, Err(ImportError::Interrupted)), "{ended:?}");
        assert!(lists.receive(None).is_ok());
        drop((waiting, turn));
        store.close().await;
    }
}
