//! Certificates and keys that cannot be used.

use rcgen::date_time_ymd;

use crate::Failure;
use crate::authority::{Authority, Pair};

/// What is wrong with a pair.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spoilt {
    KeyOfAnother,
    Expired,
    HalfACertificate,
    NoKey,
    ForClients,
}

impl Spoilt {
    pub(crate) const ALL: [Self; 5] =
        [Self::KeyOfAnother, Self::Expired, Self::HalfACertificate, Self::NoKey, Self::ForClients];

    /// A pair with that fault and no other.
    pub(crate) fn pair(self, authority: &Authority) -> Result<Pair, Failure> {
        let mut pair = authority.server()?;
        match self {
            Self::KeyOfAnother => pair.key = authority.server()?.key,
            Self::Expired => {
                let long_ago = date_time_ymd(2020, 1, 2);
                return authority.server_with(|params| params.not_after = long_ago);
            }
            Self::HalfACertificate => pair.certificate.truncate(pair.certificate.len() / 2),
            Self::NoKey => pair.key.clear(),
            Self::ForClients => return authority.client(),
        }
        Ok(pair)
    }
}
