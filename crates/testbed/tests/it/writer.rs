//! A program that appends records to a plain file, with the sync after each or without.
//!
//! It says `written N` once it takes record N for safe.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use crate::child;

/// Longer than a sector, so that records can be torn.
pub(crate) const RECORD_BYTES: usize = 700;

/// When the program syncs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    EachRecord,
    Never,
}

/// The program, for so many records into the file `records` of a folder.
pub(crate) fn command(folder: &Path, records: u32, sync: Sync) -> Command {
    let role = if sync == Sync::Never { "careless writer" } else { "writer" };
    let mut command = child::command(role);
    command.env("TESTBED_FILE", folder.join("records")).env("TESTBED_RECORDS", records.to_string());
    command
}

/// What record N holds: no zeros, which is what a lost sector holds.
pub(crate) fn record(number: u32) -> Vec<u8> {
    vec![u8::try_from(number).expect("few records"); RECORD_BYTES]
}

/// Plays the program.
pub(crate) fn play(sync: Sync) {
    let path = std::env::var_os("TESTBED_FILE").expect("it is set by `command`");
    let records = std::env::var("TESTBED_RECORDS").expect("it is set by `command`");
    let mut file = File::options().create(true).append(true).open(path).expect("it opens");
    for number in 1..=records.parse().expect("a number") {
        write_all(&mut file, &record(number));
        if sync == Sync::EachRecord
            && let Err(error) = file.sync_data()
        {
            child::say(&format!("failed {number} {:?}", error.raw_os_error()));
            continue;
        }
        child::say(&format!("written {number}"));
    }
}

/// Tries again for as long as the disk is full, from where it came to.
fn write_all(file: &mut File, mut bytes: &[u8]) {
    let mut was_full = false;
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                if !std::mem::replace(&mut was_full, true) {
                    child::say("the disk is full");
                }
                std::thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    }
}
