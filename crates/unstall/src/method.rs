//! Methods: the names under which jobs run, are counted and are reported.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::job::Runnable;

/// So many names are told apart; the rest is counted under one.
const METHODS_MAX: usize = 1_000;

/// So many of them may be tentative: names from the network that nobody vouches for.
const TENTATIVE_MAX: usize = 64;

/// The name of all methods beyond [`METHODS_MAX`].
const OTHER: &str = "(other)";

/// The name of work given to [`Executor::block`](crate::Executor::block).
const BLOCKING: &str = "(block)";

/// The name under which the auxiliary runtime's threads are watched.
const AUXILIARY: &str = "(tokio::spawn)";

/// The lane that a job goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Lane {
    /// Where jobs go: handlers that only await.
    Express = 0,
    /// Methods that were caught computing for long.
    Slow = 1,
    /// Work that is known to block.
    Blocking = 2,
}

impl Lane {
    /// All lanes.
    pub const ALL: [Self; 3] = [Self::Express, Self::Slow, Self::Blocking];

    /// The lane's name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Express => "express",
            Self::Slow => "slow",
            Self::Blocking => "blocking",
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        Self::ALL[usize::from(number).min(Self::ALL.len() - 1)]
    }
}

/// The name under which a job runs, such as an RPC's path. Cheap to clone; had from
/// [`Executor::method`](crate::Executor::method).
#[derive(Clone)]
pub struct Method(Arc<State>);

struct State {
    name: Box<str>,
    number: u16,
    lane: AtomicU8,
    running: AtomicUsize,
    stuck: AtomicUsize,
    /// So many of its polls have lasted so long that new calls are shed.
    sheds: AtomicBool,
    /// Jobs that wait until the method holds fewer workers.
    held: Mutex<VecDeque<Runnable>>,
    held_count: AtomicUsize,
    /// Its place may not be given to another name.
    vouched: AtomicBool,
}

