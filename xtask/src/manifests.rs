//! Plain manifests for those without Helm, and the table of the chart's values.
//!
//! Both are committed: a change of the chart shows in review as what comes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::deploy::Tools;
use crate::process::command;
use crate::workspace::Workspace;

pub(crate) const CHART: &str = "deploy/helm/foreword";
pub(crate) const FOLDER: &str = "deploy/manifests";
const README: &str = "deploy/helm/foreword/README.md";

/// Where the table of values begins and ends in [`README`].
const TABLE: [&str; 2] = ["<!-- values: cargo xtask manifests -->\n", "<!-- /values -->\n"];

/// A set of values, and what is rendered with it.
pub(crate) struct ValueSet {
    pub(crate) values: PathBuf,
    pub(crate) manifest: PathBuf,
}

/// The sets of values in the chart's folder `ci`, by name.
pub(crate) fn value_sets(workspace: &Workspace) -> anyhow::Result<Vec<ValueSet>> {
    let mut sets = Vec::new();
    for file in fs::read_dir(workspace.path(CHART).join("ci"))? {
        let name = file?.file_name();
        let values = Path::new(CHART).join("ci").join(&name);
        sets.push(ValueSet { values, manifest: Path::new(FOLDER).join(&name) });
    }
    sets.sort_by(|one, other| one.values.cmp(&other.values));
    Ok(sets)
}

/// Writes all files, and removes manifests without a set of values.
///
/// # Errors
///
/// If the chart cannot be rendered, or a file cannot be written.
pub(crate) fn write(workspace: &Workspace, tools: &Tools) -> anyhow::Result<()> {
    let rendered = render(workspace, tools)?;
    fs::create_dir_all(workspace.path(FOLDER))?;
    for path in committed(workspace)?.into_iter().filter(|path| !rendered.contains_key(path)) {
        fs::remove_file(workspace.path(path))?;
    }
    for (path, text) in rendered {
        fs::write(workspace.path(path), text)?;
    }
    Ok(())
}

/// Compares the committed files with what [`write()`] would write.
///
/// # Errors
///
/// If they differ, or the chart cannot be rendered.
pub(crate) fn check(workspace: &Workspace, tools: &Tools) -> anyhow::Result<()> {
    let rendered = render(workspace, tools)?;
    let mut stale = committed(workspace)?;
    stale.retain(|path| !rendered.contains_key(path));
    for (path, text) in rendered {
        if fs::read_to_string(workspace.path(&path)).ok() != Some(text) {
            stale.push(path);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    let stale: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    bail!("out of date: {}; run cargo xtask manifests", stale.join(", "))
}

/// The manifests that there are.
fn committed(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let Ok(files) = fs::read_dir(workspace.path(FOLDER)) else { return Ok(Vec::new()) };
    files.map(|file| Ok(Path::new(FOLDER).join(file?.file_name()))).collect()
}

/// All files by path.
fn render(workspace: &Workspace, tools: &Tools) -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    for set in value_sets(workspace)? {
        let mut helm = command(workspace, tools.helm(), "template foreword --namespace books");
        helm.arg(CHART).arg("--values").arg(&set.values);
        let output = helm.output().context("cannot start helm")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {complaint}", set.values.display());
        let head =
            format!("# Rendered from {} by `cargo xtask manifests`.\n", set.values.display());
        files.insert(set.manifest, head + &String::from_utf8(output.stdout)?);
    }
    files.insert(README.into(), readme(workspace)?);
    Ok(files)
}

/// The chart's README with the table of values as the schema and the defaults are.
fn readme(workspace: &Workspace) -> anyhow::Result<String> {
    let read = |name: &str| {
        let path = workspace.path(CHART).join(name);
        fs::read_to_string(path).with_context(|| format!("{CHART}/{name}"))
    };
    let schema: Value = serde_json::from_str(&read("values.schema.json")?)?;
    let defaults: Value = serde_saphyr::from_str(&read("values.yaml")?)?;
    let mut table = String::from("| value | default | meaning |\n| --- | --- | --- |\n");
    rows(&schema, &defaults, "", &mut table)?;
    let readme = read("README.md")?;
    let parts = readme.split_once(TABLE[0]).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(TABLE[1])?;
        Some((before, after))
    });
    let (before, after) = parts.with_context(|| format!("{README}: expected {TABLE:?}"))?;
    Ok([before, TABLE[0], &table, TABLE[1], after].concat())
}

/// Adds a row for each value below an object. Each must be in the schema, with a
/// default and a meaning.
fn rows(schema: &Value, defaults: &Value, path: &str, table: &mut String) -> anyhow::Result<()> {
    let properties = schema["properties"].as_object().context("an object has properties")?;
    let mut names = defaults.as_object().into_iter().flat_map(|object| object.keys());
    if let Some(name) = names.find(|name| !properties.contains_key(*name)) {
        bail!("values.yaml: found {path}{name}, which the schema does not have");
    }
    // Helm hands `global` to every chart.
    for (name, property) in properties.iter().filter(|(name, _)| *name != "global") {
        let path = format!("{path}{name}");
        let default = &defaults[name];
        ensure!(!default.is_null(), "values.yaml: expected a default of {path}");
        let meaning = property["description"].as_str();
        if property["properties"].is_object() {
            if let Some(meaning) = meaning {
                writeln!(table, "| **{path}** | | {meaning} |")?;
            }
            rows(property, default, &format!("{path}."), table)?;
        } else {
            let meaning = meaning.with_context(|| format!("{path}: expected a description"))?;
            writeln!(table, "| `{path}` | `{default}` | {meaning} |")?;
        }
    }
    Ok(())
}
