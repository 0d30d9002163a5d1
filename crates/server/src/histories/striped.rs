//! A bounded cache that knows whether what somebody is about to put into it may be out of date.
//!
//! Whoever wants to put something in takes a [`Ticket`] for its key first, and reads the source
//! after. The ticket is good until somebody changes the key, or one of those that share its
//! stripe: [`Striped::insert`] then puts nothing in. So nothing that was read before a change ever
//! gets in after it, whatever order readers and writers are in.
//!
//! Each shard forgets what was used least recently once its part of the bytes is full. No lock is
//! held for longer than it takes to look at one entry, or to change one.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts with a lock each.
const SHARDS: usize = 16;

/// Stripes of one shard. A change makes the tickets of its whole stripe void, which costs a
/// reader its place in the cache and nothing else.
const STRIPES: usize = 256;

/// What an entry takes beside its key and its value: places in two maps, and their slack.
const ENTRY_BYTES: usize = 128;

/// A bounded cache of values by key.
#[derive(Debug)]
pub(super) struct Striped<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    shard_bytes_max: usize,
}

#[derive(Debug)]
struct Shard<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// Keys by their last use, the least recent first.
    by_use: BTreeMap<u64, K>,
    uses: u64,
    bytes: usize,
    /// How often each stripe was changed.
    changes: Box<[u64]>,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: usize,
    used: u64,
}

/// The right to put in what is read from now on, until its key is changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    changes: u64,
}

/// What a cache held, to be dropped where that may take its time.
pub(super) struct Cleared<K, V> {
    _shards: Vec<ClearedShard<K, V>>,
}

/// The entries of a shard, and the order in which they were used.
type ClearedShard<K, V> = (HashMap<K, Slot<V>>, BTreeMap<u64, K>);

impl<K: Hash + Eq + Clone, V: Clone> Striped<K, V> {
    /// A cache that holds up to so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(Shard::new())).collect(),
            hasher: RandomState::new(),
            shard_bytes_max: bytes_max / SHARDS,
        }
    }

    /// The value of a key, which counts as used.
    pub(super) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (mut shard, _) = self.lock(key);
        let Shard { slots, by_use, uses, .. } = &mut *shard;
        let slot = slots.get_mut(key)?;
        *uses += 1;
        if let Some(key) = by_use.remove(&slot.used) {
            by_use.insert(*uses, key);
        }
        slot.used = *uses;
        Some(slot.value.clone())
    }

    /// The right to put in what is read from now on.
    pub(super) fn ticket<Q>(&self, key: &Q) -> Ticket
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (shard, stripe) = self.lock(key);
        Ticket { changes: shard.changes[stripe] }
    }

    /// Puts in what was read since the ticket was taken, unless the key may have changed since, or
    /// it is too large. `bytes` is what key and value take on the heap.
    pub(super) fn insert(&self, ticket: Ticket, key: K, value: V, bytes: usize) {
        let (mut shard, stripe) = self.lock(&key);
        if shard.changes[stripe] == ticket.changes {
            shard.remove(&key);
            shard.put(key, value, bytes, self.shard_bytes_max);
        }
    }

    /// Puts in what is true from now on: a change of the key.
    pub(super) fn put(&self, key: K, value: V, bytes: usize) {
        let (mut shard, stripe) = self.lock(&key);
        shard.changes[stripe] += 1;
        shard.remove(&key);
        shard.put(key, value, bytes, self.shard_bytes_max);
    }

    /// Changes a key: a value that is there becomes what `change` makes of it, with its bytes, or
    /// is forgotten. Tickets are void even if nothing is there.
    pub(super) fn change(&self, key: &K, change: impl FnOnce(V) -> Option<(V, usize)>) {
        let (mut shard, stripe) = self.lock(key);
        shard.changes[stripe] += 1;
        let changed = shard.remove(key).and_then(change);
        if let Some((value, bytes)) = changed {
            shard.put(key.clone(), value, bytes, self.shard_bytes_max);
        }
    }

    /// Forgets everything, and makes every ticket void.
    pub(super) fn clear(&self) -> Cleared<K, V> {
        let slots = self.shards.iter().map(|shard| {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.changes.iter_mut().for_each(|changes| *changes += 1);
            shard.bytes = 0;
            (std::mem::take(&mut shard.slots), std::mem::take(&mut shard.by_use))
        });
        Cleared { _shards: slots.collect() }
    }

    /// How many bytes are held.
    pub(super) fn bytes(&self) -> usize {
        let shards = self.shards.iter();
        shards.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).bytes).sum()
    }

    fn lock<Q: Hash + ?Sized>(&self, key: &Q) -> (MutexGuard<'_, Shard<K, V>>, usize) {
        let hash = self.hasher.hash_one(key) as usize;
        let shard = &self.shards[hash % SHARDS];
        (shard.lock().unwrap_or_else(PoisonError::into_inner), hash / SHARDS % STRIPES)
    }
}

