//! `[admin]`: the port for operators.

use serde::Deserialize;
use transport::Address;

/// The port for operators.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSection {
    /// Where to listen; nowhere if it is empty.
    #[serde(deserialize_with = "super::addresses")]
    pub listen: Vec<Address>,
}

impl AdminSection {
    /// Whether nobody has chosen the addresses.
    #[must_use]
    pub fn is_default(&self) -> bool {
        matches!(&*self.listen, [one] if one.to_string() == DEFAULT)
    }
}

/// As in the reference, which a test holds this to.
const DEFAULT: &str = "127.0.0.1:50052";

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    #[test]
    fn the_default_is_that_of_the_reference() {
        assert!(Settings::read(None).unwrap().admin.is_default());
    }
}
