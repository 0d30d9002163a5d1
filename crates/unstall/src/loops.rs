//! Loops: runtimes of one thread whose tasks await jobs, such as a transport's.
//!
//! tokio writes to an eventfd at every wake that comes from another thread, and polls tasks that
//! were woken so one by one, when nothing else is left: each answer then is a system call of its
//! own. So a job that ends leaves the waker of whoever awaits it in the mailbox of that loop
//! (`mailbox.rs`), and a loop that starts jobs fetches a worker for many of them at once. The
//! [`Postman`], a task of the loop, does both; so does the loop when it goes to sleep and when it
//! wakes, which is sooner.
//!
//! Who sees to it that nothing stays where it is:
//! - Letters: workers ring before they poll the last job that waits, before they park or leave,
//!   and when they have gone from job to job for 100 µs; all others ring at once, and so does the
//!   watchdog for a worker that is stuck. Asleep or not, a loop that is rung for polls its postman.
//! - An answer goes by mail only if its job is awaited within the loop's own runtime. If the loop
//!   does not come all the same, say because the task blocks it until the job ends, the watchdog
//!   delivers the letters itself after [`LOOKS_MAX`] looks, and it looks as long as there are any.
//! - Workers that are fetched later: the postman is woken when the first is put off, and comes
//!   after the tasks that are ready now. The lane knows who is called and not yet woken, so that
//!   any other thread wakes him for its own job, and the watchdog at its next look.
//! - A loop that ends wakes whoever is owed a wake, and from then on nothing goes by mail. So
//!   does the executor for all loops when it ends, since its watchdog does.

mod here;
mod letter;
mod postman;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::task::Waker;

pub(crate) use self::here::wake;
use self::here::with_here;
pub(crate) use self::letter::Sender;
use self::letter::{Letter, deliver};
pub use self::postman::Postman;
use crate::mailbox::{Mailbox, Post};
use crate::watchdog::Watch;

/// A loop that was rung for and has not come at so many looks of the watchdog is not waited for.
const LOOKS_MAX: u32 = 4;

thread_local! {
    /// The loops that the thread rings for when it has nothing better to do, by address.
    static RINGS_FOR: Cell<usize> = const { Cell::new(0) };
}

/// All loops of an executor.
pub(crate) struct Loops {
    post: Post<Arc<Letter>, Waker>,
    watch: Arc<Watch>,
}

/// A loop, as others know it.
pub(crate) struct Place {
    loops: Arc<Loops>,
    mailbox: Arc<Mailbox<Arc<Letter>, Waker>>,
}

impl Loops {
    pub(crate) fn new(watch: &Arc<Watch>) -> Arc<Self> {
        Arc::new(Self { post: Post::new(), watch: Arc::clone(watch) })
    }

    /// Whether a loop waits to be rung for.
    pub(crate) fn are_owed(&self) -> bool {
        self.post.owes()
    }

    /// Rings for the loops that have letters.
    pub(crate) fn tell(&self) {
        self.post.ring(Waker::wake);
    }

    /// The calling thread calls [`Loops::tell`] whenever it has nothing better to do, until
    /// [`Loops::dismiss`]: what it leaves in mailboxes is not rung for at once.
    pub(crate) fn employ(&self) {
        RINGS_FOR.set(self.address());
    }

    /// The calling thread goes.
    pub(crate) fn dismiss(&self) {
        // What happens now may be in the drop of a thread's own variables.
        let _ = RINGS_FOR.try_with(|rings_for| rings_for.set(0));
        self.tell();
    }

    /// A look of the watchdog: nothing waits for those who should have come and did not.
    pub(crate) fn look(&self) {
        self.tell();
        deliver(&mut self.post.overdue(LOOKS_MAX));
    }

    /// Whether no letter waits.
    pub(crate) fn are_quiet(&self) -> bool {
        self.post.is_empty()
    }

    /// From now on nothing goes by mail.
    pub(crate) fn end(&self) {
        deliver(&mut self.post.close_all());
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn is_rung_for_here(&self) -> bool {
        RINGS_FOR.try_with(Cell::get) == Ok(self.address())
    }
}

impl fmt::Debug for Loops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loops").finish_non_exhaustive()
    }
}

impl Place {
    pub(crate) fn open(loops: &Arc<Loops>) -> Arc<Self> {
        Arc::new(Self { loops: Arc::clone(loops), mailbox: loops.post.open() })
    }

    /// Wakes whom the calling thread has put off, and hands out the letters. The loop's thread
    /// calls this when it goes to sleep, when it wakes, and in between as the postman.
    pub(crate) fn come_by(&self) {
        let mut letters = with_here(|here| {
            here.wake_put_off();
            if here.is_at(self) { std::mem::take(&mut here.letters) } else { Vec::new() }
        })
        .unwrap_or_default();
        self.mailbox.collect(&mut letters);
        deliver(&mut letters);
        with_here(|here| {
            if here.is_at(self) {
                here.letters = letters;
            }
        });
    }

    fn is_here(&self) -> bool {
        with_here(|here| here.is_at(self)) == Some(true)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}
