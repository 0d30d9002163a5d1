//! What is counted and measured, for Prometheus.
//!
//! Names follow OpenTelemetry's semantic conventions for RPC where there are any, rendered as
//! Prometheus does: <https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/>.
//!
//! Invariants:
//! - Every family is declared once, in [`families`], and `docs/metrics.md` is made from that.
//! - Labels take values of fixed lists only, so that no client decides how many there are.
//! - Counting takes no lock and no memory: all cells are there from the start.

mod calls;
mod executor;
pub(crate) mod families;
mod format;
mod histogram;
mod page;
mod process;
mod refusals;
mod sources;
mod trainings;

use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;

pub use calls::Calls;
pub(crate) use calls::is_servers_fault;
pub use executor::ExecutorFigures;
pub use families::{Family, Kind, families, markdown};
pub use format::Format;
pub(crate) use histogram::Histogram;
pub use refusals::{Refusal, Refusals};
pub use sources::Sources;
pub(crate) use trainings::TrainingFigures;

use page::Page;

/// Everything that is counted and measured of one service.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Calls, by method and status.
    pub calls: Calls,
    /// Calls that a layer refused.
    pub refusals: Refusals,
    /// The executor of the handlers.
    pub executor: ExecutorFigures,
    /// Trainings of the service itself.
    pub(crate) trainings: TrainingFigures,
    sources: OnceLock<Sources>,
}

impl Metrics {
    /// Says where the figures are that are read when somebody asks; the first to say so is right.
    pub fn read_from(&self, sources: Sources) {
        let _ = self.sources.set(sources);
    }

    /// All of them as a page of text. Costs a look at each connection and at `/proc`.
    #[must_use]
    pub fn render(self: &Arc<Self>, format: Format) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Scrape(Arc::clone(self))));
        format.encode(&registry)
    }
}

/// One look at all figures.
#[derive(Debug)]
struct Scrape(Arc<Metrics>);

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut page = Page::new(encoder);
        let metrics = &*self.0;
        metrics.calls.write(&mut page)?;
        metrics.refusals.write(&mut page)?;
        metrics.executor.write(&mut page)?;
        metrics.trainings.write(&mut page)?;
        if let Some(sources) = metrics.sources.get() {
            sources.write(&mut page)?;
        }
        process::write(&mut page)
    }
}