impl<K: Hash + Eq + Clone, V> Shard<K, V> {
    fn new() -> Self {
        Self {
            slots: HashMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            bytes: 0,
            changes: vec![0; STRIPES].into(),
        }
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let slot = self.slots.remove(key)?;
        self.by_use.remove(&slot.used);
        self.bytes -= slot.bytes;
        Some(slot.value)
    }

    /// Puts in a key that is not there, and forgets others until it fits.
    fn put(&mut self, key: K, value: V, bytes: usize, bytes_max: usize) {
        let bytes = bytes + ENTRY_BYTES;
        if bytes > bytes_max {
            return;
        }
        while self.bytes + bytes > bytes_max {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some(slot) = self.slots.remove(&oldest) {
                self.bytes -= slot.bytes;
            }
        }
        self.uses += 1;
        self.bytes += bytes;
        self.by_use.insert(self.uses, key.clone());
        self.slots.insert(key, Slot { value, bytes, used: self.uses });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for so many entries without bytes of their own, in each shard.
    fn cache(entries: usize) -> Striped<u32, u32> {
        Striped::new(SHARDS * ENTRY_BYTES * entries)
    }

    #[test]
    fn a_ticket_is_void_once_its_key_changed() {
        let cache = cache(8);
        let ticket = cache.ticket(&1);
        cache.insert(ticket, 1, 10, 0);
        assert_eq!(cache.get(&1), Some(10));
        let before = cache.ticket(&1);
        cache.change(&1, |value| Some((value + 1, 0)));
        cache.insert(before, 1, 10, 0);
        assert_eq!(cache.get(&1), Some(11));
        cache.change(&1, |_| None);
        cache.insert(before, 1, 10, 0);
        assert_eq!(cache.get(&1), None);
        let before = cache.ticket(&2);
        drop(cache.clear());
        cache.insert(before, 2, 20, 0);
        assert_eq!((cache.get(&2), cache.bytes()), (None, 0));
        let before = cache.ticket(&3);
        cache.put(3, 30, 0);
        cache.insert(before, 3, 29, 0);
        assert_eq!(cache.get(&3), Some(30));
    }

    #[test]
    fn what_was_used_least_recently_is_forgotten_first_and_the_bytes_hold() {
        let cache = cache(4);
        for key in 0..1000 {
            cache.put(key, key, 0);
            // Always in use.
            assert_eq!(cache.get(&0), Some(0));
            assert!(cache.bytes() <= SHARDS * ENTRY_BYTES * 4);
        }
        let left = (0..1000).filter(|key| cache.get(key).is_some()).count();
        assert_eq!(left, SHARDS * 4);
        assert_eq!(cache.bytes(), SHARDS * ENTRY_BYTES * 4);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let cache = cache(4);
        cache.put(1, 1, 0);
        cache.put(1, 2, 4 * ENTRY_BYTES);
        assert_eq!((cache.get(&1), cache.bytes()), (None, 0));
        let none = Striped::<u32, u32>::new(0);
        none.put(1, 1, 0);
        assert_eq!(none.get(&1), None);
    }
}
