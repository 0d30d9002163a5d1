//! The two text formats: OpenMetrics, and Prometheus' older one.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// How a page of metrics is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' text format 0.0.4.
    Prometheus,
}

impl Format {
    /// What a client's `Accept` asks for: OpenMetrics only if it is named.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let asks = |one: &str| {
            let mut parameters = one.split(';').map(str::trim);
            let is_named = parameters.next() == Some("application/openmetrics-text");
            let refused = |one: &str| one.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
            is_named && !parameters.any(refused)
        };
        if accept.split(',').any(asks) { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its content type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    pub(super) fn encode(self, registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).expect("writing to a string does not fail");
        match self {
            Self::OpenMetrics => text,
            Self::Prometheus => older(&text),
        }
    }
}

/// The same page in the older format, which names counters and infos by their samples and knows
/// neither units nor infos.
fn older(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                other => ("", other),
            };
            if let Some((_, meaning)) = help.take() {
                written.push_str(&format!("# HELP {name}{suffix} {meaning}\n"));
            }
            written.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
        } else if !line.starts_with('#') {
            written.push_str(line);
            written.push('\n');
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_for_those_who_name_it() {
        let check = |accept: &str, expected| assert_eq!(Format::accepted(accept), expected);
        check("", Format::Prometheus);
        check("*/*", Format::Prometheus);
        check("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format::Prometheus);
        check("application/openmetrics-text;version=1.0.0;q=0", Format::Prometheus);
        check("text/html, application/openmetrics-text;version=1.0.0;q=0.9", Format::OpenMetrics);
        check("application/openmetrics-text", Format::OpenMetrics);
    }

    #[test]
    fn the_older_format_names_counters_by_their_samples() {
        let text = "# HELP a Help.\n# TYPE a counter\n# UNIT a seconds\na_total 1\n# EOF\n";
        assert_eq!(older(text), "# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n");
        let text = "# HELP b Help.\n# TYPE b info\nb_info{v=\"1\"} 1\n";
        assert!(older(text).starts_with("# HELP b_info Help.\n# TYPE b_info gauge\nb_info{"));
    }
}
