//! The environment's variables: `FOREWORD_SECTION__KEY`.

use figment::providers::Env;

use super::{REFERENCE, SettingsError};

const PREFIX: &str = "FOREWORD_";

/// The settings in the environment. Other variables of this program, such as
/// `FOREWORD_DATA_DIR`, have no section.
pub(super) fn provider() -> Env {
    Env::prefixed(PREFIX).filter(|key| key.as_str().contains("__")).split("__")
}

/// Refuses a variable that looks like a setting but for its one underscore. Others with this
/// program's prefix are left alone: Kubernetes makes some for a service of that name.
pub(super) fn check() -> Result<(), SettingsError> {
    std::env::vars_os().try_for_each(|(name, _)| check_name(&name.to_string_lossy()))
}

fn check_name(name: &str) -> Result<(), SettingsError> {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    for section in sections() {
        let section = section.to_uppercase();
        let key = rest.strip_prefix(&section).and_then(|rest| rest.strip_prefix('_'));
        if let Some(key) = key.filter(|key| !key.starts_with('_')) {
            return Err(SettingsError::Invalid(format!(
                "environment variable {name}, expected {PREFIX}{section}__{key} with two underscores"
            )));
        }
    }
    Ok(())
}

/// The tables of the reference.
fn sections() -> impl Iterator<Item = &'static str> {
    REFERENCE.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
}

#[cfg(test)]
mod tests {
    use figment::providers::{Format, Toml};
    use figment::{Profile, Provider};

    use super::*;

    #[test]
    fn the_sections_are_those_of_the_reference() {
        let parsed = Toml::string(REFERENCE).data().unwrap().remove(&Profile::Default).unwrap();
        let mut found: Vec<_> = sections().collect();
        found.sort_unstable();
        assert!(found.contains(&"executor"), "{found:?}");
        assert_eq!(found, parsed.keys().collect::<Vec<_>>());
    }

    #[test]
    fn one_underscore_for_two_is_refused_and_other_names_are_not() {
        let check = |name: &str, expected: &str| {
            let error = check_name(name).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check("FOREWORD_TRAIN_NEIGHBOURS", "expected FOREWORD_TRAIN__NEIGHBOURS with two");
        check("FOREWORD_EXECUTOR_JOBS_MAX", "expected FOREWORD_EXECUTOR__JOBS_MAX with two");
        let others = ["FOREWORD_TRAIN__NEIGHBOURS", "FOREWORD_LOG", "FOREWORD_PORT", "PATH"];
        for name in others {
            check_name(name).unwrap();
        }
    }
}
