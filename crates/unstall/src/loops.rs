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
//!   and when they have been at work for [`worker::HELD_MAX`](crate::executor); all others ring
//!   at once. Awake or asleep, a loop that is rung for polls its postman.
//! - A letter goes by mail only if the task that awaits the job is polled within the loop's own
//!   runtime. A task that waits for it in another way, say in an executor of its own that blocks
//!   the loop, or a loop that is not driven: the watchdog wakes them itself after
//!   [`LOOKS_MAX`] looks.
//! - Workers that are fetched later: the postman is woken when the first is put off, and comes
//!   after the tasks that are ready now. The lane knows who is called and not yet woken, so that
//!   any other thread wakes him for its own job, and the watchdog at its next look.
//! - A loop that ends wakes whoever is owed a wake, and from then on nothing goes by mail. So
//!   does the executor for all loops when it ends, since its watchdog does.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use crate::executor::lane::Parking;
use crate::mailbox::{Mailbox, Post};
use crate::watchdog::{Pace, Watch};

/// So many jobs are pushed by a loop before a worker is fetched, unless the postman comes first.
/// Measured: with 4 there are more switches between threads, with 64 the jobs no longer fit into
/// the cache.
const PUSHES_MAX: usize = 16;

/// A loop that was rung for and has not come at so many looks of the watchdog is not waited for.
const LOOKS_MAX: u32 = 4;

thread_local! {
    /// The loop that the thread last ran.
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
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

/// What a loop's thread knows of itself.
struct Here {
    place: Arc<Place>,
    runtime: Id,
    /// Wakes the postman.
    bell: Waker,
    /// Workers that are called and not woken yet.
    put_off: Vec<Arc<Parking>>,
    /// Jobs that were pushed since the first of them was put off.
    pushes: usize,
    /// The mailbox' other list, so that none is ever allocated anew.
    letters: Vec<Arc<Letter>>,
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

impl Here {
    fn is_at(&self, place: &Place) -> bool {
        std::ptr::eq(&*self.place, place)
    }

    /// Whether the thread runs the loop now. It may have left it, or be in another's.
    fn is_driven(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.runtime)
    }

    fn wake_put_off(&mut self) {
        self.pushes = 0;
        for parking in self.put_off.drain(..) {
            parking.wake();
        }
    }

    /// Puts a worker's wake off. Returns the postman's bell if that is the first.
    fn put_off(&mut self, parking: Arc<Parking>) -> Option<Waker> {
        let first = self.put_off.is_empty();
        if !self.put_off.iter().any(|other| Arc::ptr_eq(other, &parking)) {
            self.put_off.push(parking);
        }
        self.pushes += 1;
        if self.pushes >= PUSHES_MAX {
            self.wake_put_off();
        }
        first.then(|| self.bell.clone())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.wake_put_off();
    }
}

/// Does something with the loop of the calling thread. Nothing that could come back here.
fn with_here<T>(act: impl FnOnce(&mut Here) -> T) -> Option<T> {
    // A thread that is ending has none any more.
    HERE.try_with(|here| here.borrow_mut().as_mut().map(act)).ok().flatten()
}

/// Wakes a worker that was called: soon if the calling thread runs a loop, or else at once.
pub(crate) fn wake(parking: Arc<Parking>) {
    let mut parking = Some(parking);
    let bell = with_here(|here| {
        let parking = parking.take_if(|_| here.is_driven())?;
        here.put_off(parking)
    });
    if let Some(parking) = parking {
        parking.wake();
    }
    if let Some(bell) = bell.flatten() {
        bell.wake();
    }
}

/// Wakes whoever awaits a job, through the mailbox of the loop where that is.
pub(crate) struct Letter {
    place: Arc<Place>,
    waker: Waker,
}

/// Keeps the letter of one job, because it is polled again with the same waker more often than
/// with another.
#[derive(Debug, Default)]
pub(crate) struct Sender(Option<Arc<Letter>>);

impl Sender {
    /// A waker that wakes by mail, if the calling thread runs a loop.
    pub(crate) fn waker(&mut self, waker: &Waker) -> Option<Waker> {
        let place = with_here(|here| here.is_driven().then(|| Arc::clone(&here.place)))??;
        let kept = self
            .0
            .take()
            .filter(|letter| letter.waker.will_wake(waker) && Arc::ptr_eq(&letter.place, &place));
        let letter = kept.unwrap_or_else(|| Arc::new(Letter { place, waker: waker.clone() }));
        Some(Waker::from(Arc::clone(self.0.insert(letter))))
    }
}

impl Letter {
    fn deliver(self: Arc<Self>) {
        match Arc::try_unwrap(self) {
            Ok(letter) => letter.waker.wake(),
            Err(letter) => letter.waker.wake_by_ref(),
        }
    }
}

impl Wake for Letter {
    fn wake(self: Arc<Self>) {
        if self.place.is_here() {
            self.deliver();
            return;
        }
        let place = Arc::clone(&self.place);
        let loops = &place.loops;
        match loops.post.leave(&place.mailbox, self) {
            Err(letter) => letter.deliver(),
            Ok(()) => {
                loops.watch.rouse(Pace::Steady);
                if !loops.is_rung_for_here() {
                    loops.tell();
                }
            }
        }
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Letter").field(&self.waker).finish()
    }
}

fn deliver(letters: &mut Vec<Arc<Letter>>) {
    for letter in letters.drain(..) {
        // A waker that panics shall not keep the others from their letters.
        if catch_unwind(AssertUnwindSafe(|| letter.deliver())).is_err() {
            tracing::error!("a waker panicked");
        }
    }
}

/// Brings the answers of jobs to the tasks of a runtime, and fetches workers for the jobs that
/// they start. Made by [`Executor::serve_runtime`](crate::Executor::serve_runtime).
///
/// A future that never ends: whoever owns the runtime spawns it there before anything else. It
/// is woken once for many answers. Without it, and once it is dropped, each answer wakes its
/// task by itself, as it does for a runtime that is not served.
#[must_use = "to be spawned on the runtime before anything else"]
#[derive(Debug)]
pub struct Postman(Arc<Place>);

impl Postman {
    pub(crate) fn new(place: Arc<Place>) -> Self {
        Self(place)
    }

    /// Lets the calling thread know that it runs the loop.
    fn arrive(&self, bell: &Waker) {
        let here = |here: &mut Here| here.is_at(&self.0) && here.bell.will_wake(bell);
        if with_here(here) == Some(true) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if runtime.runtime_flavor() != RuntimeFlavor::CurrentThread {
            // Its tasks go from thread to thread, and so would the postman.
            return;
        }
        self.0.mailbox.attend(bell.clone());
        let here = Here {
            place: Arc::clone(&self.0),
            runtime: runtime.id(),
            bell: bell.clone(),
            put_off: Vec::new(),
            pushes: 0,
            letters: Vec::new(),
        };
        // Dropped after the thread's own variable is free again.
        let _before = HERE.try_with(|place| place.replace(Some(here)));
    }
}

impl Future for Postman {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.arrive(cx.waker());
        self.0.come_by();
        Poll::Pending
    }
}

impl Drop for Postman {
    fn drop(&mut self) {
        let mut letters = self.0.loops.post.close(&self.0.mailbox);
        let _left = HERE.try_with(|here| here.borrow_mut().take_if(|here| here.is_at(&self.0)));
        deliver(&mut letters);
    }
}