impl Method {
    fn new(name: &str, number: u16, vouched: bool) -> Self {
        Self(Arc::new(State {
            name: name.into(),
            number,
            lane: AtomicU8::new(Lane::Express as u8),
            running: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            sheds: AtomicBool::new(false),
            held: Mutex::default(),
            held_count: AtomicUsize::new(0),
            vouched: AtomicBool::new(vouched),
        }))
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The lane that its jobs take now.
    #[must_use]
    pub fn lane(&self) -> Lane {
        Lane::from_number(self.0.lane.load(Ordering::Relaxed))
    }

    pub(crate) fn take_lane(&self, lane: Lane) {
        self.0.lane.store(lane as u8, Ordering::Relaxed);
    }

    /// Identifies the method in the word that a worker publishes. Never 0.
    pub(crate) fn number(&self) -> u16 {
        self.0.number
    }

    /// Keeps a tentative method for good.
    pub(crate) fn vouch(&self) {
        if !self.is_vouched() {
            self.0.vouched.store(true, Ordering::Relaxed);
        }
    }

    fn is_vouched(&self) -> bool {
        self.0.vouched.load(Ordering::Relaxed)
    }

    /// How many workers are in a poll of it.
    pub(crate) fn running(&self) -> usize {
        self.0.running.load(Ordering::Relaxed)
    }

    /// Counts a worker in; returns how many there were.
    pub(crate) fn enter(&self) -> usize {
        self.0.running.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn exit(&self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many workers were off the CPU in one of its polls when the watchdog last looked.
    pub(crate) fn stuck(&self) -> usize {
        self.0.stuck.load(Ordering::Relaxed)
    }

    pub(crate) fn set_stuck(&self, workers: usize) {
        self.0.stuck.store(workers, Ordering::Relaxed);
    }

    /// Whether new calls are refused, because it holds all the workers it may, and has for long.
    pub(crate) fn sheds(&self) -> bool {
        self.0.sheds.load(Ordering::Relaxed)
    }

    pub(crate) fn set_sheds(&self, sheds: bool) {
        self.0.sheds.store(sheds, Ordering::Relaxed);
    }

    /// Keeps a job until the method holds fewer workers.
    pub(crate) fn hold(&self, runnable: Runnable) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push_back(runnable);
        self.0.held_count.store(held.len(), Ordering::Relaxed);
    }

    /// How many jobs are kept.
    pub(crate) fn held(&self) -> usize {
        self.0.held_count.load(Ordering::Relaxed)
    }

    /// Gives back up to `max` of the jobs that were kept, the oldest first, of those that `which`
    /// is true of.
    pub(crate) fn release(&self, max: usize, which: impl Fn(&Runnable) -> bool) -> Vec<Runnable> {
        if max == 0 || self.held() == 0 {
            return Vec::new();
        }
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut released = Vec::new();
        for runnable in std::mem::take(&mut *held) {
            if released.len() < max && which(&runnable) {
                released.push(runnable);
            } else {
                held.push_back(runnable);
            }
        }
        self.0.held_count.store(held.len(), Ordering::Relaxed);
        released
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Method").field(&self.name()).finish()
    }
}

/// All methods of an executor.
///
/// Names that come from the network are tentative until somebody vouches for them: there are
/// few such places, and one is given to another name once nobody holds the method any more. So
/// a flood of invented names displaces its own kind only. The lock of `by_name` is taken first.
#[derive(Debug)]
pub(crate) struct Methods {
    by_name: RwLock<HashMap<Box<str>, Method>>,
    by_number: RwLock<Vec<Method>>,
    tentative: Mutex<VecDeque<Method>>,
    other: Method,
    auxiliary: Method,
    blocking: Method,
}

impl Methods {
    pub(crate) fn new() -> Self {
        let other = Method::new(OTHER, 1, true);
        let auxiliary = Method::new(AUXILIARY, 2, true);
        let blocking = Method::new(BLOCKING, 3, true);
        Self {
            by_name: RwLock::default(),
            by_number: RwLock::new(vec![other.clone(), auxiliary.clone(), blocking.clone()]),
            tentative: Mutex::default(),
            other,
            auxiliary,
            blocking,
        }
    }

    /// The method of a name, if it is known.
    pub(crate) fn find(&self, name: &str) -> Option<Method> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The method of a name, known from now on as long as there is room.
    pub(crate) fn get(&self, name: &str) -> Method {
        if let Some(method) = self.find(name) {
            method.vouch();
            return method;
        }
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(method) = by_name.get(name) {
            method.vouch();
            return method.clone();
        }
        let Some(method) = self.add(name, true) else { return self.other.clone() };
        by_name.insert(name.into(), method.clone());
        method
    }

    /// The method of a name that nobody vouches for.
    pub(crate) fn get_tentative(&self, name: &str) -> Method {
        if let Some(method) = self.find(name) {
            return method;
        }
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(method) = by_name.get(name) {
            return method.clone();
        }
        let mut tentative = self.tentative.lock().unwrap_or_else(PoisonError::into_inner);
        tentative.retain(|method| !method.is_vouched());
        let method = if tentative.len() < TENTATIVE_MAX {
            self.add(name, false)
        } else {
            // Held by both tables and this list only: by no job and no worker. No job can come to
            // hold it, since names are looked up under the lock that is held here.
            let idle = tentative.iter().position(|method| Arc::strong_count(&method.0) == 3);
            idle.and_then(|at| tentative.remove(at)).map(|idle| {
                by_name.remove(idle.name());
                self.replace(&idle, name)
            })
        };
        let Some(method) = method else { return self.other.clone() };
        by_name.insert(name.into(), method.clone());
        tentative.push_back(method.clone());
        method
    }

    fn add(&self, name: &str, vouched: bool) -> Option<Method> {
        let mut by_number = self.by_number.write().unwrap_or_else(PoisonError::into_inner);
        if by_number.len() >= METHODS_MAX {
            return None;
        }
        let number = u16::try_from(by_number.len() + 1).expect("there are at most METHODS_MAX");
        let method = Method::new(name, number, vouched);
        by_number.push(method.clone());
        Some(method)
    }

    /// Gives the number of a method that nobody holds to another name.
    fn replace(&self, idle: &Method, name: &str) -> Method {
        let method = Method::new(name, idle.number(), false);
        let mut by_number = self.by_number.write().unwrap_or_else(PoisonError::into_inner);
        by_number[usize::from(idle.number()) - 1] = method.clone();
        method
    }

    /// The method that a worker published.
    pub(crate) fn of_number(&self, number: u16) -> Option<Method> {
        let by_number = self.by_number.read().unwrap_or_else(PoisonError::into_inner);
        by_number.get(usize::from(number).checked_sub(1)?).cloned()
    }

    /// Shows every method.
    pub(crate) fn each(&self, show: impl FnMut(&Method)) {
        self.by_number.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(show);
    }

    /// Where jobs are counted whose names there is no room for.
    pub(crate) fn other(&self) -> &Method {
        &self.other
    }

    pub(crate) fn auxiliary(&self) -> &Method {
        &self.auxiliary
    }

    pub(crate) fn blocking(&self) -> &Method {
        &self.blocking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_names_leave_room_for_real_ones() {
        let methods = Methods::new();
        for invented in 0..10_000 {
            let name = format!("/invented/{invented}");
            assert_eq!(methods.get_tentative(&name).name(), name);
        }
        let real = methods.get_tentative("/shop.Books/Recommend");
        assert_eq!(real.name(), "/shop.Books/Recommend");
        assert_eq!(methods.of_number(real.number()).expect("it is held").name(), real.name());
        assert!(methods.by_number.read().expect("nobody panicked").len() <= TENTATIVE_MAX + 3);
        assert!(methods.by_name.read().expect("nobody panicked").len() <= TENTATIVE_MAX);
    }

    #[test]
    fn a_name_that_was_vouched_for_is_not_displaced() {
        let methods = Methods::new();
        methods.get_tentative("/real").vouch();
        let number = methods.get("/real").number();
        for invented in 0..1_000 {
            let _ = methods.get_tentative(&format!("/invented/{invented}"));
        }
        assert_eq!(methods.of_number(number).expect("it stays").name(), "/real");
    }

    #[test]
    fn a_method_in_use_is_not_displaced() {
        let methods = Methods::new();
        let held: Vec<_> =
            (0..TENTATIVE_MAX).map(|n| methods.get_tentative(&format!("/held/{n}"))).collect();
        assert_eq!(methods.get_tentative("/one/more").name(), OTHER);
        for method in &held {
            assert_eq!(
                methods.of_number(method.number()).expect("it is held").name(),
                method.name()
            );
        }
        drop(held);
        assert_eq!(methods.get_tentative("/one/more").name(), "/one/more");
    }
}
