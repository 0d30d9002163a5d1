//! Methods: the names under which jobs run, are counted and are reported.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// So many names are told apart; the rest is counted under one.
const METHODS_MAX: usize = 1_000;

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
}

impl Method {
    fn new(name: &str, number: u16) -> Self {
        Self(Arc::new(State {
            name: name.into(),
            number,
            lane: AtomicU8::new(Lane::Express as u8),
            running: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
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
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Method").field(&self.name()).finish()
    }
}

/// All methods of an executor.
#[derive(Debug)]
pub(crate) struct Methods {
    by_name: RwLock<HashMap<Box<str>, Method>>,
    by_number: RwLock<Vec<Method>>,
    other: Method,
    auxiliary: Method,
    blocking: Method,
}

impl Methods {
    pub(crate) fn new() -> Self {
        let other = Method::new(OTHER, 1);
        let auxiliary = Method::new(AUXILIARY, 2);
        let blocking = Method::new(BLOCKING, 3);
        Self {
            by_name: RwLock::default(),
            by_number: RwLock::new(vec![other.clone(), auxiliary.clone(), blocking.clone()]),
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
            return method;
        }
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(method) = by_name.get(name) {
            return method.clone();
        }
        let mut by_number = self.by_number.write().unwrap_or_else(PoisonError::into_inner);
        if by_number.len() >= METHODS_MAX {
            return self.other.clone();
        }
        let number = u16::try_from(by_number.len() + 1).expect("there are at most METHODS_MAX");
        let method = Method::new(name, number);
        by_name.insert(name.into(), method.clone());
        by_number.push(method.clone());
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
