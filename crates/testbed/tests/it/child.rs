//! Programs that tests start and let die: this very binary, run again in a role.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use sqlx::sqlite::SqliteSynchronous;
use testbed::postgres::Cluster;

use crate::database;
use crate::writer::{self, Sync};

/// Says which role to play.
const ROLE: &str = "TESTBED_ROLE";

/// A command that plays a role; its standard output is a pipe.
pub(crate) fn command(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.args(["--exact", "child::a_child_plays_its_role", "--nocapture"]).env(ROLE, role);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// What follows `mark` in each line that a child prints, until it ends.
pub(crate) fn marked(child: &mut Child, mark: &str) -> impl Iterator<Item = String> {
    let pipe = child.stdout.take().expect("the output is a pipe and is read once");
    let lines = BufReader::new(pipe).lines().map_while(Result::ok);
    lines.filter_map(move |line| line.split_once(mark).map(|(_, rest)| rest.to_owned()))
}

/// Does nothing unless [`command`] has started it.
#[test]
fn a_child_plays_its_role() {
    match std::env::var(ROLE).as_deref() {
        Err(_) => {}
        Ok("cluster") => start_a_cluster_and_wait(),
        Ok("writer") => writer::play(Sync::EachRecord),
        Ok("careless writer") => writer::play(Sync::Never),
        #[cfg(target_os = "linux")]
        Ok("database") => database::play(SqliteSynchronous::Full),
        #[cfg(target_os = "linux")]
        Ok("careless database") => database::play(SqliteSynchronous::Off),
        Ok(role) => panic!("there is no role {role}"),
    }
}

fn start_a_cluster_and_wait() {
    let cluster = Cluster::start().expect("a cluster");
    say(&format!("cluster in {}", cluster.folder().display()));
    loop {
        std::thread::park();
    }
}

/// Prints a line in one piece, so that a child that is killed prints it whole or not at all.
pub(crate) fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes()).expect("the parent reads");
    stdout.flush().expect("the parent reads");
}
