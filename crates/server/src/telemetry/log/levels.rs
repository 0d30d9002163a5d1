//! How much is logged: a level for all, and others for some targets.

use std::fmt;
use std::str::FromStr;

use tracing_subscriber::filter::{LevelFilter, Targets};

/// How much is logged, written `info,access=warn,server::live=debug`. If no level is given for
/// all, errors are logged of what is not named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    text: String,
    targets: Vec<(String, LevelFilter)>,
    others: LevelFilter,
}

/// A text that is no [`Levels`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no level; expected error, warn, info, debug, trace or off, or such a level for a target, as in info,access=warn"
)]
pub struct BadLevels {
    found: String,
}

/// The most that a text may ask for.
const TARGETS_MAX: usize = 64;

impl FromStr for Levels {
    type Err = BadLevels;

    fn from_str(text: &str) -> Result<Self, BadLevels> {
        // Not too much of it: it may come from anywhere.
        let bad = |found: &str| BadLevels { found: found.chars().take(80).collect() };
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.len() > TARGETS_MAX {
            return Err(bad(text));
        }
        let mut levels =
            Self { text: parts.join(","), targets: Vec::new(), others: LevelFilter::ERROR };
        for part in parts {
            match part.split_once('=') {
                None => levels.others = level(part).ok_or_else(|| bad(part))?,
                Some((target, name)) => {
                    let level = level(name).filter(|_| is_target(target));
                    levels.targets.push((target.to_owned(), level.ok_or_else(|| bad(part))?));
                }
            }
        }
        Ok(levels)
    }
}

/// A level by its name. tracing's own parser takes numbers too, and an empty name.
fn level(name: &str) -> Option<LevelFilter> {
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then(|| name.parse().ok()).flatten()
}

fn is_target(target: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"_:-.".contains(&byte);
    !target.is_empty() && target.bytes().all(is_fine)
}

impl Levels {
    /// What is wrong, and nothing else.
    #[must_use]
    pub fn warnings() -> Self {
        let (text, others) = ("warn".to_owned(), LevelFilter::WARN);
        Self { text, targets: Vec::new(), others }
    }

    pub(super) fn targets(&self) -> Targets {
        let targets = self.targets.iter().map(|(target, level)| (target.as_str(), *level));
        Targets::new().with_default(self.others).with_targets(targets)
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_and_written_alike() {
        for text in ["info", "off", "info,access=warn", "access=info,server::live=debug"] {
            assert_eq!(text.parse::<Levels>().unwrap().to_string(), text);
        }
        assert_eq!("INFO, a=warn".parse::<Levels>().unwrap().to_string(), "INFO,a=warn");
    }

    #[test]
    fn what_names_no_level_is_refused_with_what_was_found() {
        let check = |text: &str, found: &str| {
            let error = text.parse::<Levels>().unwrap_err();
            assert_eq!(error.found, found);
        };
        check("", "");
        check("loud", "loud");
        check("info,access", "access");
        check("info,access=", "access=");
        check("=info", "=info");
        check("3", "3");
        check("info,,warn", "");
        check("a\u{1b}=info", "a\u{1b}=info");
        check(&"a=info,".repeat(99), &"a=info,".repeat(99)[..80]);
    }
}
