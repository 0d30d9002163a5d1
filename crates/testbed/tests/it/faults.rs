//! A disk that misbehaves under a program that writes a plain file.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use tempfile::TempDir;
use testbed::faults::{Counters, Fault, Faults, Moment};

use crate::child;
use crate::writer::{self, RECORD_BYTES, Sync, record};

const SIGKILL: i32 = 9;

/// What came of a run of the writer.
struct Run {
    /// What it took for safe.
    written: Vec<u32>,
    /// What its file holds.
    bytes: Vec<u8>,
    status: ExitStatus,
    counters: Counters,
    _folder: TempDir,
}

/// Runs the writer with a fault that is armed from its start.
fn run(records: u32, sync: Sync, fault: Option<Fault>) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = Faults::in_folder(folder.path()).expect("the library");
    if let Some(fault) = fault {
        faults.arm(fault).expect("it is armed");
    }
    let mut command = writer::command(folder.path(), records, sync);
    let mut child = command.envs(faults.environment()).spawn().expect("it starts");
    let written = child::marked(&mut child, "written ").map(|it| it.parse().expect("a number"));
    let written = written.collect();
    let status = child.wait().expect("it ends");
    let bytes = read(folder.path());
    let counters = faults.counters().expect("counters");
    Run { written, bytes, status, counters, _folder: folder }
}

fn read(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("records")).unwrap_or_default()
}

/// The bytes of the records from 1 to this.
fn records_to(last: u32) -> Vec<u8> {
    (1..=last).flat_map(record).collect()
}

#[test]
fn without_a_fault_nothing_changes_and_operations_are_counted() {
    let plain = tempfile::tempdir().expect("a folder");
    let mut child = writer::command(plain.path(), 20, Sync::EachRecord).spawn().expect("it starts");
    assert_eq!(child::marked(&mut child, "written ").count(), 20);
    assert!(child.wait().expect("it ends").success());

    let run = run(20, Sync::EachRecord, None);
    assert!(run.status.success());
    assert_eq!(run.written, (1..=20).collect::<Vec<_>>());
    assert_eq!(run.bytes, read(plain.path()));
    let expected = Counters {
        operations: 40,
        writes: 20,
        syncs: 20,
        bytes: 20 * RECORD_BYTES as u64,
        ..Counters::default()
    };
    assert_eq!(run.counters, expected);
}

#[test]
fn a_process_is_killed_before_within_or_after_a_write() {
    let mut torn_in_the_middle = 0;
    for seed in 0..8 {
        for moment in [Moment::Before, Moment::Torn, Moment::After] {
            let run = run(20, Sync::Never, Some(Fault::Kill { operation: 5, moment, seed }));
            assert_eq!(run.status.signal(), Some(SIGKILL));
            assert!(run.counters.has_fired);
            assert_eq!(run.written, [1, 2, 3, 4]);
            let (before, after) = (records_to(4), records_to(5));
            match moment {
                Moment::Before => assert_eq!(run.bytes, before),
                Moment::After => assert_eq!(run.bytes, after),
                Moment::Torn => {
                    assert!(run.bytes.len() >= before.len() && after.starts_with(&run.bytes));
                    torn_in_the_middle += i32::from(run.bytes.len() > before.len());
                }
            }
        }
    }
    assert!(torn_in_the_middle > 0, "some seed leaves a part");
}

#[test]
fn a_process_is_killed_around_a_sync() {
    for moment in [Moment::Before, Moment::Torn, Moment::After] {
        let run = run(20, Sync::EachRecord, Some(Fault::Kill { operation: 4, moment, seed: 1 }));
        assert_eq!(run.status.signal(), Some(SIGKILL));
        assert_eq!(run.written, [1]);
        assert_eq!(run.bytes, records_to(2));
        assert_eq!(run.counters.syncs, 2);
    }
}

#[test]
fn a_power_cut_takes_nothing_that_was_synced() {
    for seed in 0..20 {
        let operation = 1 + seed * 2;
        let run = run(25, Sync::EachRecord, Some(Fault::PowerCut { operation, seed }));
        assert_eq!(run.status.signal(), Some(SIGKILL));
        let safe = records_to(run.written.len() as u32);
        assert!(run.bytes.starts_with(&safe), "seed {seed}");
        assert!(run.bytes.len() <= safe.len() + RECORD_BYTES, "seed {seed}");
        assert_eq!(run.counters.forgotten, 0);
    }
}

