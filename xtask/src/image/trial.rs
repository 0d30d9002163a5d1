//! The image as a cluster would meet it: started, asked on its probes, ended by SIGTERM.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail, ensure};

use super::Buildah;

/// The longest that a start may take, and a stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look again.
const PAUSE: Duration = Duration::from_millis(50);

const USER: u32 = 65532;

/// Starts a service with an empty shop in the image, without the right to write anywhere but to its
/// data, and stops it.
///
/// # Errors
///
/// If a probe is not answered well, if it wrote elsewhere, or if it does not end with 0.
pub(super) fn start_and_stop(buildah: &Buildah<'_>, image: &str) -> anyhow::Result<()> {
    let data = tempfile::tempdir()?;
    chown(data.path(), Some(USER), Some(USER)).context("this check wants root")?;
    let container = buildah.say(buildah.command("from --quiet").arg(image))?;
    // The first run, in which buildah makes what it mounts.
    buildah.say(buildah.command("run --isolation chroot").args([
        &container,
        "--",
        "/foreword",
        "--version",
    ]))?;
    let before = files(buildah, &container)?;
    let [calls, admin] = [free_port()?, free_port()?];
    let mut start = buildah.command("run --isolation chroot --volume");
    start.arg(format!("{}:/var/lib/foreword", data.path().display())).arg(&container);
    start.args(["--", "/foreword", "serve", "--listen", &format!("127.0.0.1:{calls}")]);
    start.args(["--set", &format!(r#"admin.listen=["127.0.0.1:{admin}"]"#)]);
    let mut running = Running(start.spawn().context("cannot start buildah")?);
    let asked = ask_all(admin);
    let ended = asked.and_then(|()| running.stop());
    drop(running);
    let named = finds_names(buildah, &container);
    let after = files(buildah, &container);
    buildah.say(buildah.command("rm").arg(&container))?;
    ended?;
    named?;
    let written = differences(&before, &after?);
    ensure!(written.is_empty(), "found {written:?}, which the program wrote into its container");
    println!("{image}: started, answered its probes, and ended with 0 after SIGTERM");
    Ok(())
}

/// A static program finds names by itself: that of this machine, where no database listens.
fn finds_names(buildah: &Buildah<'_>, container: &str) -> anyhow::Result<()> {
    let url = format!("postgres://nobody@localhost:{}/none", free_port()?);
    let mut migrate = buildah.command("run --isolation chroot");
    migrate.args([container, "--", "/foreword", "--database", &url, "migrate"]);
    let output = migrate.output().context("cannot start buildah")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains("Connection refused"), "localhost: found {said:?}, expected a refusal");
    Ok(())
}

fn ask_all(admin: u16) -> anyhow::Result<()> {
    let begun = Instant::now();
    for path in ["/startupz", "/livez", "/readyz", "/metrics"] {
        loop {
            match ask(admin, path) {
                Ok(200) => break,
                found if begun.elapsed() > PATIENCE => {
                    bail!("{path}: found {found:?}, expected 200 within {PATIENCE:?}")
                }
                _ => std::thread::park_timeout(PAUSE),
            }
        }
    }
    Ok(())
}

/// The status of an answer over HTTP.
fn ask(port: u16, path: &str) -> anyhow::Result<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(3)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.split_whitespace().nth(1).context("an answer has a status")?.parse()?)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// What lies in a container, by path: of a file, its length and when it was written.
type Files = BTreeMap<PathBuf, Option<(u64, SystemTime)>>;

/// Everything in a container, but for what is mounted into it.
fn files(buildah: &Buildah<'_>, container: &str) -> anyhow::Result<Files> {
    let root = PathBuf::from(buildah.say(buildah.command("mount").arg(container))?);
    let found = files_below(&root);
    buildah.say(buildah.command("umount").arg(container))?;
    found
}

fn files_below(root: &Path) -> anyhow::Result<Files> {
    let mut found = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let metadata = fs::symlink_metadata(&path)?;
            let is_folder = metadata.is_dir();
            let file = if is_folder { None } else { Some((metadata.len(), metadata.modified()?)) };
            found.insert(Path::new("/").join(path.strip_prefix(root)?), file);
            if is_folder {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

/// What is new, different or gone.
fn differences(before: &Files, after: &Files) -> Vec<PathBuf> {
    let changed = after.iter().filter(|(path, file)| before.get(*path) != Some(*file));
    let gone = before.iter().filter(|(path, _)| !after.contains_key(*path));
    changed.chain(gone).map(|(path, _)| path.clone()).collect()
}

/// Buildah with the program below it; both are ended if a check fails.
struct Running(Child);

impl Running {
    /// Tells the program to stop, and waits for that.
    fn stop(&mut self) -> anyhow::Result<()> {
        let program = program_below(self.0.id()).context("the program is not running")?;
        signal("-TERM", program)?;
        let begun = Instant::now();
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("found {status} after SIGTERM, expected 0"),
                None if begun.elapsed() > PATIENCE => bail!("it did not stop within {PATIENCE:?}"),
                None => std::thread::park_timeout(PAUSE),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(program) = program_below(self.0.id()) {
            // It has ended meanwhile, or the check is failing anyway.
            let _ = signal("-KILL", program);
        }
        let _ = self.0.wait();
    }
}

fn signal(signal: &str, process: u32) -> anyhow::Result<()> {
    let status = Command::new("kill").args([signal, &process.to_string()]).status()?;
    ensure!(status.success(), "kill: {status}");
    Ok(())
}

/// The process of the program among those that a process has started.
fn program_below(process: u32) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<u32> = children
        .flat_map(|list| list.split_whitespace().flat_map(str::parse).collect::<Vec<_>>())
        .collect();
    children.into_iter().find_map(|child| {
        let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        if name.trim_end() == "foreword" { Some(child) } else { program_below(child) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_into_a_tree_is_found_wherever_it_is() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("etc/ssl")).unwrap();
        fs::create_dir_all(at("var/lib")).unwrap();
        for path in ["etc/hosts", "etc/ssl/certificates", "foreword"] {
            fs::write(at(path), "before").unwrap();
        }
        let before = files_below(root.path()).unwrap();
        assert!(differences(&before, &files_below(root.path()).unwrap()).is_empty());

        fs::write(at("etc/ssl/certificates"), "longer than before").unwrap();
        fs::create_dir(at("var/lib/foreword")).unwrap();
        fs::write(at("var/lib/foreword/lock"), "").unwrap();
        fs::remove_file(at("etc/hosts")).unwrap();
        let after = files_below(root.path()).unwrap();
        let expected =
            ["/etc/ssl/certificates", "/var/lib/foreword", "/var/lib/foreword/lock", "/etc/hosts"];
        assert_eq!(differences(&before, &after), expected.map(PathBuf::from));
    }
}
