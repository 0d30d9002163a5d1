//! Prometheus' rules: their tests, and that they ask for metrics that there are.

mod rules;

use std::fs;

use anyhow::{Context as _, ensure};

use crate::debian::have_unpacked;
use crate::process::{command, run};
use crate::skip::Skip;
use crate::workspace::Workspace;

const RULES: &str = "deploy/helm/foreword/rules/foreword.yaml";
const TESTS: [&str; 2] =
    ["deploy/prometheus/foreword.test.yaml", "deploy/prometheus/foreword-days.test.yaml"];

pub(super) fn check(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<()> {
    check_metrics(workspace)?;
    check_rules(workspace)?;
    match have_unpacked(workspace, "promtool", "prometheus") {
        Ok(promtool) => {
            run(command(workspace, &promtool, "check rules --lint-fatal").arg(RULES))?;
            run(command(workspace, &promtool, "test rules").args(TESTS))
        }
        Err(error) => {
            skips.push(Skip::tool("promtool", format!("{error:#}")));
            Ok(())
        }
    }
}

/// What promtool does not ask of rules and of their tests.
fn check_rules(workspace: &Workspace) -> anyhow::Result<()> {
    let read = |path: &str| fs::read_to_string(workspace.path(path)).context(path.to_owned());
    let rules = rules::Rules::parse(&read(RULES)?).context(RULES)?;
    rules.are_the_same_for_each_window().context(RULES)?;
    let tests: Vec<String> = TESTS.into_iter().map(read).collect::<Result<_, _>>()?;
    rules.fire_and_stay_silent(&tests).with_context(|| TESTS.join(", "))
}

/// Holds the names in the rules against the page of all metrics.
fn check_metrics(workspace: &Workspace) -> anyhow::Result<()> {
    let rules = fs::read_to_string(workspace.path(RULES)).context(RULES)?;
    let known = fs::read_to_string(workspace.path("docs/metrics.md"))?;
    for name in metrics(&rules) {
        let family =
            ["_count", "_sum", "_bucket"].into_iter().find_map(|end| name.strip_suffix(end));
        let family = family.unwrap_or(name);
        ensure!(
            known.contains(&format!("`{family}`")),
            "{RULES}: found {name:?}, which docs/metrics.md does not have"
        );
    }
    Ok(())
}

/// What in the rules is the name of a metric, but for what they record themselves.
fn metrics(rules: &str) -> impl Iterator<Item = &str> {
    let words =
        rules.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_:".contains(letter)));
    words.filter(|word| {
        ["foreword_", "process_", "rpc_server_"].iter().any(|start| word.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_told_from_what_is_recorded() {
        let rules =
            "expr: foreword:calls:rate5m > 1 and rate(foreword_stalls_total{rpc_method=\"x\"}[5m])";
        assert_eq!(metrics(rules).collect::<Vec<_>>(), ["foreword_stalls_total"]);
    }
}
