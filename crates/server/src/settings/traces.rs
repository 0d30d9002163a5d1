//! `[traces]`: where spans of calls go.

use serde::Deserialize;

use super::{Check, MASK, Secret};

/// Traces, as OTLP over gRPC.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesSection {
    otlp_endpoint: String,
    sample_ratio: f64,
    headers: Secret,
}

impl TracesSection {
    /// Where the collector is, if there is one.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        (!self.otlp_endpoint.is_empty()).then_some(self.otlp_endpoint.as_str())
    }

    /// Which share of the traces that begin here is recorded.
    #[must_use]
    pub fn sample_ratio(&self) -> f64 {
        self.sample_ratio
    }

    /// Headers that go with each export: names in lower case, and secret values.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs =
            self.headers.expose().split(['\n', ',']).map(str::trim).filter(|one| !one.is_empty());
        pairs.filter_map(|one| one.split_once('=')).map(|(name, value)| (name.trim(), value.trim()))
    }

    pub(super) fn check(&self, check: &mut Check) {
        let ratio = self.sample_ratio;
        check.expect("traces.sample_ratio", ratio, (0.0..=1.0).contains(&ratio), "0 to 1");
        let endpoint = self.otlp_endpoint.as_str();
        let expected = "a URL without credentials, which belong into traces.headers";
        check.expect("traces.otlp_endpoint", MASK, !endpoint.contains('@'), expected);
        let uri = endpoint.parse::<http::Uri>();
        let is_fine = uri.is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
        });
        let expected = "empty, or a URL such as http://localhost:4317";
        check.expect("traces.otlp_endpoint", endpoint, endpoint.is_empty() || is_fine, expected);
        self.check_headers(check);
    }

    /// Messages here must not say what was found.
    fn check_headers(&self, check: &mut Check) {
        let entries =
            self.headers.expose().split(['\n', ',']).filter(|one| !one.trim().is_empty()).count();
        let fine = self.headers().filter(|(name, value)| {
            let is_name = http::HeaderName::try_from(*name).is_ok();
            is_name && http::HeaderValue::try_from(*value).is_ok()
        });
        let expected = "name=value, several with commas or line breaks between them";
        check.expect("traces.headers", MASK, fine.count() == entries, expected);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use crate::settings::Settings;

    fn read(text: &str) -> Result<Settings, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "[traces]\n{text}").unwrap();
        Settings::read(Some(file.path())).map_err(|error| error.to_string())
    }

    #[test]
    fn headers_are_pairs_with_commas_or_line_breaks_between() {
        let settings = read("headers = \"a=1, authorization=Basic eA==\\nb=\"").unwrap();
        let headers: Vec<_> = settings.traces.headers().collect();
        assert_eq!(headers, [("a", "1"), ("authorization", "Basic eA=="), ("b", "")]);
    }

    #[test]
    fn what_is_refused_is_named_and_secrets_are_not_shown() {
        let check = |text: &str, expected: &str| {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        };
        check("headers = \"hunter2\"", "traces.headers is ***, expected name=value");
        check("headers = \"a b=hunter2\"", "traces.headers is ***, expected name=value");
        check("otlp_endpoint = \"http://a:hunter2@b:4317\"", "traces.otlp_endpoint is ***");
        check("otlp_endpoint = \"localhost:4317\"", "expected empty, or a URL such as http://");
        check("sample_ratio = 1.5", "traces.sample_ratio is 1.5, expected 0 to 1");
    }
}
