//! What can be set of the shop: plain values, as they are read from `[marketplace]`.
//!
//! `settings.toml` is the reference: every key with its default and its meaning. Who reads it, and
//! from where, is the program's affair.

mod secret;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use transport::client::{Target, TargetError};
use transport::tls::{ClientIdentity, ClientTlsFiles, TlsFiles};
use transport::{Address, AddressError};

pub use self::secret::Secret;
use crate::links::within_shop;

/// Every key with its default and its meaning, as TOML.
pub const REFERENCE: &str = include_str!("settings.toml");

/// The variable by which the tutorial's shop finds the service.
pub const HOST_VARIABLE: &str = "RECOMMENDATIONS_HOST";

/// The port of the service where only its host is told.
const SERVICE_PORT: u16 = 50051;

/// A shorter key could be guessed.
const KEY_BYTES_MIN: usize = 32;

/// The service takes no longer slug of a category.
const SLUG_BYTES_MAX: usize = 64;

/// The table that everything is in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The shop.
    pub marketplace: Settings,
}

/// Everything that can be set of the shop; `settings.toml` says what each key means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to listen.
    pub listen: Vec<String>,
    /// The shop's name.
    pub title: String,
    /// Where the service is; empty for what the environment says.
    pub recommendations: String,
    /// Who resolves its host; empty for the system's name servers.
    pub name_servers: Vec<SocketAddr>,
    /// By which the service knows the shop; empty for none.
    pub api_key: Secret,
    /// What cookies are signed with; empty for one that is drawn.
    pub cookie_key: Secret,
    /// Who says who a visitor is.
    pub sign_in: SignIn,
    /// The header of the single sign-on.
    pub sign_in_header: String,
    /// What that header is signed with.
    pub sign_in_key: Secret,
    /// Where it signs visitors in; empty if no page leads there.
    pub sign_in_url: String,
    /// A proxy in front ends TLS.
    pub behind_tls: bool,
    /// Where pictures of covers may be loaded from.
    pub cover_origins: Vec<String>,
    /// The slugs of the categories for visitors of whom nothing is known.
    pub home_categories: Vec<String>,
    /// Books on a shelf.
    pub shelf_books: NonZeroU32,
    /// Books on a page of a list.
    pub page_books: NonZeroU32,
    /// How long a page waits for the service.
    pub page_timeout_ms: NonZeroU32,
    /// How long what a visitor does may take.
    pub act_timeout_ms: NonZeroU32,
    /// How long an import may take.
    pub import_timeout_ms: NonZeroU32,
    /// Pages that are remembered.
    pub remembered_pages: NonZeroUsize,
    /// Books that are remembered.
    pub remembered_books: NonZeroUsize,
    /// Events that may wait to be told.
    pub untold_events_max: NonZeroUsize,
    /// Certificates.
    pub tls: Tls,
}

/// Who says who a visitor is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SignIn {
    /// Nobody: all visitors are anonymous.
    None,
    /// A single sign-on in front, by a signed header.
    Header,
    /// Visitors themselves.
    Demo,
}

/// Certificates; empty texts stand for none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The shop's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of the service's certificate.
    pub authorities: PathBuf,
    /// What the shop shows to the service.
    pub client_certificate: PathBuf,
    /// Its key.
    pub client_key: PathBuf,
    /// The name in the service's certificate.
    pub server_name: String,
}

/// A value that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("bad settings: marketplace.{key}: {problem}")]
pub struct BadValue {
    key: &'static str,
    problem: String,
}

impl Settings {
    /// The defaults.
    ///
    /// # Panics
    ///
    /// Never: the reference is part of the crate, and a test reads it.
    #[must_use]
    pub fn reference() -> Self {
        let document: Document = toml::from_str(REFERENCE).expect("the reference is valid");
        document.marketplace
    }

