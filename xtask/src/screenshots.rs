//! `cargo xtask screenshots`: the pictures of the web shop in the documentation, taken anew.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::browser::Browser;
use crate::debian::{install_debian_package, may_install_debian_packages};
use crate::process::{cargo, command, run};
use crate::workspace::Workspace;

/// Where they are kept.
const FOLDER: &str = "docs/screenshots";

/// A demo; it ends with this value.
struct Demo {
    child: Child,
    url: String,
}

/// Builds the program, opens a demo of its own, and takes its pictures.
///
/// # Errors
///
/// If a browser cannot be had, or the demo does not open.
pub(crate) fn take(workspace: &Workspace) -> anyhow::Result<()> {
    let browser = Browser::prepare(workspace)?;
    if may_install_debian_packages() {
        // Without it the Chinese pages are boxes.
        install_debian_package(workspace, "fonts-noto-cjk")?;
    }
    run(&mut cargo(workspace, "build --locked --package foreword"))?;
    let data = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut demo = command(workspace, &workspace.target.join("debug/foreword"), "demo");
    demo.args(["--listen", "127.0.0.1:0"])
        .env("FOREWORD_DATA_DIR", data.path())
        .env("FOREWORD_ADMIN__LISTEN", "[]")
        .env("FOREWORD_MARKETPLACE__LISTEN", r#"["127.0.0.1:0"]"#);
    let demo = Demo::open(&mut demo)?;
    let folder = workspace.path(FOLDER);
    std::fs::create_dir_all(&folder)?;
    let mut node = command(workspace, "node".as_ref(), "screenshots.mjs");
    node.current_dir(workspace.path("crates/marketplace/tests/browser"))
        .env("SHOP_URL", &demo.url)
        .env("CHROMIUM", browser.chromium)
        .env("PACKAGES", browser.packages)
        .env("FOLDER", &folder);
    run(&mut node)
}

impl Demo {
    fn open(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::piped()).spawn().context("cannot start the demo")?;
        let mut demo = Self { child, url: String::new() };
        let output = demo.child.stdout.take().context("the demo has no output")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("The shop is open: "));
        let line = line.context("the demo ended before its shop was open")?;
        let url = line.split_whitespace().find(|word| word.starts_with("http"));
        demo.url = url.context("the demo names no address")?.to_owned();
        // What it prints later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(demo)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
