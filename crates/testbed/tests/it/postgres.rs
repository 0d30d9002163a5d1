//! Clusters that are stopped, killed, forgotten, and started again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use testbed::postgres::{Cluster, PostgresError, database_or_skip};
use testbed::skip;

use crate::child;

/// A cluster of the test's own; `None` where there is no PostgreSQL.
fn cluster(test: &str) -> Option<Cluster> {
    match Cluster::start() {
        Ok(cluster) => Some(cluster),
        Err(missing @ PostgresError::Missing { .. }) => {
            skip::tool(test, &missing.to_string());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_was_committed_outlives_every_way_to_end_a_server() {
    let Some(mut cluster) = cluster("what was committed outlives a server") else { return };
    let database = cluster.create_database().expect("a database");
    database.query("create table kept (number int)").expect("a table");
    let port = cluster.port();
    let ends = [Cluster::kill, Cluster::stop_now, Cluster::stop];
    for (number, end) in ends.into_iter().enumerate() {
        database.query(&format!("insert into kept values ({number})")).expect("a row");
        end(&mut cluster).expect("it ends");
        assert!(database.query("select 1").is_err(), "it should be gone");
        cluster.start_again().expect("it starts again");
        assert_eq!(cluster.port(), port);
        let kept = database.query("select count(*), max(number) from kept").expect("the rows");
        assert_eq!(kept, format!("{}|{number}", number + 1));
    }
}

#[test]
fn a_killed_server_leaves_no_processes() {
    let Some(mut cluster) = cluster("a killed server leaves no processes") else { return };
    let folder = cluster.folder().display().to_string();
    assert!(!processes_with(&folder).is_empty(), "the server names its folder");
    cluster.kill().expect("it is killed");
    // The guard names the folder too, and stays.
    let left = processes_with(&format!("{folder}/data"));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_cluster_goes_with_its_value() {
    let Some(cluster) = cluster("a cluster goes with its value") else { return };
    let folder = cluster.folder().to_owned();
    let durable = cluster.query("postgres", "show fsync").expect("an answer");
    assert_eq!(durable, "on");
    drop(cluster);
    assert!(!folder.exists());
    assert_eq!(processes_with(&folder.display().to_string()), Vec::<String>::new());
}

#[test]
fn a_cluster_goes_with_a_process_that_is_killed() {
    if cluster("a cluster goes with a process that is killed").is_none() {
        return;
    }
    let mut child = child::command("cluster").spawn().expect("this binary can be run");
    let folder = child::marked(&mut child, "cluster in ").next().expect("it names its folder");
    assert!(Path::new(&folder).join("data/postmaster.pid").exists());
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let started = Instant::now();
    while Path::new(&folder).exists() || !processes_with(&folder).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30), "{folder} is still there");
        std::thread::yield_now();
    }
}

#[test]
fn databases_are_fresh_and_are_dropped() {
    let test = "databases are fresh and are dropped";
    let (Some(first), Some(second)) = (database_or_skip(test), database_or_skip(test)) else {
        return;
    };
    first.query("create table books (title text)").expect("a table");
    assert!(second.query("select * from books").is_err(), "each has tables of its own");
    let count = format!("select count(*) from pg_database where datname = '{}'", first.name());
    assert_eq!(second.query(&count).expect("an answer"), "1");
    drop(first);
    assert_eq!(second.query(&count).expect("an answer"), "0");
}

/// The command lines of this machine's processes that name this.
fn processes_with(name: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(name))
        .collect()
}
