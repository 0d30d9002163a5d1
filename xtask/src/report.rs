//! Runs steps one after the other, and says at the end how each of them went.
//!
//! A failure does not stop the steps after it, so that one run shows everything.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::skip::{Missing, Skip};

/// What to make of a skip for want of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingTools {
    /// Name it.
    AreNamed,
    /// Let the step fail.
    Fail,
}

impl MissingTools {
    /// Fails with `CI=true` in the environment, names otherwise.
    pub(crate) fn from_environment() -> Self {
        let is_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        if is_ci { Self::Fail } else { Self::AreNamed }
    }
}

/// Whether a step did anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It did, perhaps with parts left out.
    Yes,
    /// It could not.
    No,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    Passed,
    Failed(String),
    Skipped,
}

/// The steps so far.
pub(crate) struct Report {
    missing_tools: MissingTools,
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    ending: Ending,
    skips: Vec<Skip>,
    time: Duration,
}

impl Report {
    /// A report of no steps yet.
    pub(crate) fn new(missing_tools: MissingTools) -> Self {
        Self { missing_tools, steps: Vec::new() }
    }

    /// Runs a step that needs nothing but Cargo.
    pub(crate) fn step(&mut self, name: &'static str, action: impl FnOnce() -> anyhow::Result<()>) {
        self.skippable(name, |_| action().map(|()| Ran::Yes));
    }

    /// Runs a step that may have to be left out, in part or as a whole; the action
    /// adds what it leaves out.
    pub(crate) fn skippable(
        &mut self,
        name: &'static str,
        action: impl FnOnce(&mut Vec<Skip>) -> anyhow::Result<Ran>,
    ) {
        println!("\n=== {name}");
        let started = Instant::now();
        let mut skips = Vec::new();
        let result = action(&mut skips);
        let time = started.elapsed();
        let ending = self.judge(result, &skips);
        if let Ending::Failed(reason) = &ending {
            println!("{reason}");
        }
        println!("--- {name}: {} after {:.1} s", word(&ending), time.as_secs_f64());
        self.steps.push(Step { name, ending, skips, time });
    }

    fn judge(&self, result: anyhow::Result<Ran>, skips: &[Skip]) -> Ending {
        let has_all_tools = skips.iter().all(|skip| skip.missing != Missing::Tool);
        match result {
            Err(error) => Ending::Failed(format!("{error:#}")),
            Ok(_) if self.missing_tools == MissingTools::Fail && !has_all_tools => {
                Ending::Failed("a tool is missing, and CI=true".to_owned())
            }
            Ok(Ran::Yes) => Ending::Passed,
            Ok(Ran::No) => Ending::Skipped,
        }
    }

    /// Prints a table of the steps, what was skipped, why steps failed, and last a line
    /// that counts steps. The exit code says whether none failed.
    pub(crate) fn finish(self) -> ExitCode {
        println!("\n=== summary");
        for step in &self.steps {
            let seconds = step.time.as_secs_f64();
            println!("{:<24} {:>8.1} s  {}", step.name, seconds, word(&step.ending));
        }
        for step in &self.steps {
            for skip in &step.skips {
                println!("skipped in {}: {skip}", step.name);
            }
        }
        for step in &self.steps {
            if let Ending::Failed(reason) = &step.ending {
                println!("failed: {}: {reason}", step.name);
            }
        }
        println!("{}", self.count());
        let failed = self.steps.iter().any(|step| matches!(step.ending, Ending::Failed(_)));
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn count(&self) -> String {
        let count = |wanted| self.steps.iter().filter(|step| word(&step.ending) == wanted).count();
        let [passed, failed, skipped] = ["passed", "FAILED", "skipped"].map(count);
        format!("xtask: {passed} passed, {failed} failed, {skipped} skipped")
    }
}

fn word(ending: &Ending) -> &'static str {
    match ending {
        Ending::Passed => "passed",
        Ending::Failed(_) => "FAILED",
        Ending::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs one step that ends well but leaves something out, and gives the count.
    fn check(missing_tools: MissingTools, skip: Skip, ran: Ran, expected: &str) {
        let mut report = Report::new(missing_tools);
        report.skippable("step", |skips| {
            skips.push(skip);
            Ok(ran)
        });
        assert_eq!(report.count(), expected);
    }

    #[test]
    fn a_missing_tool_fails_only_in_continuous_integration() {
        let skip = || Skip::tool("buf", "not installed");
        check(MissingTools::AreNamed, skip(), Ran::No, "xtask: 0 passed, 0 failed, 1 skipped");
        check(MissingTools::AreNamed, skip(), Ran::Yes, "xtask: 1 passed, 0 failed, 0 skipped");
        check(MissingTools::Fail, skip(), Ran::No, "xtask: 0 passed, 1 failed, 0 skipped");
        check(MissingTools::Fail, skip(), Ran::Yes, "xtask: 0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn missing_data_never_fails() {
        let skip = || Skip::data("real data", "not here");
        check(MissingTools::Fail, skip(), Ran::No, "xtask: 0 passed, 0 failed, 1 skipped");
        check(MissingTools::Fail, skip(), Ran::Yes, "xtask: 1 passed, 0 failed, 0 skipped");
    }

    #[test]
    fn a_failure_does_not_stop_the_steps_after_it() {
        let mut report = Report::new(MissingTools::AreNamed);
        report.step("first", || anyhow::bail!("no"));
        report.step("second", || Ok(()));
        assert_eq!(report.count(), "xtask: 1 passed, 1 failed, 0 skipped");
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }
}
