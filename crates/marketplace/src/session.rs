//! What the shop knows of a visit: kept by the visitor, in one signed cookie.
//!
//! The shop keeps nothing itself, so any replica answers any visitor. A cookie that is not ours,
//! is cut, or is too old counts as none.
//!
//! Invariants:
//!
//! - Signing in or out begins a new session with an id of its own, so that nobody can plant one
//!   and find it signed in later.
//! - A cookie is at most [`COOKIE_BYTES_MAX`] long, since browsers drop longer ones.

mod form_token;
mod single_sign_on;

use axum_extra::extract::SignedCookieJar;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::done::Done;
use crate::language::Language;
use crate::links::digest;
use crate::random::{self, Id};
use crate::visit::Visit;

pub(crate) use self::form_token::FormTokens;
pub(crate) use self::single_sign_on::{Named, SingleSignOn};

/// The longest value of the cookie; with name, signature and attributes it stays below 4 KiB.
const COOKIE_BYTES_MAX: usize = 3600;

/// How long a session lasts that is not used.
const LIFETIME_SECONDS: i64 = 30 * 24 * 60 * 60;

/// How old a cookie is at most before it is written anew.
const RENEWAL_SECONDS: i64 = 24 * 60 * 60;

/// One visitor's session.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Session {
    /// Drawn; another one after each sign-in and sign-out.
    pub(crate) id: Id,
    /// When the cookie was written, in seconds since 1970.
    written: i64,
    /// Who is signed in: the shop's id of a reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reader: Option<String>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Role::is_reader")]
    pub(crate) role: Role,
    /// The revision of the reader that pages have to reflect.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) revision: i64,
    /// What an anonymous visitor did.
    #[serde(default, skip_serializing_if = "Visit::is_empty")]
    pub(crate) visit: Visit,
    /// What the visitor did last, to be told on the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) done: Option<Done>,
    /// The reader who was forgotten, as a digest: until they do something, nothing of them is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forgotten: Option<u64>,
    /// The language that was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Language>,
    /// The colours that were chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) theme: Option<Theme>,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// To look, and to act for themselves.
    #[default]
    Reader,
    /// To see and change how the shop recommends: the bookseller.
    Admin,
}

impl Role {
    /// By its name in the header of a single sign-on and in forms.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "reader" => Some(Self::Reader),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn is_reader(&self) -> bool {
        *self == Self::Reader
    }
}

/// Colours.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// Its name in the page.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How sessions are kept.
#[derive(Clone)]
pub(crate) struct Cookies {
    key: Key,
    name: &'static str,
    is_secure: bool,
}

impl Cookies {
    /// Signs with a key of at least 32 bytes; over TLS the name says that no other host and no
    /// plaintext page can have set it.
    pub(crate) fn new(key: &[u8], is_secure: bool) -> Self {
        let name = if is_secure { "__Host-foreword" } else { "foreword" };
        Self { key: Key::derive_from(key), name, is_secure }
    }

    /// The session of a request, if it has one that is ours and not too old.
    pub(crate) fn read(&self, headers: &HeaderMap, now: i64) -> Option<Session> {
        let jar = SignedCookieJar::from_headers(headers, self.key.clone());
        let cookie = jar.get(self.name)?;
        let bytes = URL_SAFE_NO_PAD.decode(cookie.value()).ok()?;
        let session: Session = serde_json::from_slice(&bytes).ok()?;
        (now - session.written < LIFETIME_SECONDS).then_some(session)
    }

    /// The header that hands a session to the visitor.
    pub(crate) fn write(&self, session: &Session, now: i64) -> SignedCookieJar {
        let mut session = Session { written: now, ..session.clone() };
        let mut value = encode(&session);
        while value.len() > COOKIE_BYTES_MAX && session.visit.forget_oldest() {
            value = encode(&session);
        }
        let cookie = Cookie::build((self.name, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure)
            .max_age(time::Duration::seconds(LIFETIME_SECONDS));
        SignedCookieJar::new(self.key.clone()).add(cookie)
    }
}

fn encode(session: &Session) -> String {
    let json = serde_json::to_vec(session).expect("a session is plain data");
    URL_SAFE_NO_PAD.encode(json)
}

impl Session {
    /// Of somebody who has just come.
    pub(crate) fn begin() -> Self {
        Self {
            id: random::id(),
            written: 0,
            reader: None,
            role: Role::Reader,
            revision: 0,
            visit: Visit::default(),
            done: None,
            forgotten: None,
            language: None,
            theme: None,
        }
    }

