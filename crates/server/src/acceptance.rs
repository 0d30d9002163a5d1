//! How what was shown is taken up: counted for one caller at a time, and told again for a while.
//!
//! To count reads all impressions and the events of everybody who was shown something: seconds in a
//! large shop, on one of few connections. However many ask, one of these is in use for it.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use storage::{Acceptance, Store, StoreError};
use tokio::sync::Mutex;

/// How long what was counted is told again.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);

/// Counts, and remembers what it counted last.
#[derive(Debug)]
pub(crate) struct Acceptances {
    store: Store,
    last: Arc<Mutex<Option<Counted>>>,
}

#[derive(Debug)]
struct Counted {
    from_ms: i64,
    at: Instant,
    acceptances: Arc<[Acceptance]>,
}

impl Acceptances {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, last: Arc::default() }
    }

    /// What became of what was shown from a time on, as [`Store::acceptance`] counts it, at most ten
    /// seconds ago.
    ///
    /// # Errors
    ///
    /// As there.
    pub(crate) async fn since(&self, from_ms: i64) -> Result<Arc<[Acceptance]>, StoreError> {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        let is_fresh =
            |last: &&Counted| last.from_ms == from_ms && last.at.elapsed() < REMEMBERED_FOR;
        if let Some(known) = last.as_ref().filter(is_fresh) {
            return Ok(Arc::clone(&known.acceptances));
        }
        let store = self.store.clone();
        // It comes to its end, and holds its turn till then, if its caller has gone: the database
        // goes on with it, too.
        let counting = tokio::spawn(async move {
            let acceptances: Arc<[Acceptance]> = store.acceptance(from_ms).await?.into();
            let at = Instant::now();
            *last = Some(Counted { from_ms, at, acceptances: Arc::clone(&acceptances) });
            Ok(acceptances)
        });
        match counting.await {
            Ok(counted) => counted,
            Err(lost) => match lost.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Lost only when the process ends.
                Err(_) => Err(StoreError::Closed),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_folder::DataFolder;
    use crate::settings::Settings;

    #[tokio::test]
    async fn what_was_counted_is_told_again_for_a_while_and_to_nobody_who_asks_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(None).unwrap();
        let store = DataFolder::new(folder.path()).store(&settings).await.unwrap();
        let counts = Acceptances::new(store.clone());
        let first = counts.since(0).await.unwrap();
        assert!(Arc::ptr_eq(&first, &counts.since(0).await.unwrap()));
        let other = counts.since(1).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        let old = Instant::now().checked_sub(REMEMBERED_FOR).unwrap();
        counts.last.lock().await.as_mut().unwrap().at = old;
        assert!(!Arc::ptr_eq(&other, &counts.since(1).await.unwrap()));
        // Who goes away while it counts leaves the turn to the next.
        counts.last.lock().await.take();
        assert!(futures_util::poll!(Box::pin(counts.since(2))).is_pending());
        counts.since(3).await.unwrap();
        store.close().await;
        assert!(counts.since(4).await.is_err());
    }
}