    /// Holds every value that has a range or a form to it.
    ///
    /// # Errors
    ///
    /// [`BadValue`] names the first key at fault, with what was found and expected.
    pub fn check(&self) -> Result<(), BadValue> {
        let expect = |key, fits: bool, problem: &str| match fits {
            true => Ok(()),
            false => Err(BadValue { key, problem: problem.to_owned() }),
        };
        expect("listen", !self.listen.is_empty(), "is empty, expected at least one address")?;
        self.addresses()?;
        expect("title", !self.title.trim().is_empty(), "is empty, expected the shop's name")?;
        let is_ascii = self.api_key.expose().bytes().all(|byte| byte.is_ascii_graphic());
        expect("api_key", is_ascii, "is no key, expected one that `foreword keys create` printed")?;
        let is_long = |key: &Secret| key.expose().len() >= KEY_BYTES_MIN;
        let expected = "is too short, expected at least 32 bytes";
        expect("cookie_key", self.cookie_key.is_empty() || is_long(&self.cookie_key), expected)?;
        if self.sign_in == SignIn::Header {
            let expected =
                "is too short, expected at least 32 bytes, because sign_in is \"header\"";
            expect("sign_in_key", is_long(&self.sign_in_key), expected)?;
        }
        let name = http::HeaderName::try_from(&self.sign_in_header);
        expect("sign_in_header", name.is_ok(), "is no name of a header")?;
        let is_somewhere = self.sign_in_url.is_empty() || is_page(&self.sign_in_url);
        let expected =
            "expected \"https://…\" or a path such as \"/login\", not the shop's own page";
        expect("sign_in_url", is_somewhere, &format!("{:?}, {expected}", self.sign_in_url))?;
        let is_used = self.sign_in_url.is_empty() || self.sign_in == SignIn::Header;
        expect("sign_in_url", is_used, "is set, expected sign_in = \"header\" with it")?;
        for origin in &self.cover_origins {
            let expected = "expected origins such as \"https://covers.example.com\"";
            expect("cover_origins", is_origin(origin), &format!("{origin:?}, {expected}"))?;
        }
        let categories = self.home_categories.len();
        expect(
            "home_categories",
            categories <= 6,
            &format!("has {categories}, expected at most 6"),
        )?;
        for (place, slug) in self.home_categories.iter().enumerate() {
            let is_one = (1..=SLUG_BYTES_MAX).contains(&slug.len());
            let expected = format!("has {slug:?}, expected slugs of 1 to {SLUG_BYTES_MAX} bytes");
            expect("home_categories", is_one, &expected)?;
            let is_new = !self.home_categories[..place].contains(slug);
            expect("home_categories", is_new, &format!("has {slug:?} twice, expected it once"))?;
        }
        for (key, books) in [("shelf_books", self.shelf_books), ("page_books", self.page_books)] {
            expect(key, books.get() <= 60, &format!("is {books}, expected 1 to 60"))?;
        }
        let half = |one: &PathBuf, other: &PathBuf| {
            one.as_os_str().is_empty() != other.as_os_str().is_empty()
        };
        let tls = &self.tls;
        let both = "expected certificate and key, or neither";
        expect("tls.key", !half(&tls.certificate, &tls.key), both)?;
        expect("tls.client_key", !half(&tls.client_certificate, &tls.client_key), both)
    }

    /// Where to listen.
    ///
    /// # Errors
    ///
    /// [`BadValue`] if a text is no address.
    pub fn addresses(&self) -> Result<Vec<Address>, BadValue> {
        let bad = |error: AddressError| BadValue { key: "listen", problem: error.to_string() };
        self.listen.iter().map(|text| text.parse().map_err(bad)).collect()
    }

    /// Where the service is, if the environment names `host`.
    ///
    /// # Errors
    ///
    /// [`BadValue`] if that is no address.
    pub fn target(&self, host: Option<&str>) -> Result<Target, BadValue> {
        let bad =
            |error: TargetError| BadValue { key: "recommendations", problem: error.to_string() };
        if !self.recommendations.is_empty() {
            return self.recommendations.parse().map_err(bad);
        }
        let host = host.filter(|host| !host.is_empty()).unwrap_or("localhost");
        let scheme = if self.tls.authorities.as_os_str().is_empty() { "http" } else { "https" };
        format!("{scheme}://{host}:{SERVICE_PORT}").parse().map_err(|error: TargetError| BadValue {
            key: "recommendations",
            problem: format!("{HOST_VARIABLE} is {host:?}: {error}"),
        })
    }

    /// Says so if the key would be sent for everybody on the way to read.
    pub(crate) fn warn_of_a_key_in_the_clear(&self, host: Option<&str>) -> Result<(), BadValue> {
        let target = self.target(host)?.to_string();
        let is_open = |place: &str| {
            let name = place.trim().strip_prefix("http://");
            let here = ["localhost", "127.", "[::1]"];
            name.is_some_and(|name| !here.iter().any(|own| name.starts_with(own)))
        };
        if !self.api_key.is_empty() && target.split(',').any(is_open) {
            tracing::warn!(
                "marketplace.api_key is sent to {target} in the clear; marketplace.tls.authorities makes it TLS"
            );
        }
        Ok(())
    }

    /// How long a page waits for the service.
    #[must_use]
    pub fn page_timeout(&self) -> Duration {
        milliseconds(self.page_timeout_ms)
    }

    /// How long what a visitor does may take.
    #[must_use]
    pub fn act_timeout(&self) -> Duration {
        milliseconds(self.act_timeout_ms)
    }

    /// How long an import may take.
    #[must_use]
    pub fn import_timeout(&self) -> Duration {
        milliseconds(self.import_timeout_ms)
    }

    /// Books on a page, as the service is asked for them.
    pub(crate) fn page_size(&self) -> i32 {
        i32::try_from(self.page_books.get()).unwrap_or(i32::MAX)
    }

    /// Whether visitors come over TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.behind_tls || self.tls.files().is_some()
    }
}

