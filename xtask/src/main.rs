//! Foreword's chores: `cargo xtask test` and others.

// A chore talks to whoever started it, on the terminal.
#![allow(clippy::print_stdout)]

mod browser;
mod clients;
mod codegen;
mod debian;
mod deploy;
mod direction;
mod image;
mod integration;
mod large_shops;
mod manifests;
mod openapi;
mod postgres;
mod process;
mod python;
mod python_client;
mod report;
mod scene;
mod screenshots;
mod skip;
mod soak;
mod suite;
mod test;
mod translation;
mod typescript;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::python::Environment;
use crate::scene::Place;
use crate::workspace::Workspace;

/// Foreword's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every check that a change has to pass.
    ///
    /// Prepares Python environments under the target folder first. Tests get a server of
    /// PostgreSQL, in a temporary folder, which ends with them; where none is installed, root
    /// on Debian installs it. What cannot be run here is skipped and named; with CI=true, a
    /// skip for want of a tool is a failure. Missing development data is named but never a
    /// failure.
    Test,
    /// Play every scene of the services together: replicas, shops, PostgreSQL, mutual TLS.
    ///
    /// Replicas are restarted, killed, stopped, cut off, blocked, upgraded and scaled under load,
    /// certificates and the database replaced; each scene prints what came of it, and fails where
    /// it must not. With full optimisation: expect a build of several minutes, and leave the
    /// machine alone meanwhile. To cut a replica off takes root; without, that scene is skipped.
    Integration,
    /// Run what takes longer: ignored tests, miri, the gates of unstall, then the benches.
    ///
    /// The ignored tests run in release, for the whole workspace. Miri runs the tests of
    /// jobs in unstall, and wants a nightly toolchain that has it; without, it is skipped.
    /// The gates of unstall take about 25 minutes, most of it two runs of ten minutes on a
    /// starved host; a gate that is missed is a failure, so leave the machine alone
    /// meanwhile. Their parts about CPU quotas, about threads that cannot be had, and about
    /// name servers that do not answer want root, and are skipped without. gRPC's own
    /// interoperability clients, from Debian's source of gRPC, and Envoy call transport; what of
    /// these cannot be had is skipped. Hostile clients attack transport, its speed is compared
    /// with tonic's, certificates are swapped and servers restarted under load, and ten minutes
    /// of mixed load must leave memory flat: leave the machine alone meanwhile. The image that is
    /// shipped is built and started, where there is buildah. Benches print
    /// their numbers and judge nothing; expect them to build for several minutes, since
    /// they are linked like the binary that is shipped.
    Soak,
    /// Play the scene that README.md opens with: five requests, a handler that sleeps.
    ///
    /// Starts the tutorial's asyncio server, plain tonic, and tonic on unstall, one
    /// after the other on loopback, and asks each five times at once. Takes a minute
    /// and a build. Writes five-requests.txt and five-requests.svg to target/scene/.
    Scene {
        /// Write to docs/ instead; README.md and README.zh-CN.md must then get the new
        /// numbers too, which tests see to.
        #[arg(long)]
        update: bool,
    },
    /// Take the pictures of the web shop in docs/screenshots anew.
    ///
    /// Opens a demo of its own on loopback, and Chromium in front of it.
    Screenshots,
    /// Write the code of the protobuf contract, in Rust and Python, and its description.
    ///
    /// Python's comes of protoc, of the Python environment under the target folder.
    Codegen {
        /// Compare with the committed code instead; differences are a failure.
        #[arg(long)]
        check: bool,
    },
    /// Hold deploy/ against the tools of those who run it: the step of `test` alone.
    Deployment,
    /// Render the chart in deploy/helm with its five sets of values, into deploy/manifests.
    ///
    /// Writes the table of values in the chart's README.md too.
    Manifests {
        /// Compare with the committed files instead; differences are a failure.
        #[arg(long)]
        check: bool,
    },
    /// Build the image that is shipped, from nothing but the program, and try it.
    ///
    /// Takes a build with all optimisation, many minutes of all cores, and buildah.
    Image {
        /// Put this program into the image instead of building one.
        #[arg(long, value_name = "FILE")]
        program: Option<PathBuf>,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let workspace = Workspace::find()?;
    match arguments.chore {
        Chore::Test => Ok(test::test(&workspace)),
        Chore::Integration => Ok(integration::integration(&workspace)),
        Chore::Soak => Ok(soak::soak(&workspace)),
        Chore::Scene { update } => {
            let place = if update { Place::Docs } else { Place::Target };
            scene::scene(&workspace, place).map(|()| ExitCode::SUCCESS)
        }
        Chore::Screenshots => screenshots::take(&workspace).map(|()| ExitCode::SUCCESS),
        Chore::Deployment => Ok(deploy::alone(&workspace)),
        Chore::Manifests { check } => {
            let tools = deploy::Tools::prepare(&workspace)?;
            let done = if check { manifests::check } else { manifests::write };
            done(&workspace, &tools).map(|()| ExitCode::SUCCESS)
        }
        Chore::Image { program } => image::image(&workspace, program).map(|()| ExitCode::SUCCESS),
        Chore::Codegen { check } => generate(&workspace, check).map(|()| ExitCode::SUCCESS),
    }
}

fn generate(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    if check {
        codegen::check(workspace)?;
        return python_client::check(workspace, &Environment::prepare(workspace)?);
    }
    codegen::write(workspace)?;
    python_client::write(workspace, &Environment::prepare(workspace)?)
}
