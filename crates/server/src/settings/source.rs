//! Where settings come from: flags, over them nothing; then the environment, the file, and the
//! reference; or else what a service hands to a process of its own, over the reference. What is read again on SIGHUP is the same [`Sources`].

use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Value;

use super::handed::HANDED;
use super::reference::KeyPath;
use super::text::{plain, quoted_path};

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The reference.
    Default,
    /// What `train.preset` stands for.
    Preset,
    /// Chosen by tuning, and kept with the active model.
    Tuned,
    /// A settings file.
    File {
        /// Its path.
        path: Arc<Path>,
        /// The line of the key, from 1.
        line: usize,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
        /// The file that it names, if its name ends in `_FILE`.
        file: Option<PathBuf>,
    },
    /// Another process of this program, which handed it over.
    Handed,
    /// A flag of the command line, such as `--listen`.
    Flag {
        /// Its name.
        name: &'static str,
    },
}

impl Source {
    /// The place in the words of an error; empty for the reference.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Default => String::new(),
            Self::Preset => "train.preset".to_owned(),
            Self::Tuned => "the active model, tuned".to_owned(),
            Self::File { path, line } => format!("{} line {line}", quoted_path(path)),
            Self::Variable { name, file: None } => format!("the variable {}", plain(name)),
            Self::Variable { name, file: Some(file) } => {
                format!("{}, named by the variable {}", quoted_path(file), plain(name))
            }
            Self::Handed => HANDED.to_owned(),
            Self::Flag { name } => (*name).to_owned(),
        }
    }
}

impl Display for Source {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Preset => formatter.write_str("preset"),
            Self::Tuned => formatter.write_str("tuned"),
            Self::File { path, line } => write!(formatter, "{}:{line}", quoted_path(path)),
            Self::Variable { name, file: None } => formatter.write_str(&plain(name)),
            Self::Variable { name, file: Some(file) } => {
                write!(formatter, "{} ({})", plain(name), quoted_path(file))
            }
            Self::Handed => formatter.write_str(HANDED),
            Self::Flag { name } => formatter.write_str(name),
        }
    }
}

/// What settings are read from. [`Sources::read`] may be called again: files may have changed.
#[derive(Clone, Default)]
pub struct Sources {
    pub(super) file: Option<PathBuf>,
    pub(super) variables: Vec<(OsString, OsString)>,
    /// What another process handed over.
    pub(super) handed: Vec<(KeyPath, Value)>,
    pub(super) assignments: Vec<String>,
    pub(super) flags: Vec<Flag>,
}

/// A flag that stands for a list of texts.
#[derive(Clone)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) key: &'static str,
    pub(super) values: Vec<String>,
}

impl Sources {
    /// The environment of this process, and `file` if there is one.
    #[must_use]
    pub fn of_process(file: Option<&Path>) -> Self {
        Self::new(file, std::env::vars_os())
    }

    /// These variables, and `file` if there is one.
    #[must_use]
    pub fn new(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let ours = |(name, _): &(OsString, OsString)| {
            name.to_string_lossy().starts_with(super::environment::PREFIX)
        };
        Self {
            file: file.map(Path::to_owned),
            variables: variables.into_iter().filter(ours).collect(),
            ..Self::default()
        }
    }

    /// Adds what `--set SECTION.KEY=VALUE` says; a later one replaces an earlier one.
    pub fn set(&mut self, assignment: impl Into<String>) {
        self.assignments.push(assignment.into());
    }

    /// Puts `values` of the flag `name` over every other value of a key that is a list of texts.
    pub fn flag(&mut self, name: &'static str, key: &'static str, values: Vec<String>) {
        self.flags.push(Flag { name, key, values });
    }

    /// The settings file, if there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

/// Names only: values may be secret.
impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let variables: Vec<_> = self.variables.iter().map(|(name, _)| name).collect();
        formatter
            .debug_struct("Sources")
            .field("file", &self.file)
            .field("variables", &variables)
            .field("assignments", &self.assignments.len())
            .finish_non_exhaustive()
    }
}
