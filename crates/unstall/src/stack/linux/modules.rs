//! The executable, its libraries and the vDSO: where they lie and how to unwind them.
//!
//! Unwind tables are copied from memory, where the loader put them, and not from files: a
//! rebuilt or deleted executable is thus unwound by the tables that belong to it, and no
//! section of a debug build is ever read. A table is copied when its module is first met.

use std::cell::OnceCell;
use std::ops::Range;
use std::path::PathBuf;

use super::memory::Memory;
use super::unwind::Table;

/// Larger tables than this are taken for a mistake.
const TABLE_BYTES_MAX: u64 = 256 << 20;

/// How the kernel marks a path whose file was removed or replaced.
pub(super) const DELETED: &str = " (deleted)";

/// One mapped ELF file.
pub(super) struct Module {
    /// As `/proc/self/maps` has it, without ` (deleted)`.
    pub(super) path: PathBuf,
    /// Whether the path leads elsewhere by now, or nowhere.
    pub(super) deleted: bool,
    /// Device and inode of the file that is mapped.
    pub(super) file: (u64, u64),
    /// Where its first part is mapped.
    pub(super) first: Range<u64>,
    /// What to subtract from an address to get the one that the file states.
    pub(super) bias: u64,
    table: OnceCell<Option<Table>>,
    frame_header: Option<FrameHeader>,
}

/// Where the `.eh_frame_hdr` is, in addresses that the file states.
struct FrameHeader {
    address: u64,
    segment: Range<u64>,
}

impl Module {
    /// Whether this is the same file in the same place.
    fn is(&self, other: &Module) -> bool {
        (self.file, &self.first) == (other.file, &other.first)
    }

    /// Its unwind table, copied at the first call.
    pub(super) fn table(&self, memory: &Memory) -> Option<&Table> {
        let read = || {
            let header = self.frame_header.as_ref()?;
            Table::read(memory, self.bias, header.address, header.segment.clone())
        };
        self.table.get_or_init(read).as_ref()
    }
}

/// All modules of this process.
#[derive(Default)]
pub(super) struct Modules {
    list: Vec<Module>,
    /// Executable memory and the index of its module, by address.
    code: Vec<(Range<u64>, usize)>,
}

impl Modules {
    /// Reads `/proc/self/maps`; what cannot be read is as if it were not mapped.
    pub(super) fn read(memory: &Memory) -> Modules {
        let text = std::fs::read("/proc/self/maps").unwrap_or_default();
        let mut modules = Modules::default();
        let mut current = None;
        for line in text.split(|&byte| byte == b'\n') {
            let Some(mapping) = Mapping::parse(&String::from_utf8_lossy(line)) else {
                continue;
            };
            if let Some(module) = Module::recognise(memory, &mapping) {
                current = Some(mapping.file);
                modules.list.push(module);
            } else if current != Some(mapping.file) {
                current = None;
            }
            if mapping.executable && current.is_some() {
                modules.code.push((mapping.range, modules.list.len() - 1));
            }
        }
        modules.code.sort_unstable_by_key(|(range, _)| range.start);
        modules
    }

    /// Reads them again; says whether anything is new. Tables already copied are kept.
    pub(super) fn refresh(&mut self, memory: &Memory) -> bool {
        let mut fresh = Modules::read(memory);
        let unchanged = self.list.len() == fresh.list.len()
            && std::iter::zip(&self.list, &fresh.list).all(|(old, new)| old.is(new));
        if unchanged {
            return false;
        }
        for module in &mut fresh.list {
            if let Some(old) = self.list.iter_mut().find(|old| old.is(module)) {
                module.table = std::mem::take(&mut old.table);
            }
        }
        *self = fresh;
        true
    }

    /// The module whose code an address belongs to.
    pub(super) fn find(&self, address: u64) -> Option<&Module> {
        let after = self.code.partition_point(|(range, _)| range.start <= address);
        let (range, index) = self.code.get(after.checked_sub(1)?)?;
        range.contains(&address).then(|| self.list.get(*index)).flatten()
    }
}

/// One line of `/proc/self/maps`.
struct Mapping {
    range: Range<u64>,
    executable: bool,
    offset: u64,
    file: (u64, u64),
    deleted: bool,
    path: String,
}

impl Mapping {
    fn parse(line: &str) -> Option<Mapping> {
        let mut rest = line;
        let mut word = || {
            let (word, after) = rest.trim_start().split_once(' ')?;
            rest = after;
            Some(word)
        };
        let (start, end) = word()?.split_once('-')?;
        let executable = word()?.contains('x');
        let offset = u64::from_str_radix(word()?, 16).ok()?;
        let (major, minor) = word()?.split_once(':')?;
        let device = libc::makedev(
            u32::from_str_radix(major, 16).ok()?,
            u32::from_str_radix(minor, 16).ok()?,
        );
        let inode = word()?.parse().ok()?;
        let path = rest.trim_start();
        if path.is_empty() {
            return None;
        }
        Some(Mapping {
            range: u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?,
            executable,
            offset,
            file: (device, inode),
            deleted: path.ends_with(DELETED),
            path: path.strip_suffix(DELETED).unwrap_or(path).to_owned(),
        })
    }
}

impl Module {
    /// The module that begins with this mapping, if one does.
    fn recognise(memory: &Memory, mapping: &Mapping) -> Option<Module> {
        if mapping.offset != 0 || mapping.path.starts_with('[') && mapping.path != "[vdso]" {
            return None;
        }
        let start = mapping.range.start;
        let header = memory.range(start, 64)?;
        if header.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let headers_at = u64_at(&header, 32)?;
        let count = usize::from(u16_at(&header, 56)?);
        let headers = memory.range(start.checked_add(headers_at)?, count * 56)?;
        let mut base = None;
        let mut frame_header = None;
        for entry in headers.chunks_exact(56) {
            let address = u64_at(entry, 16)?;
            match u32_at(entry, 0)? {
                libc::PT_LOAD if u64_at(entry, 8)? == 0 && base.is_none() => base = Some(address),
                libc::PT_GNU_EH_FRAME => frame_header = Some(address),
                _ => {}
            }
        }
        let segment_of = |address: u64| {
            headers.chunks_exact(56).find_map(|entry| {
                let start = u64_at(entry, 16)?;
                let segment = start..start.checked_add(u64_at(entry, 40)?)?;
                let loaded = u32_at(entry, 0)? == libc::PT_LOAD;
                (loaded && segment.contains(&address)).then_some(segment)
            })
        };
        let frame_header = frame_header.and_then(|address| {
            let segment = segment_of(address)?;
            (segment.end - segment.start < TABLE_BYTES_MAX)
                .then_some(FrameHeader { address, segment })
        });
        Some(Module {
            path: PathBuf::from(&mapping.path),
            deleted: mapping.deleted,
            file: mapping.file,
            first: mapping.range.clone(),
            bias: start.wrapping_sub(base?),
            table: OnceCell::new(),
            frame_header,
        })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
