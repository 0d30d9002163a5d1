//! A training in a process of its own, seen from the service: what it holds is its own, so that the
//! service stays as small as it is, and a kernel that is short of memory has something else to end.
//!
//! The process gets the settings in force as the first line of its standard input, the model to
//! replace as the second, and lives no longer than that is open: if the service is killed, the system closes it. It logs where the
//! service logs, and tells how far it is and what came of it in [`lines`] on its standard output. It has
//! idle priority, and whoever waits for it the usual one, so that its end is known at once.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::leash::Leash;
use super::lines;
use super::outcome::{Outcome, RetrainError};
use super::stage::Stage;
use crate::idle::{self, Priority};
use crate::settings::Settings;
use crate::train::{Replaces, TrainError, Trained};

/// A program that trains beside a service: `foreword train --beside-serve` on the same data folder.
/// It calls [`train_beside_serve`](super::train_beside_serve).
#[derive(Clone, Debug)]
pub struct TrainingProgram {
    /// The program, of the same version as the service.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

/// Why a process told of no training.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// It does not start.
    #[error("cannot start a process to train in: {}: {source}", program.display())]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It cannot be told the settings, or waited for.
    #[error("cannot talk to the process that trains: {0}")]
    Talk(#[from] io::Error),
    /// Somebody killed it.
    #[error(
        "the process that trains was killed; the kernel does so where memory is short, and its log tells: give it more, or train elsewhere (retrain.on = false, and foreword train)"
    )]
    Killed,
    /// It ended by itself, or crashed.
    #[error(
        "the process that trains ended without a result ({status}); the lines before this one say why"
    )]
    NoResult {
        /// With which code.
        status: ExitStatus,
    },
}

impl TrainingProgram {
    /// Trains, and waits for the end on this thread. Another one, of idle priority, starts the process,
    /// which inherits that; what the priority was is told to `tell`, and `see` is shown how far it is.
    pub(super) fn train(
        &self,
        (settings, replaces): (&Settings, Replaces),
        leash: &Leash,
        tell: impl FnOnce(Priority) + Send + 'static,
        see: impl FnMut(Stage),
    ) -> Result<Trained, RetrainError> {
        let handed = settings.to_line().map_err(io::Error::from).map_err(ProgramError::Talk)?;
        let replaces = serde_json::to_string(&replaces)
            .map_err(io::Error::from)
            .map_err(ProgramError::Talk)?;
        let program = self.clone();
        let starting = idle::spawn("training", move |priority| {
            tell(priority);
            program.start()
        })?;
        let mut process = starting.blocking_recv().map_err(|_| RetrainError::Panicked)??;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        leash.hold(process);
        if let Some(mut input) = input {
            // If this fails it has ended already, and its end tells more.
            let _ = writeln!(input, "{handed}\n{replaces}");
            leash.keep_open(input);
        }
        let told = output.and_then(|output| lines::read(output, see));
        let status = leash.wait().map_err(ProgramError::Talk)?;
        match told {
            Some(Outcome::Trained(trained)) => Ok(trained),
            // Whatever a process says that was to end.
            _ if leash.is_pulled() => Err(TrainError::Cancelled.into()),
            Some(outcome) => outcome.into(),
            None if is_killed(status) => Err(ProgramError::Killed.into()),
            None => Err(ProgramError::NoResult { status }.into()),
        }
    }

    fn start(&self) -> Result<Child, ProgramError> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        // For whoever lists processes: the path may be one that says nothing.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, "foreword");
        let started = command.spawn();
        started.map_err(|source| ProgramError::Start { program: self.program.clone(), source })
    }
}

/// Whether it was SIGKILL that ended it, as a kernel does that is short of memory.
#[cfg(unix)]
fn is_killed(status: ExitStatus) -> bool {
    const SIGKILL: i32 = 9;
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGKILL)
}

