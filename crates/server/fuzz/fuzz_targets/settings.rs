//! Any bytes as a settings file, as variables and as `--set` give settings or an error: no panic,
//! and an error that is short and of plain characters.
//!
//! An input is the file, then after a byte 0 lines: `NAME=VALUE`, or `--set` and what follows it.

#![no_main]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use libfuzzer_sys::fuzz_target;
use server::settings::Sources;

/// Bytes of an error: twenty problems with a path in each.
const ERROR_BYTES_MAX: usize = 64 << 10;

fuzz_target!(|input: &[u8]| {
    let (file, lines) = match input.iter().position(|byte| *byte == 0) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &b""[..]),
    };
    let path = std::env::temp_dir().join(format!("foreword-fuzz-{}.toml", std::process::id()));
    std::fs::write(&path, file).expect("a folder for temporary files");
    let mut variables = Vec::new();
    let mut assignments = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        if let Some(assignment) = line.strip_prefix(b"--set ") {
            assignments.push(String::from_utf8_lossy(assignment).into_owned());
        } else if let Some(equals) = line.iter().position(|byte| *byte == b'=') {
            let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            variables.push((text(&line[..equals]), text(&line[equals + 1..])));
        }
    }
    let mut sources = Sources::new(Some(&path), variables);
    for assignment in assignments {
        sources.set(assignment);
    }
    match sources.read() {
        Ok(settings) => assert!(!settings.shown().is_empty()),
        Err(error) => {
            let text = error.to_string();
            assert!(text.len() <= ERROR_BYTES_MAX, "{} bytes", text.len());
            let is_plain = |character: char| character == '\n' || !character.is_control();
            assert!(text.chars().all(is_plain), "{text:?}");
        }
    }
});
