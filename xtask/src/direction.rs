//! Crate directions: who may know whom.
//!
//! The one table is the block between two comments in `ARCHITECTURE.md`, with lines
//! such as `server -> api recommender storage`. It is compared with the manifests
//! in both directions, so that it neither allows nor promises too much. Development
//! dependencies are free.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context as _, bail, ensure};
use cargo_metadata::DependencyKind;

use crate::workspace::Workspace;

const TABLE_FILE: &str = "ARCHITECTURE.md";
const TABLE_START: &str = "<!-- crate-directions -->";
const TABLE_END: &str = "<!-- /crate-directions -->";

/// For each crate of the workspace, the crates of the workspace that it uses.
type Directions = BTreeMap<String, BTreeSet<String>>;

/// Compares the table with the manifests.
///
/// # Errors
///
/// If they differ, naming each difference, or if there is no such table.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let document = fs::read_to_string(workspace.path(TABLE_FILE))
        .with_context(|| format!("cannot read {TABLE_FILE}"))?;
    let differences = compare(&parse(&document)?, &declared(workspace));
    if differences.is_empty() {
        return Ok(());
    }
    bail!(
        "a new arrow is a design change: write it into {TABLE_FILE} with its reason\n  {}",
        differences.join("\n  ")
    )
}

/// Reads the table from the document that holds it.
fn parse(document: &str) -> anyhow::Result<Directions> {
    let (_, rest) = document
        .split_once(TABLE_START)
        .with_context(|| format!("no {TABLE_START} in {TABLE_FILE}"))?;
    let (table, _) =
        rest.split_once(TABLE_END).with_context(|| format!("no {TABLE_END} in {TABLE_FILE}"))?;

    let mut directions = Directions::new();
    for line in table.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("```") {
            continue;
        }
        let (user, used) = line
            .split_once("->")
            .with_context(|| format!("{line:?} in {TABLE_FILE}, expected `crate -> crates`"))?;
        let used = used.split_whitespace().map(str::to_owned).collect();
        let earlier = directions.insert(user.trim().to_owned(), used);
        ensure!(earlier.is_none(), "{TABLE_FILE} has two lines for {}", user.trim());
    }
    Ok(directions)
}

/// Reads the directions from the manifests.
fn declared(workspace: &Workspace) -> Directions {
    let names: BTreeSet<&str> = workspace.members.iter().map(|it| it.name.as_str()).collect();
    let mut directions = Directions::new();
    for member in &workspace.members {
        let used = member
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
            .filter(|dependency| names.contains(dependency.name.as_str()))
            .map(|dependency| dependency.name.clone())
            .collect();
        directions.insert(member.name.to_string(), used);
    }
    directions
}

fn compare(table: &Directions, manifests: &Directions) -> Vec<String> {
    let only_in_manifests = missing(manifests, table)
        .into_iter()
        .map(|thing| format!("{thing}: in a Cargo.toml, not in {TABLE_FILE}"));
    let only_in_table = missing(table, manifests)
        .into_iter()
        .map(|thing| format!("{thing}: in {TABLE_FILE}, in no Cargo.toml"));
    only_in_manifests.chain(only_in_table).collect()
}

/// The crates and arrows of the first that the second does not have.
fn missing(first: &Directions, second: &Directions) -> Vec<String> {
    let mut things = Vec::new();
    for (user, used) in first {
        let Some(known) = second.get(user) else {
            things.push(user.clone());
            continue;
        };
        things.extend(used.difference(known).map(|used| format!("{user} -> {used}")));
    }
    things
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares two tables: what a document says, and what manifests say.
    fn check(document: &str, manifests: &str, expected: &[&str]) {
        let parse = |lines: &str| {
            parse(&format!("# Title\n{TABLE_START}\n```text\n{lines}\n```\n{TABLE_END}\nMore."))
        };
        let document = parse(document).expect("a table");
        let manifests = parse(manifests).expect("a table");
        assert_eq!(compare(&document, &manifests), expected);
    }

    #[test]
    fn equal_tables_have_no_differences() {
        check("server -> api\napi ->", "api ->\nserver -> api", &[]);
    }

    #[test]
    fn an_arrow_on_one_side_only_is_a_difference() {
        check(
            "server -> api storage\napi ->",
            "server -> api\napi -> server",
            &[
                "api -> server: in a Cargo.toml, not in ARCHITECTURE.md",
                "server -> storage: in ARCHITECTURE.md, in no Cargo.toml",
            ],
        );
    }

    #[test]
    fn a_crate_on_one_side_only_is_a_difference() {
        check("api ->", "", &["api: in ARCHITECTURE.md, in no Cargo.toml"]);
        check("", "api ->", &["api: in a Cargo.toml, not in ARCHITECTURE.md"]);
    }

    #[test]
    fn a_document_without_a_table_is_refused() {
        assert!(parse("# Title").is_err());
        assert!(parse(&format!("{TABLE_START}\nserver: api\n{TABLE_END}")).is_err());
        assert!(parse(&format!("{TABLE_START}\napi ->\napi ->\n{TABLE_END}")).is_err());
    }
}
