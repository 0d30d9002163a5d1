//! Whose code is it? The first frame that the user wrote is the one to name.
//!
//! A heuristic. Where there is a source file, its place decides: the standard library and
//! registry checkouts are somebody else's. Where there is none, the crate that the function's
//! name begins with decides, against a list of the crates that usually stand between a
//! handler and its thread; any other dependency is then taken for the user's own code.

use std::path::{Component, Path, PathBuf};

use super::Frame;

/// Crates that are never the culprit, by the beginning of a function's name.
const FOREIGN: &[&str] = &[
    "alloc",
    "async_task",
    "axum",
    "bytes",
    "core",
    "crossbeam",
    "futures",
    "h2",
    "http",
    "hyper",
    "libc",
    "mio",
    "parking_lot",
    "pin_project",
    "polling",
    "prost",
    "rayon",
    "rustix",
    "socket2",
    "std",
    "tokio",
    "tonic",
    "tower",
    "tracing",
    "unstall",
];

/// Folders of other people's sources, as compilers write them down.
const FOREIGN_FOLDERS: &[&str] = &[
    "/rustc/",
    "/library/std/",
    "/library/core/",
    "/library/alloc/",
    "/registry/src/",
    "/git/checkouts/",
    "/unstall/src/",
];

/// The first frame of the user's own code.
pub(crate) fn culprit(frames: &[Frame]) -> Option<&Frame> {
    frames.iter().find(|frame| is_own(frame))
}

fn is_own(frame: &Frame) -> bool {
    if let Some(path) = &frame.file {
        // The tests of this crate play the user.
        let plays_user = path.ends_with("stack/tests.rs");
        let file = path.to_string_lossy();
        return plays_user || !FOREIGN_FOLDERS.iter().any(|folder| file.contains(folder));
    }
    let name = &frame.function;
    let plays_user = name.starts_with("unstall::stack::tests::");
    let is_foreign = |owner| FOREIGN.iter().any(|family| is_of_family(owner, family));
    plays_user || crate_of(name).is_some_and(|owner| !is_foreign(owner))
}

/// Whether a crate has this name, or one that begins so: `futures_util` is of `futures`.
fn is_of_family(name: &str, family: &str) -> bool {
    let rest = name.strip_prefix(family);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The crate that a function's name begins with; `None` for what is not Rust, or nobody's.
fn crate_of(function: &str) -> Option<&str> {
    // `<shop::Cart as tonic::Service>::call` belongs to `shop`.
    let start = function.trim_start_matches(['<', '&', '*', '[', '(']);
    let start = ["dyn ", "mut ", "const "]
        .iter()
        .fold(start, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    let (name, _) = start.split_once("::")?;
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    (!name.is_empty() && name.chars().all(is_word)).then_some(name)
}

/// The part of a path that a reader needs: relative to the current folder when below it,
/// else from the last folder that holds `src`, `examples` or `tests`.
pub(crate) fn short_path(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(below) if !here.as_os_str().is_empty() => below.to_owned(),
        _ => from_crate_folder(path),
    }
}

fn from_crate_folder(path: &Path) -> PathBuf {
    let parts: Vec<Component<'_>> = path.components().collect();
    let is_sources = |part: &Component<'_>| {
        let name = part.as_os_str();
        name == "src" || name == "examples" || name == "tests"
    };
    let start = parts.iter().rposition(is_sources).unwrap_or(0);
    let shown = parts.get(start.saturating_sub(1)..).unwrap_or_default();
    let shown = match shown {
        [Component::RootDir, rest @ ..] if start == 1 => rest,
        all => all,
    };
    shown.iter().collect()
}
