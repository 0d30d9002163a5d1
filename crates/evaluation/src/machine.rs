//! The machine that a measurement ran on, as Linux tells; elsewhere, what is known.

use std::fs;
use std::thread;

use serde::Serialize;

/// What a measurement ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Logical processors that this process may use.
    pub cores: usize,
    /// The processor's model, if it is known.
    pub cpu: Option<String>,
    /// Bytes of memory, if that is known.
    pub memory_bytes: Option<u64>,
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            cpu: field(&read("/proc/cpuinfo"), "model name").map(str::to_owned),
            memory_bytes: field(&read("/proc/meminfo"), "MemTotal").and_then(kibibytes),
        }
    }
}

/// The first value of a field, of lines such as `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let of_line = |line: &'a str| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then_some(value.trim())
    };
    text.lines().find_map(of_line)
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?.trim().parse().ok().map(|kibibytes: u64| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_linux_writes_them() {
        let cpu = "processor\t: 0\nmodel name\t: A CPU @ 2.5GHz\nmodel name\t: other\n";
        assert_eq!(field(cpu, "model name"), Some("A CPU @ 2.5GHz"));
        assert_eq!(field("", "model name"), None);
        assert_eq!(kibibytes("16384 kB"), Some(16_777_216));
        assert!(Machine::this().cores > 0);
    }
}
