//! Holds `README.zh-CN.md` in step with `README.md`.
//!
//! A translation cannot be compared word by word, but what a reader acts on can: section by
//! section, both have headings of the same levels, the same code blocks, and outside those the
//! same inline code, link targets and numbers, in whatever order the language puts them. Each
//! links to the other; those two links count as the same.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use anyhow::{Context as _, bail};

use crate::workspace::Workspace;

const ORIGINAL: &str = "README.md";
const TRANSLATION: &str = "README.zh-CN.md";
const OTHER_LANGUAGE: &str = "the other language";

/// Compares the two files of the repository.
///
/// # Errors
///
/// If one cannot be read, or they differ; the message has every difference.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let read = |name| {
        fs::read_to_string(workspace.path(name)).with_context(|| format!("cannot read {name}"))
    };
    let differences = differences(&read(ORIGINAL)?, &read(TRANSLATION)?);
    if !differences.is_empty() {
        bail!("{TRANSLATION} is not in step with {ORIGINAL}:\n{}", differences.join("\n"));
    }
    Ok(())
}

/// What one section says besides words.
#[derive(Debug, Default)]
struct Section {
    heading: String,
    level: usize,
    blocks: Vec<String>,
    facts: BTreeMap<Fact, isize>,
}

/// Something that must be in both languages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    Code(String),
    Link(String),
    Number(String),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "`{code}`"),
            Self::Link(target) => write!(f, "the link to {target}"),
            Self::Number(number) => write!(f, "the number {number}"),
        }
    }
}

fn differences(original: &str, translation: &str) -> Vec<String> {
    let (original, translation) = (sections(original), sections(translation));
    let levels = |sections: &[Section]| sections.iter().map(|it| it.level).collect::<Vec<_>>();
    if levels(&original) != levels(&translation) {
        let headings = |sections: &[Section]| {
            let lines =
                sections.iter().map(|it| format!("{} {}", "#".repeat(it.level), it.heading));
            lines.collect::<Vec<_>>().join(" | ")
        };
        return vec![format!(
            "headings: {} against {}",
            headings(&original),
            headings(&translation)
        )];
    }
    let mut differences = Vec::new();
    for (original, translation) in original.into_iter().zip(translation) {
        let section = original.heading;
        if original.blocks != translation.blocks {
            differences.push(format!("{section}: the code blocks differ"));
        }
        let mut balance = original.facts;
        for (fact, count) in translation.facts {
            *balance.entry(fact).or_default() -= count;
        }
        differences.extend(balance.into_iter().filter(|(_, count)| *count != 0).map(
            |(fact, count)| {
                let place = if count > 0 { "missing in the translation" } else { "only there" };
                format!("{section}: {fact} is {place}")
            },
        ));
    }
    differences
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut block: Option<String> = None;
    for line in text.lines() {
        let section = sections.last_mut().expect("it begins with one");
        if line.starts_with("```") {
            match block.take() {
                Some(finished) => section.blocks.push(finished),
                None => block = Some(format!("{line}\n")),
            }
        } else if let Some(block) = &mut block {
            block.push_str(line);
            block.push('\n');
        } else if line.starts_with('#') {
            let level = line.chars().take_while(|&char| char == '#').count();
            let heading = line[level..].trim().to_owned();
            sections.push(Section { heading, level, ..Section::default() });
        } else {
            for fact in facts(line) {
                *section.facts.entry(fact).or_default() += 1;
            }
        }
    }
    sections
}

/// The inline code, link targets and numbers of a line.
fn facts(line: &str) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut words = String::new();
    for (index, part) in line.split('`').enumerate() {
        if index % 2 == 1 {
            facts.push(Fact::Code(part.to_owned()));
            words.push(' ');
        } else {
            words.push_str(part);
        }
    }
    let mut rest = words.as_str();
    let mut prose = String::new();
    while let Some((before, after)) = rest.split_once("](") {
        let (target, after) = after.split_once(')').unwrap_or((after, ""));
        prose.push_str(before);
        prose.push(' ');
        let other_language = target == ORIGINAL || target == TRANSLATION;
        facts.push(Fact::Link(if other_language { OTHER_LANGUAGE } else { target }.to_owned()));
        rest = after;
    }
    prose.push_str(rest);
    facts.extend(numbers(&prose).map(Fact::Number));
    facts
}

/// Runs of digits, with the points and commas between digits.
fn numbers(prose: &str) -> impl Iterator<Item = String> {
    let pieces = prose.split(|char: char| !(char.is_ascii_digit() || ".,".contains(char)));
    pieces
        .map(|piece| piece.trim_end_matches(['.', ',']).trim_start_matches(','))
        .filter(|piece| piece.contains(|char: char| char.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(original: &str, translation: &str, expected: &[&str]) {
        assert_eq!(differences(original, translation), expected);
    }

    #[test]
    fn a_faithful_translation_differs_in_words_only() {
        check(
            "# Speed\nIt takes 1,039 books in 5.03 s, see [here](docs/a.md) and `--json`.\n\n```console\n$ run 5\n```\n",
            "# 速度\n`--json`,见[此处](docs/a.md):1,039 本书只需 5.03 秒。\n\n```console\n$ run 5\n```\n",
            &[],
        );
    }

    #[test]
    fn what_is_out_of_step_is_named_with_its_section() {
        check(
            "# Speed\nIn 5.03 s by `run`, [see](a.md).\n```\n$ run\n```\n",
            "# 速度\n只需 5.04 秒。\n```\n$ walk\n```\n",
            &[
                "Speed: the code blocks differ",
                "Speed: `run` is missing in the translation",
                "Speed: the link to a.md is missing in the translation",
                "Speed: the number 5.03 is missing in the translation",
                "Speed: the number 5.04 is only there",
            ],
        );
    }

    #[test]
    fn the_links_to_the_other_language_are_a_pair_and_one_alone_is_named() {
        check("# One\n[中文](README.zh-CN.md)\n", "# 一\n[English](README.md)\n", &[]);
        check(
            "# One\n[中文](README.zh-CN.md)\n",
            "# 一\n",
            &["One: the link to the other language is missing in the translation"],
        );
    }

    #[test]
    fn the_files_of_the_repository_are_in_step() {
        super::check(&Workspace::find().unwrap()).unwrap();
    }

    #[test]
    fn a_missing_section_is_named() {
        check("# One\n## Two\n", "# 一\n", &["headings:   | # One | ## Two against   | # 一"]);
    }
}
