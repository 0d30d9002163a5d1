//! Source packages of Debian, from wherever this machine's packages come from.
//!
//! Sources need not be enabled: apt is given lists of its own, made from the machine's, so that
//! nothing changes outside of one folder. It checks what it fetches against Debian's signature.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::process::{command, run};
use crate::workspace::Workspace;

/// Where apt reads what it may fetch.
const APT_SOURCES: [&str; 2] = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/// Fetches the original archive of a source package into a folder.
///
/// # Errors
///
/// If there is no apt, or it does not find the package.
pub(super) fn fetch(
    workspace: &Workspace,
    package: &str,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let [parts, lists, cache] = ["parts", "lists", "cache"].map(|name| folder.join(name));
    for path in [&parts, &lists.join("partial"), &cache.join("archives/partial")] {
        fs::create_dir_all(path)?;
    }
    write_source_lists(&parts)?;
    let apt = |arguments: &str| {
        let mut apt = command(workspace, "apt-get".as_ref(), "--quiet=2");
        apt.current_dir(folder);
        let mut set = |name: &str, path: &Path| {
            apt.arg("--option").arg(format!("{name}={}", path.display()));
        };
        set("Dir::Etc::sourcelist", "/dev/null".as_ref());
        set("Dir::Etc::sourceparts", &parts);
        set("Dir::State::lists", &lists);
        set("Dir::Cache", &cache);
        apt.args(arguments.split_whitespace());
        apt
    };
    // One of several sources may be out of reach; what counts is whether the package is found.
    let _ = run(&mut apt("update"));
    run(&mut apt(&format!("source --download-only {package}")))?;
    let names = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let archive = names.iter().find(|entry| {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(package));
        rest.is_some_and(|rest| rest.starts_with('_') && rest.contains(".orig.tar."))
    });
    Ok(archive.with_context(|| format!("apt-get fetched no {package}_*.orig.tar.*"))?.path())
}

/// Writes the machine's package sources again, as sources of source code.
fn write_source_lists(parts: &Path) -> anyhow::Result<()> {
    let mut found = 0;
    for path in APT_SOURCES.iter().flat_map(|path| files(path.as_ref())) {
        let text = fs::read_to_string(&path)?;
        let (Some(name), Some(extension)) = (path.file_name(), path.extension()) else { continue };
        let text = match extension.to_str() {
            Some("sources") => source_stanzas(&text),
            Some("list") => source_lines(&text),
            _ => continue,
        };
        fs::write(parts.join(name), text)?;
        found += 1;
    }
    ensure!(found > 0, "no list of package sources: not Debian or a descendant");
    Ok(())
}

/// The path itself if it is a file, or the files in it if it is a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => path.exists().then(|| path.to_owned()).into_iter().collect(),
    }
}

/// A `.sources` file: `Types` is one field of each stanza.
fn source_stanzas(text: &str) -> String {
    let line = |line: &str| {
        if line.starts_with("Types:") { "Types: deb-src\n".to_owned() } else { format!("{line}\n") }
    };
    text.lines().map(line).collect()
}

/// A `.list` file: the type is the first word of each line.
fn source_lines(text: &str) -> String {
    let lines = text.lines().filter_map(|line| line.strip_prefix("deb "));
    lines.map(|rest| format!("deb-src {rest}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_packages_become_lists_of_sources() {
        let stanza = "Types: deb\nURIs: file:/mirror\nSuites: stable\nComponents: main\n";
        assert_eq!(source_stanzas(stanza), stanza.replace("deb\n", "deb-src\n"));
        let lines = "# mirror\ndeb [trusted=yes] file:/mirror stable main\n\
                     deb-src file:/mirror stable main\n";
        assert_eq!(source_lines(lines), "deb-src [trusted=yes] file:/mirror stable main\n");
    }
}
