//! Generated code: from folders of `.proto` files to folders of Rust next to them, and to
//! descriptions for clients.
//!
//! The result is committed, so that building Foreword needs no protobuf compiler
//! and a change of a contract shows in review. The compiler here is written in
//! Rust as well; nothing has to be installed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::openapi;
use crate::workspace::Workspace;

/// Where Foreword's own contract is written down, seen from the workspace's folder.
pub(crate) const PROTO_FOLDER: &str = "crates/api/proto";

/// Every folder of `.proto` files, and where its code goes.
const CONTRACTS: [Contract; 3] = [
    Contract {
        proto: PROTO_FOLDER,
        generated: "crates/api/src/generated",
        described: Some("foreword.v1"),
    },
    Contract {
        proto: "crates/transport/proto",
        generated: "crates/transport/src/generated",
        described: None,
    },
    Contract {
        proto: "crates/transport/examples/interop/proto",
        generated: "crates/transport/examples/interop/generated",
        described: None,
    },
];

/// Two folders, seen from the workspace's folder.
struct Contract {
    proto: &'static str,
    generated: &'static str,
    /// The package that is called by JSON over HTTP too, and described for that.
    described: Option<&'static str>,
}

/// Contents of the generated files, by file name.
type Files = BTreeMap<OsString, Vec<u8>>;

/// Writes the generated code, and removes what is no longer generated.
///
/// # Errors
///
/// If a contract does not compile or a file cannot be written.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    for contract in &CONTRACTS {
        let folder = workspace.path(contract.generated);
        fs::create_dir_all(&folder)?;
        let generated = generate(workspace, contract)?;
        let committed = read_files(&folder)?;
        for name in committed.keys().filter(|name| !generated.contains_key(*name)) {
            fs::remove_file(folder.join(name))?;
        }
        for (name, contents) in &generated {
            fs::write(folder.join(name), contents)?;
        }
    }
    Ok(())
}

/// Compares the committed code with what [`write()`] would write.
///
/// # Errors
///
/// If they differ, or a contract does not compile.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for contract in &CONTRACTS {
        let generated = generate(workspace, contract)?;
        let committed = read_files(&workspace.path(contract.generated))?;
        let names =
            generated.keys().chain(committed.keys().filter(|name| !generated.contains_key(*name)));
        stale.extend(
            names
                .filter(|name| generated.get(*name) != committed.get(*name))
                .map(|name| format!("{}/{}", contract.generated, name.display())),
        );
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("out of date: {}; run cargo xtask codegen", stale.join(", "))
}

fn generate(workspace: &Workspace, contract: &Contract) -> anyhow::Result<Files> {
    let mut descriptors = compile(&workspace.path(contract.proto))?;
    let folder = tempfile::tempdir()?;
    tonic_prost_build::configure().out_dir(folder.path()).compile_fds(descriptors.clone())?;
    let mut files = read_files(folder.path())?;

    if let Some(package) = contract.described {
        files.insert("openapi.json".into(), openapi::document(&descriptors, package)?);
    }

    // Comments were needed for the Rust documentation; reflection does without.
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    files.insert("descriptor.bin".into(), descriptors.encode_to_vec());
    Ok(files)
}

fn compile(proto_folder: &Path) -> anyhow::Result<FileDescriptorSet> {
    let mut compiler = protox::Compiler::new([proto_folder])?;
    compiler.include_source_info(true).include_imports(true);
    for path in proto_files(proto_folder)? {
        compiler.open_file(path)?;
    }
    Ok(compiler.file_descriptor_set())
}

/// All `.proto` files in the folder and below, in the order of their paths.
fn proto_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_files(folder: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {folder:?}"))?;
    for entry in entries {
        let entry = entry?;
        let contents =
            fs::read(entry.path()).with_context(|| format!("cannot read {:?}", entry.path()))?;
        files.insert(entry.file_name(), contents);
    }
    Ok(files)
}