    /// The session after signing in: a new one, with the choices of the one before.
    pub(crate) fn signed_in(&self, reader: &str) -> Self {
        Self { reader: Some(reader.to_owned()), ..self.signed_out() }
    }

    /// The session of somebody with another role, a new one as well.
    pub(crate) fn with_role(&self, role: Role) -> Self {
        Self { role, id: random::id(), ..self.clone() }
    }

    /// The session after signing out: a new one, with the choices of the one before.
    pub(crate) fn signed_out(&self) -> Self {
        let Self { forgotten, language, theme, .. } = *self;
        Self { forgotten, language, theme, ..Self::begin() }
    }

    /// Whether the reader was forgotten and has done nothing since.
    pub(crate) fn is_forgotten(&self, reader: &str) -> bool {
        self.forgotten == Some(digest(reader))
    }

    /// Whether its cookie should be written anew, though nothing changed.
    pub(crate) fn is_due(&self, now: i64) -> bool {
        now - self.written > RENEWAL_SECONDS
    }

    /// Sees to it that later pages reflect a revision.
    pub(crate) fn has_seen(&mut self, revision: i64) {
        self.revision = self.revision.max(revision);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(revision: &i64) -> bool {
    *revision == 0
}

#[cfg(test)]
mod tests {
    use api::v1::EventKind;
    use axum::response::IntoResponse as _;
    use http::header::{COOKIE, SET_COOKIE};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn cookies(is_secure: bool) -> Cookies {
        Cookies::new(&[7; 32], is_secure)
    }

    /// The header that a browser is sent.
    fn sent(cookies: &Cookies, session: &Session) -> String {
        let response = (cookies.write(session, NOW), ()).into_response();
        response.headers()[SET_COOKIE].to_str().unwrap().to_owned()
    }

    /// The headers that it sends back.
    fn returned(sent: &str) -> HeaderMap {
        let pair = sent.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, pair.parse().unwrap())])
    }

    #[test]
    fn a_session_comes_back_as_it_went() {
        let cookies = cookies(false);
        let mut session = Session::begin().signed_in("ann");
        session.has_seen(7);
        session.has_seen(3);
        session.theme = Some(Theme::Dark);
        let headers = returned(&sent(&cookies, &session));
        let read = cookies.read(&headers, NOW).unwrap();
        assert_eq!(read, Session { written: NOW, ..session });
        assert_eq!(read.revision, 7);
        assert_eq!(cookies.read(&headers, NOW + LIFETIME_SECONDS), None);
    }

    #[test]
    fn a_cookie_that_is_not_ours_counts_as_none() {
        let cookies = cookies(false);
        let sent = sent(&cookies, &Session::begin().signed_in("ann"));
        assert_eq!(Cookies::new(&[8; 32], false).read(&returned(&sent), NOW), None);
        let forged = sent.replacen("foreword=", "foreword=A", 1);
        assert_eq!(cookies.read(&returned(&forged), NOW), None);
        assert_eq!(cookies.read(&returned("foreword=;"), NOW), None);
        assert_eq!(cookies.read(&HeaderMap::new(), NOW), None);
    }

    #[test]
    fn scripts_other_sites_and_plaintext_do_not_get_it() {
        let sent = |is_secure| sent(&cookies(is_secure), &Session::begin());
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(sent(false).contains(part), "{}", sent(false));
        }
        assert!(!sent(false).contains("Secure"));
        assert!(sent(true).contains("; Secure") && sent(true).starts_with("__Host-foreword="));
    }

    #[test]
    fn signing_in_and_out_begins_a_new_session_with_the_old_choices() {
        let before = Session { theme: Some(Theme::Dark), ..Session::begin() };
        let within = before.signed_in("ann").with_role(Role::Admin);
        let after = within.signed_out();
        assert!(before.id != within.id && within.id != after.id);
        assert_eq!((within.reader.as_deref(), after.reader.as_deref()), (Some("ann"), None));
        assert_eq!((within.role, after.role), (Role::Admin, Role::Reader));
        assert_eq!(after.theme, Some(Theme::Dark));
    }

    #[test]
    fn a_long_visit_fits_into_the_cookie() {
        let mut session = Session::begin();
        for number in 0..100 {
            let event = format!("buy-{number:039}");
            session.visit.add(&format!("{number:064}"), EventKind::Purchase, 0.0, &event);
        }
        let sent = sent(&cookies(true), &session);
        assert!(sent.len() < 4096, "{}", sent.len());
        let read = cookies(true).read(&returned(&sent), NOW).unwrap();
        assert_eq!(read.visit.history()[0].book_id, format!("{:064}", 99));
    }
}