#[test]
fn a_power_cut_takes_parts_of_what_was_not_synced() {
    let (mut lost, mut shortened, mut with_holes) = (0, 0, 0);
    for seed in 0..20 {
        let run = run(25, Sync::Never, Some(Fault::PowerCut { operation: 20, seed }));
        assert_eq!(run.status.signal(), Some(SIGKILL));
        let safe = records_to(run.written.len() as u32);
        lost += i32::from(!run.bytes.starts_with(&safe));
        shortened += i32::from(run.bytes.len() < safe.len());
        // What is there at its end is right, and what lies before it is not.
        let expected = &records_to(20)[..run.bytes.len()];
        let is_right_at_its_end = run.bytes.last().is_some_and(|byte| *byte != 0);
        with_holes += i32::from(is_right_at_its_end && run.bytes != expected);
        assert!(run.counters.sectors_lost > 0 || run.bytes == expected);
    }
    assert!(lost >= 10, "a writer that never syncs loses what it took for safe: {lost} of 20");
    assert!(shortened > 0 && with_holes > 0, "{shortened} were shortened, {with_holes} have holes");
}

#[test]
fn a_sync_that_fails_loses_what_it_was_for() {
    let fault = Fault::SyncsFail { first: 5, count: 2 };
    let run = run(8, Sync::EachRecord, Some(fault));
    assert!(run.status.success());
    assert_eq!(run.written, [1, 2, 3, 4, 7, 8]);
    // The writer appends, so the records that were lost leave no holes.
    let expected: Vec<u8> = run.written.iter().copied().flat_map(record).collect();
    assert_eq!(run.bytes, expected);
    assert_eq!(run.counters.failed_syncs, 2);
    assert!(!run.counters.has_fired);
}

#[test]
fn a_full_disk_refuses_until_there_is_room_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = Faults::in_folder(folder.path()).expect("the library");
    let bytes = 3 * RECORD_BYTES as u64 + 100;
    faults.arm(Fault::DiskFull { bytes }).expect("it is armed");
    let mut command = writer::command(folder.path(), 8, Sync::EachRecord);
    let mut child = command.envs(faults.environment()).spawn().expect("it starts");
    let mut lines = child::marked(&mut child, "");
    lines.find(|line| line.contains("the disk is full")).expect("the disk is full");
    assert_eq!(read(folder.path()), records_to(4)[..3 * RECORD_BYTES + 100]);
    faults.arm(Fault::DiskFull { bytes: RECORD_BYTES as u64 }).expect("it is armed");
    lines.find(|line| line.contains("the disk is full")).expect("it is full again");
    assert_eq!(read(folder.path()).len(), 4 * RECORD_BYTES + 100);
    faults.disarm().expect("it is disarmed");
    assert_eq!(lines.filter(|line| line.contains("written ")).count(), 4);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(read(folder.path()), records_to(8));
    assert!(faults.counters().expect("counters").refused_writes >= 4);
}

#[test]
fn other_files_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = Faults::in_folder(folder.path()).expect("the library");
    faults.arm(Fault::Kill { operation: 1, moment: Moment::Before, seed: 0 }).expect("armed");
    for place in [format!("{}-beside", folder.path().display()), "shm".to_owned()] {
        // A folder that begins with the same letters, and a file as SQLite maps it.
        let path = Path::new(&place);
        let other = if path.is_absolute() {
            fs::create_dir(path).expect("a folder");
            path.join("records")
        } else {
            folder.path().join("records-shm")
        };
        let mut command = writer::command(folder.path(), 3, Sync::EachRecord);
        command.envs(faults.environment()).env("TESTBED_FILE", &other);
        let mut child = command.spawn().expect("it starts");
        assert_eq!(child::marked(&mut child, "written ").count(), 3);
        assert!(child.wait().expect("it ends").success());
        assert_eq!(fs::read(&other).expect("the file"), records_to(3));
        if path.is_absolute() {
            fs::remove_dir_all(path).expect("the folder goes");
        }
    }
    assert_eq!(faults.counters().expect("counters"), Counters::default());
}
