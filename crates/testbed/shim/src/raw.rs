//! System calls, made directly: the C library's functions of these names are our own here.
//!
//! Every wrapper leaves `errno` as the kernel set it, and gives what the kernel gave.
#![allow(unsafe_code, reason = "system calls; each block has its proof")]

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use libc::{c_char, c_int, c_long, mode_t, size_t, ssize_t};

use crate::words::WORDS;

/// Identifies a file, whatever its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileKey(u64, u64);

pub(crate) fn write(fd: c_int, bytes: &[u8]) -> ssize_t {
    // SAFETY: the kernel reads exactly the bytes that are borrowed here.
    narrow(unsafe { libc::syscall(libc::SYS_write, fd, bytes.as_ptr(), bytes.len()) })
}

pub(crate) fn write_at(fd: c_int, bytes: &[u8], offset: u64) -> ssize_t {
    // SAFETY: as in `write`.
    narrow(unsafe {
        libc::syscall(libc::SYS_pwrite64, fd, bytes.as_ptr(), bytes.len(), signed(offset))
    })
}

/// Writes from memory that the caller's caller vouches for.
pub(crate) fn write_pointer(fd: c_int, bytes: *const u8, count: size_t) -> ssize_t {
    // SAFETY: the kernel checks the address and fails with EFAULT if it is wrong.
    narrow(unsafe { libc::syscall(libc::SYS_write, fd, bytes, count) })
}

/// The same at an offset.
pub(crate) fn write_pointer_at(fd: c_int, bytes: *const u8, count: size_t, offset: i64) -> ssize_t {
    // SAFETY: as in `write_pointer`.
    narrow(unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, count, offset) })
}

/// Writes several pieces, as the caller's caller gave them.
pub(crate) fn write_pieces(fd: c_int, pieces: *const libc::iovec, count: c_int) -> ssize_t {
    // SAFETY: as in `write_pointer`, for the array and for each piece.
    narrow(unsafe { libc::syscall(libc::SYS_writev, fd, pieces, c_long::from(count)) })
}

/// The same at an offset.
pub(crate) fn write_pieces_at(
    fd: c_int,
    pieces: *const libc::iovec,
    count: c_int,
    offset: i64,
) -> ssize_t {
    // SAFETY: as in `write_pieces`. The kernel takes the offset in two halves, of which the
    // second counts on systems of 32 bits only.
    narrow(unsafe { libc::syscall(libc::SYS_pwritev, fd, pieces, c_long::from(count), offset, 0) })
}

/// Reads what is there, as far as it goes.
pub(crate) fn read_at(fd: c_int, offset: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        let rest = &mut bytes[filled..];
        let at = signed(offset + filled as u64);
        // SAFETY: the kernel writes at most `rest.len()` bytes, to the exclusively borrowed rest.
        let read = unsafe { libc::pread64(fd, rest.as_mut_ptr().cast(), rest.len(), at) };
        match usize::try_from(read) {
            Ok(read) if read > 0 => filled += read,
            _ => break,
        }
    }
    bytes.truncate(filled);
    bytes
}

pub(crate) fn sync(fd: c_int) -> c_int {
    // SAFETY: takes a number, and touches no memory.
    status(unsafe { libc::syscall(libc::SYS_fsync, fd) })
}

pub(crate) fn sync_data(fd: c_int) -> c_int {
    // SAFETY: as in `sync`.
    status(unsafe { libc::syscall(libc::SYS_fdatasync, fd) })
}

pub(crate) fn set_length(fd: c_int, length: u64) -> c_int {
    // SAFETY: takes numbers, and touches no memory.
    status(unsafe { libc::syscall(libc::SYS_ftruncate, fd, signed(length)) })
}

/// Opens a path that the caller's caller vouches for.
pub(crate) fn open(folder: c_int, path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the kernel checks the address and fails with EFAULT if it is wrong.
    status(unsafe { libc::syscall(libc::SYS_openat, folder, path, flags, mode) })
}

