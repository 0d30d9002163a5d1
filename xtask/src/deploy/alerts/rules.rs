//! Files of rules, and of their tests, as far as they are compared.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    record: Option<String>,
    alert: Option<String>,
    expr: String,
}

#[derive(Deserialize)]
struct Tests {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    alert_rule_test: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    alertname: String,
    exp_alerts: Vec<serde_json::Value>,
}

impl Rules {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        Ok(serde_saphyr::from_str(text)?)
    }

    fn all(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules)
    }

    /// Holds what is recorded over a window, such as `foreword:calls:rate5m`, against the same over
    /// other windows.
    pub(super) fn are_the_same_for_each_window(&self) -> anyhow::Result<()> {
        let mut seen = BTreeMap::new();
        for rule in self.all() {
            let Some(record) = &rule.record else { continue };
            let (name, window) =
                record.rsplit_once("rate").context("a record's name ends with rateWINDOW")?;
            let expr = rule.expr.replace(&format!("[{window}]"), "[WINDOW]");
            let expr = expr.replace(&format!(":rate{window}"), ":rateWINDOW");
            let first = seen.entry(name).or_insert_with(|| (record, expr.clone()));
            ensure!(first.1 == expr, "{record}: expected the same as in {}", first.0);
        }
        Ok(())
    }

    /// Holds the names of alerts against tests: each fires in one case and stays silent in another.
    /// To promtool, an alert that is not there is one that stays silent.
    pub(super) fn fire_and_stay_silent(&self, tests: &[String]) -> anyhow::Result<()> {
        let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
        for text in tests {
            let tests: Tests = serde_saphyr::from_str(text)?;
            for case in tests.tests.into_iter().flat_map(|test| test.alert_rule_test) {
                let cases = if case.exp_alerts.is_empty() { &mut silent } else { &mut firing };
                cases.insert(case.alertname);
            }
        }
        let alerts: BTreeSet<String> = self.all().filter_map(|rule| rule.alert.clone()).collect();
        for (cases, what) in [(firing, "fires"), (silent, "stays silent")] {
            let missing: Vec<_> = alerts.difference(&cases).collect();
            ensure!(
                missing.is_empty(),
                "expected a case in which each {what}, found none of {missing:?}"
            );
            let unknown: Vec<_> = cases.difference(&alerts).collect();
            ensure!(unknown.is_empty(), "found cases of {unknown:?}, which the rules do not have");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    const RULES: &str = "
groups:
  - name: promises
    rules:
      - record: calls:rate5m
        expr: rate(calls{method=~\"Get|List\"}[5m])
      - record: calls:rate1h
        expr: rate(calls{method=~\"Get|List\"}[1h])
      - alert: Slow
        expr: calls:rate5m > 1 and calls:rate1h > 1
";

    fn complaint(result: anyhow::Result<()>) -> String {
        result.map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn windows_differ_in_nothing_else() {
        let check = |text: &str| {
            complaint(Rules::parse(text).and_then(|rules| rules.are_the_same_for_each_window()))
        };
        assert_eq!(check(RULES), "");
        let other = RULES.replace("List\"}[1h]", "Search\"}[1h]");
        assert_eq!(check(&other), "calls:rate1h: expected the same as in calls:rate5m");
        let other = RULES.replace("[1h]", "[5m]");
        assert_eq!(check(&other), "calls:rate1h: expected the same as in calls:rate5m");
    }

    #[test]
    fn each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
        let rules = Rules::parse(RULES).unwrap();
        let case = |alert: &str, expected: &str| {
            format!(
                "tests: [{{alert_rule_test: [{{alertname: {alert}, exp_alerts: {expected}}}]}}]"
            )
        };
        let check = |tests: &[String]| complaint(rules.fire_and_stay_silent(tests));
        let (fires, silent) = (case("Slow", "[{exp_labels: {}}]"), case("Slow", "[]"));
        assert_eq!(check(&[fires.clone(), silent.clone()]), "");
        let missing = "expected a case in which each fires, found none of [\"Slow\"]";
        assert_eq!(check(slice::from_ref(&silent)), missing);
        let missing = "expected a case in which each stays silent, found none of [\"Slow\"]";
        assert_eq!(check(slice::from_ref(&fires)), missing);
        let unknown = "found cases of [\"Gone\"], which the rules do not have";
        assert_eq!(check(&[fires, silent, case("Gone", "[]")]), unknown);
    }
}
