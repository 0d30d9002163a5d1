//! Names, files and lines of addresses.
//!
//! The first address of a module costs milliseconds, for its symbols and the index of its
//! debug information; later ones microseconds, and known ones nothing.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use addr2line::Loader;

use super::modules::{DELETED, Module, Modules};
use super::walk::{Address, Trail};
use crate::stack::Frame;

/// Addresses whose names are remembered; then all are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// Finds names, and remembers them.
#[derive(Default)]
pub(super) struct Symbols {
    loaders: HashMap<(u64, u64), Option<Loader>>,
    /// Innermost first: one address has several functions where some were inlined.
    remembered: HashMap<u64, Vec<Frame>>,
}

impl Symbols {
    /// Every function of a trail, innermost first, inlined ones too.
    pub(super) fn name(&mut self, modules: &Modules, trail: &Trail) -> Vec<Frame> {
        let mut frames = Vec::with_capacity(trail.addresses.len());
        for &Address { address, certain } in &trail.addresses {
            let known = self.frames_at(modules, address).iter().cloned();
            frames.extend(known.map(|frame| Frame { certain, ..frame }));
        }
        frames
    }

    /// Forgets addresses: the modules have changed.
    pub(super) fn forget(&mut self) {
        self.remembered.clear();
    }

    fn frames_at(&mut self, modules: &Modules, address: u64) -> &[Frame] {
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.entry(address).or_insert_with(|| {
            let Some(module) = modules.find(address) else {
                return vec![nameless(format!("{address:#x}"))];
            };
            let loader = self
                .loaders
                .entry(module.file)
                .or_insert_with(|| Loader::new(file_of(module)).ok());
            let stated = address.wrapping_sub(module.bias);
            let found = loader.as_ref().map(|loader| look_up(loader, stated));
            found.filter(|frames| !frames.is_empty()).unwrap_or_else(|| {
                let file = module.path.file_name().unwrap_or(module.path.as_os_str());
                vec![nameless(format!("{} ({stated:#x})", file.to_string_lossy()))]
            })
        })
    }
}

fn look_up(loader: &Loader, address: u64) -> Vec<Frame> {
    let mut frames = Vec::new();
    if let Ok(mut found) = loader.find_frames(address) {
        while let Ok(Some(frame)) = found.next() {
            let name = frame.function.as_ref().and_then(|name| {
                let raw = name.raw_name().ok()?;
                Some(demangled(&raw))
            });
            let place = frame.location;
            frames.push(Frame {
                function: name.unwrap_or_default(),
                file: place.as_ref().and_then(|place| place.file).map(PathBuf::from),
                line: place.and_then(|place| place.line),
                certain: true,
            });
        }
    }
    if let Some(symbol) = loader.find_symbol(address) {
        complete(&mut frames, demangled(symbol));
    }
    frames.retain(|frame| !frame.function.is_empty());
    frames
}

/// Adds what the symbol table knows: the whole path of the outermost function, which debug
/// information may lack or, for line tables only, abridge.
fn complete(frames: &mut Vec<Frame>, symbol: String) {
    let Some((outermost, inlined)) = frames.split_last_mut() else {
        frames.push(nameless(symbol));
        return;
    };
    for frame in inlined {
        if frame.function.starts_with('{') {
            frame.function = format!("{} in {symbol}", frame.function);
        }
    }
    outermost.function = symbol;
}

fn nameless(function: String) -> Frame {
    Frame { function, file: None, line: None, certain: true }
}

/// The name without mangling and without the hash at its end.
fn demangled(name: &str) -> String {
    // Versions of symbols: `poll@@GLIBC_2.2.5`.
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Where the file of a module can be opened, even if its path leads to another one by now.
fn file_of(module: &Module) -> PathBuf {
    const THIS_EXECUTABLE: &str = "/proc/self/exe";
    if !module.deleted {
        return module.path.clone();
    }
    let mut marked = module.path.clone().into_os_string();
    marked.push(DELETED);
    if std::fs::read_link(THIS_EXECUTABLE).is_ok_and(|path| path == marked) {
        return PathBuf::from(THIS_EXECUTABLE);
    }
    // Open to privileged processes only; others see such a library without names.
    let Range { start, end } = module.first;
    PathBuf::from(format!("/proc/self/map_files/{start:x}-{end:x}"))
}
