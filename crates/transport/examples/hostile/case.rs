//! A case: an attack, what is expected of the server under it, and how that is judged.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::arena::Arena;
use crate::frames::{code, code_name};
use crate::seen::Seen;

/// An attack and what it is held to.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What attackers do.
    pub(crate) attack_text: &'static str,
    /// What the server does about it.
    pub(crate) expected_text: &'static str,
    pub(crate) expected: Expected,
    /// How much more memory may be resident at once than before, in MiB.
    pub(crate) memory_mib_max: u32,
    /// How many cores the server may keep busy.
    pub(crate) cores_max: f64,
    pub(crate) newcomers: Newcomers,
    pub(crate) over: Over,
    /// The server may open so many files.
    pub(crate) files_max: Option<u64>,
    pub(crate) attack: fn(Arena) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What attackers must have seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// Nothing in particular: the good client is what matters.
    Anything,
    /// GOAWAY with `ENHANCE_YOUR_CALM`, and no connection that lived longer than this.
    Calmed(Duration),
    /// Connections that were closed by the server, none older than this.
    Closed(Duration),
    /// Answers, all of them among these.
    Answered(&'static [&'static str]),
}

/// Whether new connections of the good client must be served during the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newcomers {
    AreServed,
    MayWait,
}

/// What the attack needs below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Both,
    Tls,
}

/// What most cases have in common.
pub(crate) const USUAL: Case = Case {
    name: "",
    attack_text: "nothing",
    expected_text: "",
    expected: Expected::Anything,
    memory_mib_max: 32,
    cores_max: 2.0,
    newcomers: Newcomers::AreServed,
    over: Over::Both,
    files_max: None,
    attack: |_| Box::pin(std::future::ready(())),
};

/// What the server does about a flood.
pub(crate) const CALMED: Expected = Expected::Calmed(Duration::from_secs(3));

/// What the server does about a peer that takes too long: it closes the connection at its limit
/// of two seconds. More is left for a machine that is busy.
pub(crate) const CUT_OFF: Expected = Expected::Closed(Duration::from_millis(4500));

impl Expected {
    /// What is missing.
    pub(crate) fn missed(self, seen: &Seen) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Calmed(within) => {
                let calm = code_name(code::ENHANCE_YOUR_CALM);
                if seen.goaways.contains_key(&calm) {
                    too_long(seen, within)
                } else {
                    Some(format!("no GOAWAY {calm}"))
                }
            }
            Self::Closed(within) if seen.closed > 0 => too_long(seen, within),
            Self::Closed(_) => Some("the server closed no connection".to_owned()),
            Self::Answered(_) if seen.statuses.is_empty() => Some("no answer".to_owned()),
            Self::Answered(allowed) => {
                let odd = |status: &&String| !allowed.contains(&status.as_str());
                let odd: Vec<_> = seen.statuses.keys().filter(odd).cloned().collect();
                (!odd.is_empty()).then(|| format!("answered {}", odd.join(", ")))
            }
        }
    }
}

fn too_long(seen: &Seen, within: Duration) -> Option<String> {
    let longest = seen.longest_seconds;
    (longest > within.as_secs_f64()).then(|| format!("a connection lived for {longest:.1} s"))
}
