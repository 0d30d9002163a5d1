//! Settings as a service hands them to another process of the same program: what somebody set,
//! wherever that was, as one line of JSON. All else has the defaults of that program.

use super::source::Source;
use super::{Problem, Problems, Settings, SettingsError, Sources};

/// Where values come from that were handed over, in the words of an error.
pub(super) const HANDED: &str = "the settings of the service";

impl Settings {
    /// What was set, as a line. Secrets are in it: it belongs in a pipe and nowhere else. What was
    /// changed since the settings were read is not.
    pub(crate) fn to_line(&self) -> serde_json::Result<String> {
        let is_set =
            |source: &Source| !matches!(source, Source::Default | Source::Preset | Source::Tuned);
        let entries = self.origin.layers.entries.iter();
        let set = entries.filter(|(_, entry)| is_set(&entry.source));
        serde_json::to_string(&set.map(|(path, entry)| (path, &entry.value)).collect::<Vec<_>>())
    }

    /// The settings that such a line tells of, whatever files and variables say.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the line is none, or of a program with other settings.
    pub(crate) fn of_line(line: &str) -> Result<Self, SettingsError> {
        match serde_json::from_str(line) {
            Ok(handed) => Sources { handed, ..Sources::default() }.read(),
            Err(error) => {
                let mut problems = Problems::default();
                problems.push(Problem::Other(format!("{HANDED}: {error}")));
                Err(SettingsError(problems))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_reads_the_same_settings_and_the_same_secrets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "[train]\npreset = \"fast\"\nneighbours = 77\nuser_exponent = 1\n\
            [tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_ca = \"c\"\n\
            [access.certificates]\n\"dns:shop.example\" = [\"reader\"]\n\
            [transport]\nweb_origins = [\"http://a.example\", \"http://b.example\"]\n";
        std::fs::write(file.path(), text).unwrap();
        let secret = "postgres://ann:p%22%0A%C3%A9@localhost/shop".to_owned();
        let variable = ("FOREWORD_STORE__DATABASE".into(), secret.clone().into());
        let mut sources = Sources::new(Some(file.path()), [variable]);
        sources.set("weights.view=0.1");
        let settings = sources.read().unwrap();
        let line = settings.to_line().unwrap();
        assert!(!line.contains('\n'), "{line}");
        let read = Settings::of_line(&line).unwrap();
        let values = |settings: &Settings| {
            let shown = settings.shown().into_iter();
            shown.map(|one| (one.key, one.value, one.is_default)).collect::<Vec<_>>()
        };
        assert_eq!(values(&read), values(&settings));
        assert_eq!(read.store.database.expose(), secret);
        assert_eq!(read.train.engine(), settings.train.engine());
        // What nobody has set, tuning may.
        let tuned = |settings: &Settings| settings.with_tuned("[train]\nfactors = 99").unwrap();
        assert_eq!(tuned(&read).train.engine(), tuned(&settings).train.engine());
    }

    #[test]
    fn a_line_of_something_else_is_refused_without_its_values() {
        let refused = |line: &str| Settings::of_line(line).unwrap_err().to_string();
        assert!(refused("").starts_with("bad settings: the settings of the service: "));
        let other = refused(r#"[[["train","neighbour"],3]]"#);
        assert!(
            other.contains("unknown key train.neighbour in the settings of the ser"),
            "{other}"
        );
        let secret = refused(r#"[[["store","database"],"hunter2"]]"#);
        assert!(secret.contains("store.database") && !secret.contains("hunter2"), "{secret}");
    }
}
