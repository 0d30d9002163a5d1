//! Mailboxes: what is left for loops, and who rings for it.
//!
//! Whoever leaves a letter does not ring the bell, which costs a system call, but notes that a
//! ring is owed; who has nothing better to do pays for all. A post office knows nothing of what
//! a letter or a bell is, so that loom can check it with plain numbers (`tests/loom.rs`).
//!
//! Invariants:
//! - While there are letters in a mailbox, its bell has been rung since they were last
//!   collected, or a ring is owed ([`Post::owes`]); whether the loop sleeps does not matter.
//! - A mailbox without a bell takes no letters: what nobody collects is not sent by mail.
//! - No lock is held while a bell rings.

use crate::sync::{Arc, AtomicBool, Mutex, Ordering, lock};

/// All mailboxes of an executor.
#[derive(Debug)]
pub(crate) struct Post<L, B> {
    /// None once the post is closed.
    mailboxes: Mutex<Option<Arc<Mailboxes<L, B>>>>,
    owing: AtomicBool,
}

/// Swapped whole, so that nobody rings under the lock.
type Mailboxes<L, B> = Vec<Arc<Mailbox<L, B>>>;

/// Where one loop collects its letters.
#[derive(Debug)]
pub(crate) struct Mailbox<L, B>(Mutex<State<L, B>>);

#[derive(Debug)]
struct State<L, B> {
    letters: Vec<L>,
    /// None before the loop comes for the first time, and after the end.
    bell: Option<B>,
    /// The bell was rung, and the loop has not come since.
    rung: bool,
    /// Looks since that found it so.
    looks: u32,
    closed: bool,
}

impl<L, B: Clone> Post<L, B> {
    pub(crate) fn new() -> Self {
        Self { mailboxes: Mutex::new(Some(Arc::new(Vec::new()))), owing: AtomicBool::new(false) }
    }

    /// A mailbox more. It takes letters as soon as it has a bell ([`Mailbox::attend`]).
    pub(crate) fn open(&self) -> Arc<Mailbox<L, B>> {
        let mut mailboxes = lock(&self.mailboxes);
        let state = State {
            letters: Vec::new(),
            bell: None,
            rung: false,
            looks: 0,
            closed: mailboxes.is_none(),
        };
        let mailbox = Arc::new(Mailbox(Mutex::new(state)));
        if let Some(open) = &mut *mailboxes {
            let more = open.iter().chain([&mailbox]).map(Arc::clone).collect();
            *open = Arc::new(more);
        }
        mailbox
    }

    /// Removes a mailbox; returns what was in it.
    pub(crate) fn close(&self, mailbox: &Arc<Mailbox<L, B>>) -> Vec<L> {
        if let Some(open) = &mut *lock(&self.mailboxes) {
            let others = open.iter().filter(|other| !Arc::ptr_eq(other, mailbox));
            *open = Arc::new(others.map(Arc::clone).collect());
        }
        mailbox.close()
    }

    /// Removes all mailboxes for ever; returns what was in them.
    pub(crate) fn close_all(&self) -> Vec<L> {
        let open = lock(&self.mailboxes).take();
        open.iter().flat_map(|open| open.iter()).flat_map(|mailbox| mailbox.close()).collect()
    }

    /// Leaves a letter. A ring may be owed for it ([`Post::ring`]).
    ///
    /// # Errors
    ///
    /// The letter, if nobody would collect it.
    pub(crate) fn leave(&self, mailbox: &Mailbox<L, B>, letter: L) -> Result<(), L> {
        let mut state = lock(&mailbox.0);
        if state.bell.is_none() {
            return Err(letter);
        }
        state.letters.push(letter);
        if !state.rung && !self.owing.load(Ordering::Relaxed) {
            // Under the lock: whoever takes the debt over finds the letter.
            self.owing.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Whether a ring is owed to any loop.
    pub(crate) fn owes(&self) -> bool {
        self.owing.load(Ordering::Relaxed)
    }

    /// Rings for all loops that have letters and were not rung for yet.
    pub(crate) fn ring(&self, ring: impl Fn(B)) {
        if !self.owes() || !self.owing.swap(false, Ordering::AcqRel) {
            return;
        }
        for mailbox in self.all().iter().flat_map(|open| open.iter()) {
            if let Some(bell) = mailbox.ring() {
                ring(bell);
            }
        }
    }

    /// Takes the letters whose loops have not come although so many looks in a row found their
    /// bells rung. Each call is a look.
    pub(crate) fn overdue(&self, looks_max: u32) -> Vec<L> {
        let open = self.all();
        let all = open.iter().flat_map(|open| open.iter());
        all.flat_map(|mailbox| mailbox.overdue(looks_max)).collect()
    }

    /// Whether no letter waits.
    pub(crate) fn is_empty(&self) -> bool {
        let open = self.all();
        open.iter().flat_map(|open| open.iter()).all(|mailbox| lock(&mailbox.0).letters.is_empty())
    }

    fn all(&self) -> Option<Arc<Mailboxes<L, B>>> {
        lock(&self.mailboxes).as_ref().map(Arc::clone)
    }
}

impl<L, B: Clone> Mailbox<L, B> {
    /// Gives the mailbox the bell that its loop listens to from now on.
    pub(crate) fn attend(&self, bell: B) {
        let mut state = lock(&self.0);
        if !state.closed {
            state.bell = Some(bell);
        }
    }

    /// Takes what is there into `letters`, which is empty.
    pub(crate) fn collect(&self, letters: &mut Vec<L>) {
        let mut state = lock(&self.0);
        std::mem::swap(&mut state.letters, letters);
        state.rung = false;
        state.looks = 0;
    }

    fn ring(&self) -> Option<B> {
        let mut state = lock(&self.0);
        if state.letters.is_empty() || state.rung {
            return None;
        }
        state.rung = true;
        state.bell.clone()
    }

    fn overdue(&self, looks_max: u32) -> Vec<L> {
        let mut state = lock(&self.0);
        if state.letters.is_empty() || !state.rung {
            return Vec::new();
        }
        state.looks += 1;
        if state.looks < looks_max { Vec::new() } else { std::mem::take(&mut state.letters) }
    }

    fn close(&self) -> Vec<L> {
        let mut state = lock(&self.0);
        state.closed = true;
        state.bell = None;
        std::mem::take(&mut state.letters)
    }
}