impl Tls {
    /// The shop's own certificate, if it has one.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        let files = || TlsFiles {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            client_ca: None,
        };
        (!self.certificate.as_os_str().is_empty()).then(files)
    }

    /// Whom the shop trusts to be the service, and who it says it is.
    #[must_use]
    pub fn client_files(&self) -> Option<ClientTlsFiles> {
        if self.authorities.as_os_str().is_empty() {
            return None;
        }
        let identity = (!self.client_certificate.as_os_str().is_empty()).then(|| ClientIdentity {
            certificate: self.client_certificate.clone(),
            key: self.client_key.clone(),
        });
        Some(ClientTlsFiles { authorities: self.authorities.clone(), identity })
    }
}

/// A scheme and a host, as a policy of contents names them; nothing that could end one.
fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://") else { return false };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    !host.is_empty() && host.bytes().all(fits)
}

/// An address where visitors may be sent to sign in: of the web, or a path of this host that is not
/// the page that sends them.
fn is_page(text: &str) -> bool {
    let is_of_web = |uri: http::Uri| uri.scheme_str() == Some("https") && uri.host().is_some();
    let is_own = text.split(['?', '#']).next() == Some("/sign-in");
    (text == within_shop(text) && !is_own) || text.parse().is_ok_and(is_of_web)
}

fn milliseconds(value: NonZeroU32) -> Duration {
    Duration::from_millis(value.get().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: fn(&mut Settings), expected: &str) {
        let mut settings = Settings::reference();
        change(&mut settings);
        assert_eq!(settings.check().unwrap_err().to_string(), format!("bad settings: {expected}"));
    }

    #[test]
    fn the_reference_is_valid() {
        let settings = Settings::reference();
        settings.check().unwrap();
        assert_eq!(settings.title, "Online Books For You");
        assert_eq!(settings.sign_in, SignIn::None);
        assert!(!settings.is_secure());
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        check(
            |settings| settings.listen = vec!["localhost".to_owned()],
            "marketplace.listen: \"localhost\" is no address: expected 127.0.0.1:50051, \
             [::1]:50051, unix:/path or systemd",
        );
        check(
            |settings| settings.cookie_key = Secret::from("short".to_owned()),
            "marketplace.cookie_key: is too short, expected at least 32 bytes",
        );
        check(
            |settings| settings.sign_in = SignIn::Header,
            "marketplace.sign_in_key: is too short, expected at least 32 bytes, because sign_in \
             is \"header\"",
        );
        for address in [
            "javascript:alert(1)",
            "//evil.example",
            "http://login.example",
            "/sign-in?to=b",
            "login",
        ] {
            let mut settings = Settings::reference();
            settings.sign_in = SignIn::Header;
            settings.sign_in_key = Secret::from("0123456789abcdef0123456789abcdef".to_owned());
            settings.sign_in_url = address.to_owned();
            let found = settings.check().unwrap_err().to_string();
            // Named, with what was found.
            assert!(found.contains(&format!("sign_in_url: {address:?}, expected")), "{found}");
            for address in ["https://login.example/?to=shop", "/login", ""] {
                settings.sign_in_url = address.to_owned();
                settings.check().unwrap();
            }
        }
        check(
            |settings| settings.sign_in_url = "/login".to_owned(),
            "marketplace.sign_in_url: is set, expected sign_in = \"header\" with it",
        );
        check(
            |settings| settings.cover_origins = vec!["https://a; script-src *".to_owned()],
            "marketplace.cover_origins: \"https://a; script-src *\", expected origins such as \
             \"https://covers.example.com\"",
        );
        check(
            |settings| settings.home_categories = vec!["poetry".to_owned(), String::new()],
            "marketplace.home_categories: has \"\", expected slugs of 1 to 64 bytes",
        );
        check(
            |settings| {
                settings.home_categories =
                    ["poetry", "travel", "poetry"].map(str::to_owned).to_vec();
            },
            "marketplace.home_categories: has \"poetry\" twice, expected it once",
        );
        check(
            |settings| settings.tls.certificate = "shop.pem".into(),
            "marketplace.tls.key: expected certificate and key, or neither",
        );
    }

    #[test]
    fn the_service_is_found_as_the_tutorial_finds_it() {
        let mut settings = Settings::reference();
        let target = |settings: &Settings, host| settings.target(host).unwrap().to_string();
        assert_eq!(target(&settings, None), "http://localhost:50051");
        assert_eq!(target(&settings, Some("recommendations")), "http://recommendations:50051");
        settings.tls.authorities = "ca.pem".into();
        assert_eq!(target(&settings, Some("recommendations")), "https://recommendations:50051");
        settings.recommendations = "unix:/run/foreword.sock".to_owned();
        assert_eq!(target(&settings, Some("elsewhere")), "unix:/run/foreword.sock");
        let error = Settings::reference().target(Some("a b")).unwrap_err().to_string();
        assert!(error.contains("RECOMMENDATIONS_HOST is \"a b\""), "{error}");
    }
}