#[cfg(not(unix))]
fn is_killed(_: ExitStatus) -> bool {
    false
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::retrain::schedule::Ended;

    /// What a process that has read its settings can say.
    const BUSY: &str = r#"{"ended":{"not_trained":{"how":"busy","why":"WHY"}}}"#;

    fn program(script: &str) -> TrainingProgram {
        let arguments = ["-c", script].map(OsString::from).into();
        TrainingProgram { program: "/bin/sh".into(), arguments }
    }

    fn train(script: &str, leash: &Leash) -> RetrainError {
        let settings = Settings::read(None).unwrap();
        program(script).train((&settings, Replaces::Any), leash, drop, drop).unwrap_err()
    }

    fn check(script: &str, how: Ended, expected: &str) {
        let error = train(script, &Leash::default());
        assert_eq!(error.ended(), how, "{script}: {error}");
        assert!(error.to_string().contains(expected), "{script}: {error}");
    }

    #[test]
    fn what_a_process_tells_is_what_came_of_it() {
        check(&format!("read settings; echo '{BUSY}'"), Ended::Busy, "WHY");
        let failed = BUSY.replace("busy", "failed");
        check(&format!("read settings; echo '{failed}'; exit 3"), Ended::Failed, "WHY");
        let nothing = BUSY.replace("busy", "nothing_to_learn");
        check(&format!("echo '{nothing}'"), Ended::NothingToLearn, "WHY");
    }

    #[test]
    fn how_far_it_is_comes_before_what_came_of_it() {
        let stage = |done| format!(r#"{{"at":{{"name":"solving","done":{done},"total":9}}}}"#);
        let script = format!("echo '{}'; echo '{}'; echo '{BUSY}'", stage(1), stage(2));
        let settings = Settings::read(None).unwrap();
        let mut seen = Vec::new();
        let see = |stage: Stage| seen.push((stage.name, stage.done, stage.total));
        let told = program(&script).train((&settings, Replaces::Any), &Leash::default(), drop, see);
        assert_eq!(told.unwrap_err().to_string(), "WHY");
        assert_eq!(seen, [1, 2].map(|done| ("solving".to_owned(), done, Some(9))));
    }

    #[test]
    fn a_process_that_tells_nothing_failed_and_its_end_is_told() {
        check("read settings; kill -9 $$", Ended::Failed, "was killed; the kernel");
        check("exit 7", Ended::Failed, "without a result (exit status: 7)");
        check("echo nonsense", Ended::Failed, "without a result (exit status: 0)");
        check("exec yes", Ended::Failed, "without a result (signal: 13 (SIGPIPE))");
        let missing = TrainingProgram { program: "/no/such".into(), arguments: Vec::new() };
        let settings = Settings::read(None).unwrap();
        let error =
            missing.train((&settings, Replaces::Any), &Leash::default(), drop, drop).unwrap_err();
        assert!(error.to_string().starts_with("cannot start a process to train in: /no/such: "));
    }

    #[test]
    fn the_settings_and_the_model_to_replace_are_handed_over() {
        let mut sources = crate::settings::Sources::new(None, []);
        sources.set("train.neighbours=77");
        let script = "read settings; read replaces; printf '{\"ended\":{\"not_trained\":{\"how\":\"busy\",\"why\":%s}}}' \
            \"$(printf %s \"$settings $replaces\" | sed 's/\"/./g; s/.*/\"&\"/')\"";
        let order = (&sources.read().unwrap(), Replaces::Only(Some(7)));
        let told = program(script).train(order, &Leash::default(), drop, drop);
        assert_eq!(told.unwrap_err().to_string(), "[[[.train.,.neighbours.],77]] {.only.:7}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_has_idle_priority() {
        // Field 41 of `proc_pid_stat(5)`; there is no space in this process's name.
        let script = "read settings; read -r stat < /proc/$$/stat; set -- $stat; shift 40; \
            echo '{\"ended\":{\"not_trained\":{\"how\":\"busy\",\"why\":\"policy '$1'\"}}}'";
        let told = train(script, &Leash::default()).to_string();
        assert_eq!(told, "policy 5", "SCHED_IDLE");
    }

    /// Trains by a script on another thread, and ends it from this one once it is held.
    fn end(script: &'static str, end: impl FnOnce(&Leash)) -> RetrainError {
        let leash = Arc::new(Leash::default());
        let held = Arc::clone(&leash);
        let training = std::thread::spawn(move || train(script, &held));
        while leash.held().process.is_none() {
            std::thread::yield_now();
        }
        let began = Instant::now();
        end(&leash);
        let error = training.join().unwrap();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(60), "{took:?}");
        error
    }

    #[test]
    fn a_process_whose_leash_is_pulled_ends_by_itself_and_one_that_does_not_is_killed() {
        let cancelled = RetrainError::from(TrainError::Cancelled).to_string();
        // It reads to the end.
        let error = end("cat > /dev/null", Leash::pull);
        assert_eq!((error.ended(), error.to_string()), (Ended::Busy, cancelled.clone()));
        let error = end("exec sleep 600", |leash| {
            leash.pull();
            leash.kill();
        });
        assert_eq!((error.ended(), error.to_string()), (Ended::Busy, cancelled));
        // A later one finds its input closed.
        let leash = Leash::default();
        leash.pull();
        assert_eq!(train("cat > /dev/null", &leash).ended(), Ended::Busy);
    }
}
