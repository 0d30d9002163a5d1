//! Systems of which nothing is known but the names of threads.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Sight, SystemCall, View};

/// A thread of this process: here only its name.
pub(crate) struct Thread {
    id: u32,
    name: String,
}

impl Thread {
    /// The calling thread; its number counts the calls of this function.
    pub(crate) fn current() -> Thread {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let name =
            std::thread::current().name().map_or_else(|| format!("thread {id}"), str::to_owned);
        Thread { id, name }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Unknown.
    pub(crate) fn view(&self) -> View {
        View::Unknown
    }

    /// Unknown.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        None
    }
}

impl SystemCall {
    /// Its number, as no names are known here.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        format!("system call {}", self.number).into()
    }

    /// Unknown.
    pub(crate) fn target(&self) -> Option<String> {
        None
    }

    /// Unknown.
    pub(crate) fn futex_address(&self) -> Option<u64> {
        None
    }
}

/// Says that only names can be seen.
pub(crate) fn probe() -> Sight {
    Sight::NamesOnly
}
