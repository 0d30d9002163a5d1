//! Families with their samples, as an encoder takes them.

use std::fmt;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel as _, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Unit;

use super::families::{Family, Kind};
use super::histogram::Histogram;

/// A page of metrics that is being written.
pub(super) struct Page<'a>(DescriptorEncoder<'a>);

/// Labels of a family with their values. An empty value is no label, as Prometheus has it.
struct Labels<'a, const N: usize> {
    names: &'static [&'static str],
    values: [&'a str; N],
}

impl<const N: usize> EncodeLabelSet for Labels<'_, N> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let labels = self.names.iter().zip(self.values).filter(|(_, value)| !value.is_empty());
        labels
            .map(|(name, value)| (*name, value))
            .try_for_each(|label| label.encode(encoder.encode_label()))
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    /// A counter's value for each set of labels.
    pub(super) fn counters<'s, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([&'s str; N], u64)>,
    ) -> fmt::Result {
        self.samples(family, samples, |encoder, value| {
            encoder.encode_counter::<NoLabelSet, _, u64>(&value, None::<&Exemplar<_, _>>)
        })
    }

    /// A counter of seconds.
    pub(super) fn seconds(&mut self, family: &Family, seconds: f64) -> fmt::Result {
        self.samples(family, [([], seconds)], |encoder, value| {
            encoder.encode_counter::<NoLabelSet, _, f64>(&value, None::<&Exemplar<_, _>>)
        })
    }

    /// A counter without labels.
    pub(super) fn counter(&mut self, family: &Family, value: u64) -> fmt::Result {
        self.counters(family, [([], value)])
    }

    /// A gauge's value for each set of labels.
    pub(super) fn gauges<'s, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([&'s str; N], f64)>,
    ) -> fmt::Result {
        self.samples(family, samples, |encoder, value| encoder.encode_gauge(&value))
    }

    /// A gauge without labels.
    pub(super) fn gauge(&mut self, family: &Family, value: f64) -> fmt::Result {
        self.gauges(family, [([], value)])
    }

    /// Always 1.
    pub(super) fn info<const N: usize>(
        &mut self,
        family: &Family,
        values: [&str; N],
    ) -> fmt::Result {
        let (name, unit) = split(family.name);
        let mut encoder =
            self.0.encode_descriptor(name, family.meaning, unit.as_ref(), MetricType::Info)?;
        encoder.encode_info(&Labels { names: family.labels, values })
    }

    /// A histogram for each set of labels.
    pub(super) fn histograms<'s, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([&'s str; N], &'s Histogram)>,
    ) -> fmt::Result {
        self.samples(family, samples, |encoder, histogram| {
            let (seconds, count, buckets) = histogram.read();
            encoder.encode_histogram::<NoLabelSet>(seconds, count, &buckets, None)
        })
    }

    fn samples<'s, T, const N: usize>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = ([&'s str; N], T)>,
        encode: impl Fn(&mut MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        debug_assert_eq!(family.labels.len(), N, "{}", family.name);
        let (name, unit) = split(family.name);
        let kind = match family.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
            Kind::Info => MetricType::Info,
        };
        let mut encoder = self.0.encode_descriptor(name, family.meaning, unit.as_ref(), kind)?;
        for (values, value) in samples {
            if N == 0 {
                encode(&mut encoder, value)?;
            } else {
                let labels = Labels { names: family.labels, values };
                encode(&mut encoder.encode_family(&labels)?, value)?;
            }
        }
        Ok(())
    }
}

/// A name without its unit, and the unit.
fn split(name: &'static str) -> (&'static str, Option<Unit>) {
    if let Some(name) = name.strip_suffix("_seconds") {
        return (name, Some(Unit::Seconds));
    }
    match name.strip_suffix("_bytes") {
        Some(name) => (name, Some(Unit::Bytes)),
        None => (name, None),
    }
}
