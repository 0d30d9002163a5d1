//! Values that nobody may read but whom they are for.

use std::fmt::{self, Debug, Formatter};

use serde::Deserialize;

/// A text that is never printed. By its name the reader of settings learns that it is secret.
#[derive(Clone, Default, Deserialize)]
#[serde(rename = "foreword::Secret")]
pub struct Secret(String);

impl Secret {
    /// The text itself, for whom it is meant.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Debug for Secret {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::from("open sesame".to_owned());
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.expose(), "open sesame");
    }
}
