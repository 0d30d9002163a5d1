//! `cargo xtask soak`: what takes too long for every change.

use std::fs;
use std::process::ExitCode;

use crate::clients;
use crate::debian::{have, is_root};
use crate::image;
use crate::integration::{self, SCENES};
use crate::large_shops;
use crate::process::{cargo, command, run};
use crate::report::{MissingTools, Ran, Report};
use crate::skip::Skip;
use crate::suite;
use crate::workspace::Workspace;

/// What miri can run of `unstall`: jobs on a lane, without the watchdog, which reads `/proc`.
const UNDER_MIRI: &str =
    "+nightly miri test -p unstall --lib -- job:: watchdog::clock grpc::timeout";

/// Each folder of fuzz targets with its targets.
const FUZZ_TARGETS: [(&str, &str); 6] = [
    ("crates/transport/fuzz", "guard"),
    ("crates/transport/fuzz", "frames"),
    ("crates/transport/fuzz", "framing"),
    ("crates/transport/fuzz", "json"),
    ("crates/server/fuzz", "jwt"),
    ("crates/server/fuzz", "settings"),
];
const FUZZ_SECONDS: u32 = 60;

/// Runs the ignored tests with full optimisation, clients that others wrote, miri, the gates of
/// `unstall` and of `transport` with their long runs, a service with many users and events, fuzzing,
/// and all benches.
pub(crate) fn soak(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new(MissingTools::from_environment());
    let python = suite::prepare_python(workspace, &mut report);
    report.skippable("tests of real size", |skips| {
        suite::test(
            workspace,
            python.as_ref(),
            &format!("--release -- --ignored --skip {SCENES}"),
            skips,
        )
    });
    integration::step(workspace, &mut report);
    report.skippable("interop", |skips| clients::interop(workspace, python.as_ref(), skips));
    report.skippable("behind envoy", |skips| clients::envoy(workspace, python.as_ref(), skips));
    report.skippable("miri", |skips| miri(workspace, skips));
    report.step("gates of unstall", || {
        let mut gates =
            cargo(workspace, "run --release --locked -p unstall --example gates -- --long");
        if let Some(python) = &python {
            gates.env("FOREWORD_TEST_PYTHON", python.python());
        }
        run(&mut gates)
    });
    report.step("hostile clients", || hostile(workspace));
    report.step("speed of transport", || speed(workspace));
    report.step("endurance", || {
        run(&mut cargo(workspace, "run --release --locked -p transport --example endurance"))
    });
    report.skippable("large shops", |skips| large_shops::measure(workspace, skips));
    report.skippable("image", |skips| image(workspace, skips));
    report.skippable("fuzz", |skips| fuzz(workspace, skips));
    report.step("benches", || run(&mut cargo(workspace, "bench --workspace --locked")));
    report.finish()
}

/// Builds the image that is shipped, and starts it.
fn image(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<Ran> {
    if !is_root() {
        skips.push(Skip::tool("image", "files of the image have other owners, which takes root"));
        return Ok(Ran::No);
    }
    if let Err(error) = have(workspace, "buildah", "buildah") {
        skips.push(Skip::tool("buildah", format!("{error:#}")));
        return Ok(Ran::No);
    }
    image::image(workspace, None)?;
    Ok(Ran::Yes)
}

/// Attacks `transport` in plaintext and over TLS.
fn hostile(workspace: &Workspace) -> anyhow::Result<()> {
    let example = "run --release --locked -p transport --example hostile --";
    run(&mut cargo(workspace, example))?;
    run(cargo(workspace, example).arg("--tls"))
}

/// Measures `transport`, built as it is shipped, beside tonic with its defaults.
fn speed(workspace: &Workspace) -> anyhow::Result<()> {
    let defaults = "build --release --locked -p transport --example speed_defaults";
    run(&mut cargo(workspace, defaults))?;
    run(&mut cargo(workspace, "run --profile dist --locked -p transport --example speed"))
}

/// Runs each fuzz target for [`FUZZ_SECONDS`], from its seeds and what earlier
/// runs have found on this machine.
fn fuzz(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<Ran> {
    if run(&mut command(workspace, "cargo".as_ref(), "+nightly fuzz --version")).is_err() {
        skips.push(Skip::tool("cargo-fuzz", "there is no nightly toolchain with cargo-fuzz"));
        return Ok(Ran::No);
    }
    for (folder, target) in FUZZ_TARGETS {
        let found = workspace.target.join("fuzz-corpus").join(target);
        fs::create_dir_all(&found)?;
        let fuzz = format!("+nightly fuzz run --fuzz-dir {folder} {target}");
        run(command(workspace, "cargo".as_ref(), &fuzz)
            .arg(found)
            .arg(workspace.path(folder).join("seeds").join(target))
            .arg("--")
            .arg(format!("-max_total_time={FUZZ_SECONDS}")))?;
    }
    Ok(Ran::Yes)
}

/// Runs the tests of jobs under miri, which finds undefined behaviour and leaks.
fn miri(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<Ran> {
    let with_nightly = |arguments: &str| {
        let mut cargo = command(workspace, "cargo".as_ref(), arguments);
        cargo.env("MIRIFLAGS", "-Zmiri-disable-isolation");
        cargo
    };
    if run(&mut with_nightly("+nightly miri --version")).is_err() {
        skips.push(Skip::tool("miri", "there is no nightly toolchain with miri and rust-src"));
        return Ok(Ran::No);
    }
    run(&mut with_nightly(UNDER_MIRI))?;
    Ok(Ran::Yes)
}
