//! Calls: how many are open, and how each ended after how long.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api::code_name;
use tonic::Code;

use super::families::{CALLS, CALLS_OPEN};
use super::histogram::Histogram;
use super::page::Page;
use crate::methods::{METHODS, Method};

/// The name of methods that are not served.
pub(crate) const OTHER: &str = "_OTHER";

const CODES: usize = 17;

/// Calls by method and status.
#[derive(Debug)]
pub struct Calls {
    /// One for each method, and the last for all that are not served.
    methods: Box<[OfMethod]>,
}

#[derive(Debug, Default)]
struct OfMethod {
    open: AtomicI64,
    by_code: [Histogram; CODES],
}

impl Default for Calls {
    fn default() -> Self {
        Self { methods: (0..=METHODS.len()).map(|_| OfMethod::default()).collect() }
    }
}

impl Calls {
    /// A call has come.
    pub fn begun(&self, method: Option<&Method>) {
        self.of(method).open.fetch_add(1, Ordering::Relaxed);
    }

    /// It is over, with its status and its duration.
    pub fn ended(&self, method: Option<&Method>, code: Code, duration: Duration) {
        let of_method = self.of(method);
        of_method.open.fetch_sub(1, Ordering::Relaxed);
        of_method.by_code[code as usize].observe(duration);
    }

    /// How many are open.
    pub(crate) fn open(&self) -> i64 {
        self.methods.iter().map(|one| one.open.load(Ordering::Relaxed)).sum()
    }

    /// Those that ended, for each method that was called: its name, and for each code how long they
    /// took.
    pub(crate) fn ended_by_code(
        &self,
    ) -> impl Iterator<Item = (&'static str, Vec<(Code, &Histogram)>)> {
        let names = METHODS.iter().map(Method::name).chain([OTHER]);
        names.zip(&self.methods).filter_map(|(name, one)| {
            let by_code = one.by_code.iter().enumerate();
            let ended = by_code.filter(|(_, histogram)| !histogram.is_empty());
            let ended: Vec<_> =
                ended.map(|(code, histogram)| (Code::from_i32(code as i32), histogram)).collect();
            (!ended.is_empty()).then_some((name, ended))
        })
    }

    fn of(&self, method: Option<&Method>) -> &OfMethod {
        let place = method.and_then(|method| METHODS.iter().position(|one| one == method));
        &self.methods[place.unwrap_or(METHODS.len())]
    }

    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let names = || METHODS.iter().map(Method::name).chain([OTHER]);
        // Combinations that never happened are left out, but each method is there from the start.
        let samples = names().zip(&self.methods).flat_map(|(name, of_method)| {
            let by_code = of_method.by_code.iter().enumerate();
            by_code.filter_map(move |(code, histogram)| {
                let code = Code::from_i32(code as i32);
                let shown = code == Code::Ok || !histogram.is_empty();
                let labels = ["grpc", name, code_name(code), error_type(code)];
                shown.then_some((labels, histogram))
            })
        });
        page.histograms(&CALLS, samples)?;
        let open = names().zip(&self.methods);
        let open = open.map(|(name, one)| ([name], one.open.load(Ordering::Relaxed) as f64));
        page.gauges(&CALLS_OPEN, open)
    }
}

/// Whether the conventions count a status as an error of the server, not of its client.
#[must_use]
pub(crate) fn is_servers_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The status if it is the server's fault, else nothing.
fn error_type(code: Code) -> &'static str {
    if is_servers_fault(code) { code_name(code) } else { "" }
}
