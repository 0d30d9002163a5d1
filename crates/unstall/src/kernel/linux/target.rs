//! What a system call is called, and what it waits for.
//!
//! Everything is looked up while the thread is still in the call, from outside: the name
//! behind a descriptor, the peer of a socket, a path or a duration in memory. None of this
//! waits, and all of it may be out of date by the time it is read: the answer is for people.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::spoken;
use crate::kernel::SystemCall;
use crate::raw;

/// Longest path that is shown.
const PATH_BYTES: usize = 256;

impl SystemCall {
    /// Its name in the manual, section 2.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        let known = usize::try_from(self.number).ok().and_then(syscalls::Sysno::new);
        match known {
            Some(known) => known.name().into(),
            None => format!("system call {}", self.number).into(),
        }
    }

    /// What it waits for, where that can be told: `tcp 10.0.0.7:5432`, `pipe`, a path, `5 s`.
    pub(crate) fn target(&self) -> Option<String> {
        let [first, second, third, ..] = self.arguments;
        match self.name().as_ref() {
            "read" | "write" | "pread64" | "pwrite64" | "readv" | "writev" | "preadv"
            | "preadv2" | "pwritev" | "pwritev2" | "recvfrom" | "recvmsg" | "recvmmsg"
            | "sendmsg" | "sendmmsg" | "accept" | "accept4" | "fsync" | "fdatasync" | "flock"
            | "fcntl" | "ioctl" | "fallocate" | "ftruncate" | "getdents64" | "sendfile"
            | "splice" | "tee" | "sync_file_range" | "syncfs" | "close" | "lseek" | "fstat"
            | "shutdown" | "io_uring_enter" => descriptor(first),
            "copy_file_range" => descriptor(third),
            "connect" => socket_in_memory(first, second, third).or_else(|| descriptor(first)),
            "sendto" => {
                let [.., to, length] = self.arguments;
                socket_in_memory(first, to, length).or_else(|| descriptor(first))
            }
            "poll" | "ppoll" => first_polled(first, second),
            "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => Some("epoll".to_owned()),
            "open" | "creat" | "stat" | "lstat" | "access" | "unlink" | "rename" | "mkdir"
            | "rmdir" | "readlink" | "truncate" | "statfs" | "execve" => path(first),
            "openat" | "openat2" | "newfstatat" | "statx" | "unlinkat" | "renameat"
            | "renameat2" | "mkdirat" | "faccessat" | "faccessat2" | "readlinkat" => path(second),
            "nanosleep" => duration(first),
            // With TIMER_ABSTIME the third argument is a moment and not a duration.
            "clock_nanosleep" if second == 0 => duration(third),
            "wait4" if (1..=i64::from(i32::MAX).cast_unsigned()).contains(&first) => {
                Some(format!("process {first}"))
            }
            _ => None,
        }
    }

    /// The address that a thread waits at in `futex`: threads with the same one wait for each other.
    pub(crate) fn futex_address(&self) -> Option<u64> {
        matches!(self.name().as_ref(), "futex" | "futex_wait").then_some(self.arguments[0])
    }
}

fn descriptor(argument: u64) -> Option<String> {
    // The kernel takes an `int`: the upper half of the register is noise.
    let number = argument as u32 as i32;
    if number < 0 {
        return None;
    }
    let target = std::fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
    let target = target.to_string_lossy();
    if target.starts_with("socket:") {
        return Some(socket(number));
    }
    if target.starts_with("pipe:") {
        return Some("pipe".to_owned());
    }
    let target = target.strip_prefix("anon_inode:").unwrap_or(&target);
    let target =
        target.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(target);
    Some(printable(target))
}

fn socket(number: i32) -> String {
    let peer = raw::peer_address(number).and_then(|address| describe(number, &address));
    if let Some(peer) = peer {
        return peer;
    }
    let local = raw::local_address(number).and_then(|address| describe(number, &address));
    match local {
        Some(local) => format!("{local} (own address)"),
        None => "socket".to_owned(),
    }
}

fn socket_in_memory(number: u64, address: u64, length: u64) -> Option<String> {
    let mut bytes = [0; 128];
    let length = usize::try_from(length).ok()?.min(bytes.len());
    if address == 0 || raw::read_memory(address, &mut bytes[..length])? != length {
        return None;
    }
    describe(number as u32 as i32, &raw::SocketAddress { bytes, length })
}

fn describe(number: i32, address: &raw::SocketAddress) -> Option<String> {
    let bytes = &address.bytes[..address.length];
    let family = i32::from(u16::from_ne_bytes(bytes.first_chunk().copied()?));
    let protocol = if raw::is_datagram(number) { "udp" } else { "tcp" };
    match family {
        libc::AF_UNIX => {
            let name = bytes.get(2..).unwrap_or_default();
            // An abstract name begins with a zero byte, and is not a path.
            let (mark, name) = match name {
                [0, name @ ..] if !name.is_empty() => ("@", name),
                _ => ("", name),
            };
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            let name = printable(&String::from_utf8_lossy(name));
            Some(if name.is_empty() {
                "unix socket".to_owned()
            } else {
                format!("unix {mark}{name}")
            })
        }
        libc::AF_INET => {
            let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
            let host: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            let address = SocketAddr::from((Ipv4Addr::from(host), port));
            Some(format!("{protocol} {address}"))
        }
        libc::AF_INET6 => {
            let port = u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?);
            let host: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            let address = SocketAddr::from((Ipv6Addr::from(host), port));
            Some(format!("{protocol} {address}"))
        }
        _ => None,
    }
}

/// The first of the descriptors that are polled: how a look-up of a name shows its server.
fn first_polled(list: u64, count: u64) -> Option<String> {
    let mut number = [0; 4];
    if count == 0 || raw::read_memory(list, &mut number)? != number.len() {
        return None;
    }
    let first = descriptor(u64::from(u32::from_ne_bytes(number)))?;
    Some(match count {
        1 => first,
        _ => format!("{first} and {} more", count - 1),
    })
}

fn path(address: u64) -> Option<String> {
    let mut bytes = [0; PATH_BYTES];
    let length = raw::read_memory(address, &mut bytes)?;
    let path = bytes[..length].split(|&byte| byte == 0).next()?;
    let path = printable(&String::from_utf8_lossy(path));
    (!path.is_empty()).then_some(path)
}

fn duration(address: u64) -> Option<String> {
    let mut bytes = [0; 16];
    if raw::read_memory(address, &mut bytes)? != bytes.len() {
        return None;
    }
    let (seconds, nanoseconds) = bytes.split_at(8);
    let seconds = u64::from_ne_bytes(seconds.try_into().ok()?);
    let nanoseconds = u64::from_ne_bytes(nanoseconds.try_into().ok()?);
    let nanoseconds = u32::try_from(nanoseconds).ok()?;
    if nanoseconds >= 1_000_000_000 {
        return None;
    }
    Some(spoken(Duration::new(seconds, nanoseconds)))
}

/// The text without what could break a line of a log.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| match letter.is_control() {
            true => char::REPLACEMENT_CHARACTER,
            false => letter,
        })
        .collect()
}