pub(crate) fn close(fd: c_int) -> c_int {
    // SAFETY: whoever calls owns the descriptor: the program that asked to close it, or this
    // library for those that it opened itself.
    status(unsafe { libc::syscall(libc::SYS_close, fd) })
}

/// Opens the file behind a descriptor once more, to read and write, whatever its name is by now.
pub(crate) fn open_again(fd: c_int) -> Option<c_int> {
    let path = link_of(fd);
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    let again = open(libc::AT_FDCWD, path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC, 0);
    (again >= 0).then_some(again)
}

/// The name of the file behind a descriptor; what is longer than a path may be is cut.
pub(crate) fn name_of(fd: c_int, name: &mut [u8; libc::PATH_MAX as usize]) -> Option<&[u8]> {
    let path = link_of(fd);
    // SAFETY: the path ends with a NUL, and the kernel writes at most `name.len()` bytes to the
    // exclusively borrowed `name`.
    let count =
        unsafe { libc::readlink(path.as_ptr().cast(), name.as_mut_ptr().cast(), name.len()) };
    usize::try_from(count).ok().map(|count| &name[..count])
}

/// Which file this is, and how long.
pub(crate) fn file(fd: c_int) -> Option<(FileKey, u64)> {
    let mut status = std::mem::MaybeUninit::<libc::stat64>::uninit();
    // SAFETY: `status` is a valid place for the answer, and is read only if it was given.
    let status = unsafe {
        if libc::fstat64(fd, status.as_mut_ptr()) != 0 {
            return None;
        }
        status.assume_init()
    };
    Some((FileKey(status.st_dev, status.st_ino), u64::try_from(status.st_size).ok()?))
}

/// Where the next `write` to this descriptor goes.
pub(crate) fn place_of(fd: c_int, length: u64) -> u64 {
    // SAFETY: both take numbers, and touch no memory.
    let (flags, place) =
        unsafe { (libc::fcntl(fd, libc::F_GETFL), libc::lseek64(fd, 0, libc::SEEK_CUR)) };
    if flags >= 0 && flags & libc::O_APPEND != 0 {
        return length;
    }
    u64::try_from(place).unwrap_or(length)
}

/// Ends this process as nothing can prevent.
pub(crate) fn die() -> ! {
    loop {
        // SAFETY: both take numbers. The signal ends the process before the second returns.
        unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
            libc::pause();
        }
    }
}

/// Fails as a system call does.
pub(crate) fn fail(errno: c_int) -> c_int {
    // SAFETY: the C library gives each thread a valid place of its own.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// The control file, mapped for as long as the process lives.
pub(crate) fn map_words(path: &Path) -> Option<&'static [AtomicU64; WORDS]> {
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    let fd = open(libc::AT_FDCWD, path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC, 0);
    if fd < 0 {
        return None;
    }
    let bytes = size_of::<[AtomicU64; WORDS]>();
    let is_whole = file(fd).is_some_and(|(_, length)| length >= bytes as u64);
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let memory = is_whole.then(|| {
        // SAFETY: a fresh mapping, at an address of the kernel's choice.
        unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, libc::MAP_SHARED, fd, 0) }
    });
    close(fd);
    let memory = memory.filter(|it| *it != libc::MAP_FAILED)?;
    // SAFETY: the mapping is page-aligned, at least as long as the array, never unmapped, and
    // any bytes are valid atomics. Both sides change it only atomically, or by `write`, which
    // for the kernel's copies of one aligned word is the same. The test does not shorten it.
    Some(unsafe { &*memory.cast::<[AtomicU64; WORDS]>() })
}

/// `/proc/self/fd/N`, with a NUL.
fn link_of(fd: c_int) -> [u8; 32] {
    let mut path = [0; 32];
    let text = format!("/proc/self/fd/{fd}");
    path[..text.len()].copy_from_slice(text.as_bytes());
    path
}

fn signed(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

fn narrow(result: c_long) -> ssize_t {
    result as ssize_t
}

fn status(result: c_long) -> c_int {
    c_int::try_from(result).unwrap_or(-1)
}
