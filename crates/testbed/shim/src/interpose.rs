//! The C library's functions that this library stands in for.
//!
//! Each asks first whether the descriptor belongs to a file in the folder; all others go
//! straight to the kernel. The functions with and without `64` are the same where files have
//! offsets of 64 bits, which are the only systems that this is for.
#![allow(unsafe_code, reason = "functions that C calls, with C's promises about their arguments")]

use libc::{c_char, c_int, c_void, iovec, mode_t, off64_t, size_t, ssize_t};

use crate::{disk, files, raw};

/// Pieces of one `writev`, as the kernel limits them.
const PIECES_MAX: usize = 1_024;

/// Borrows what a caller wants written.
///
/// # Safety
///
/// `bytes` points to `count` bytes that nobody changes during the call, as `write` wants.
unsafe fn borrow<'a>(bytes: *const c_void, count: size_t) -> &'a [u8] {
    if bytes.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: promised by the caller.
    unsafe { std::slice::from_raw_parts(bytes.cast(), count) }
}

/// Joins the pieces that a caller wants written.
///
/// # Safety
///
/// `pieces` points to `count` pieces, each as in [`borrow`].
unsafe fn join(pieces: *const iovec, count: c_int) -> Option<Vec<u8>> {
    let count = usize::try_from(count).ok().filter(|count| *count <= PIECES_MAX)?;
    if count == 0 || pieces.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: promised by the caller.
    let pieces = unsafe { std::slice::from_raw_parts(pieces, count) };
    let mut bytes = Vec::new();
    for piece in pieces {
        // SAFETY: promised by the caller.
        bytes.extend_from_slice(unsafe { borrow(piece.iov_base, piece.iov_len) });
    }
    Some(bytes)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    match files::inside(fd) {
        // SAFETY: what `write` asks of its callers.
        Some(control) => disk::write(control, fd, None, unsafe { borrow(bytes, count) }),
        None => raw::write_pointer(fd, bytes.cast(), count),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    match (files::inside(fd), u64::try_from(offset)) {
        // SAFETY: what `pwrite` asks of its callers.
        (Some(control), Ok(at)) => {
            disk::write(control, fd, Some(at), unsafe { borrow(bytes, count) })
        }
        _ => raw::write_pointer_at(fd, bytes.cast(), count, offset),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off64_t,
) -> ssize_t {
    // SAFETY: the same function.
    unsafe { pwrite(fd, bytes, count, offset) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: what `writev` asks of its callers.
    let joined = || unsafe { join(pieces, count) };
    match files::inside(fd).and_then(|control| Some((control, joined()?))) {
        Some((control, bytes)) => disk::write(control, fd, None, &bytes),
        None => raw::write_pieces(fd, pieces, count),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwritev(
    fd: c_int,
    pieces: *const iovec,
    count: c_int,
    offset: off64_t,
) -> ssize_t {
    // SAFETY: what `pwritev` asks of its callers.
    let joined = || unsafe { join(pieces, count) };
    let at = u64::try_from(offset).ok();
    match files::inside(fd).and_then(|control| Some((control, joined()?, at?))) {
        Some((control, bytes, at)) => disk::write(control, fd, Some(at), &bytes),
        None => raw::write_pieces_at(fd, pieces, count, offset),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwritev64(
    fd: c_int,
    pieces: *const iovec,
    count: c_int,
    offset: off64_t,
) -> ssize_t {
    // SAFETY: the same function.
    unsafe { pwritev(fd, pieces, count, offset) }
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate(fd: c_int, length: off64_t) -> c_int {
    match (files::inside(fd), u64::try_from(length)) {
        (Some(control), Ok(length)) => disk::set_length(control, fd, length),
        (_, Ok(length)) => raw::set_length(fd, length),
        (_, Err(_)) => raw::fail(libc::EINVAL),
    }
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(fd: c_int, length: off64_t) -> c_int {
    ftruncate(fd, length)
}

#[unsafe(no_mangle)]
extern "C" fn fsync(fd: c_int) -> c_int {
    match files::inside(fd) {
        Some(control) => disk::sync(control, fd, raw::sync),
        None => raw::sync(fd),
    }
}

#[unsafe(no_mangle)]
extern "C" fn fdatasync(fd: c_int) -> c_int {
    match files::inside(fd) {
        Some(control) => disk::sync(control, fd, raw::sync_data),
        None => raw::sync_data(fd),
    }
}

#[unsafe(no_mangle)]
extern "C" fn close(fd: c_int) -> c_int {
    let control = files::inside(fd);
    files::forget(fd);
    match control {
        Some(control) => disk::close(control, fd),
        None => raw::close(fd),
    }
}

/// Opens a file. To empty it is an operation of its own, so that a power cut can undo it.
///
/// C's function takes `mode` only where it is needed; on the systems that this is for, an
/// argument that was not given is a register with something in it, which the kernel ignores
/// then.
#[unsafe(no_mangle)]
unsafe extern "C" fn openat(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) -> c_int {
    if flags & libc::O_TRUNC != 0 && flags & libc::O_ACCMODE != libc::O_RDONLY {
        let look = raw::open(folder, path, libc::O_PATH | libc::O_CLOEXEC, 0);
        if look >= 0 {
            files::forget(look);
            let control = files::inside(look);
            files::forget(look);
            raw::close(look);
            if let Some(control) = control {
                let fd = raw::open(folder, path, flags & !libc::O_TRUNC, mode);
                files::forget(fd);
                if fd >= 0 && raw::file(fd).is_some_and(|(_, length)| length > 0) {
                    disk::set_length(control, fd, 0);
                }
                return fd;
            }
        }
    }
    let fd = raw::open(folder, path, flags, mode);
    files::forget(fd);
    fd
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat64(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
) -> c_int {
    // SAFETY: the same function.
    unsafe { openat(folder, path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the same function, for the working folder.
    unsafe { openat(libc::AT_FDCWD, path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the same function, for the working folder.
    unsafe { openat(libc::AT_FDCWD, path, flags, mode) }
}

/// Refused for files in the folder: callers then read and write by themselves, as they do
/// where file systems cannot copy.
#[unsafe(no_mangle)]
unsafe extern "C" fn copy_file_range(
    from: c_int,
    from_offset: *mut off64_t,
    to: c_int,
    to_offset: *mut off64_t,
    count: size_t,
    flags: libc::c_uint,
) -> ssize_t {
    if files::inside(to).is_some() {
        return raw::fail(libc::EXDEV) as ssize_t;
    }
    // SAFETY: what `copy_file_range` asks of its callers; the kernel checks the addresses.
    let copied = unsafe {
        libc::syscall(libc::SYS_copy_file_range, from, from_offset, to, to_offset, count, flags)
    };
    copied as ssize_t
}

/// Refused as `copy_file_range` is.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendfile(
    to: c_int,
    from: c_int,
    offset: *mut off64_t,
    count: size_t,
) -> ssize_t {
    if files::inside(to).is_some() {
        return raw::fail(libc::EINVAL) as ssize_t;
    }
    // SAFETY: what `sendfile` asks of its callers; the kernel checks the address.
    (unsafe { libc::syscall(libc::SYS_sendfile, to, from, offset, count) }) as ssize_t
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sendfile64(
    to: c_int,
    from: c_int,
    offset: *mut off64_t,
    count: size_t,
) -> ssize_t {
    // SAFETY: the same function.
    unsafe { sendfile(to, from, offset, count) }
}
