//! Who asks: the session, the language, and the way back into a response.

use std::convert::Infallible;

use api::v1::event_entry::Entry;
use api::v1::{Event, EventEntry, EventKind};
use axum::extract::{FromRequest, FromRequestParts, OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use axum::{Form, RequestPartsExt as _};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::acts::event_id;
use crate::language::{Language, Words};
use crate::links::within_shop;
use crate::pages::wrong::{self, Wrong};
use crate::remembered::Who;
use crate::session::{Named, Role, Session};
use crate::settings::SignIn;
use crate::shop::{Shop, now};

/// Somebody who asks for a page.
pub(crate) struct Visitor {
    pub(crate) shop: Shop,
    pub(crate) session: Session,
    pub(crate) language: Language,
    /// What was asked for: path and query.
    pub(crate) address: String,
    /// What becomes of the answer.
    look: Look,
    /// A revision of the reader that this page has to reflect, beside that of the session.
    pub(crate) seen: i64,
    /// The session as its cookie has it.
    before: Option<Session>,
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Somebody looks at it.
    Now,
    /// A browser has fetched it ahead, and may show it.
    Perhaps,
    /// Only its headers were asked for.
    Never,
}

/// A form of our own that somebody sent: its token was that of their session.
pub(crate) struct Posted<T> {
    pub(crate) visitor: Visitor,
    /// Where to lead afterwards.
    pub(crate) back: String,
    pub(crate) fields: T,
}

/// The fields of every form.
#[derive(Deserialize)]
struct Fields<T> {
    #[serde(default)]
    token: String,
    #[serde(default)]
    back: String,
    #[serde(flatten)]
    own: T,
}

/// A form that says nothing but that it was sent.
#[derive(Deserialize)]
pub(crate) struct NoFields {}

impl Visitor {
    /// Who it is by what their browser sent; the header of a single sign-on decides.
    fn of(parts: &Parts, shop: &Shop) -> Result<Self, Box<Self>> {
        let before = shop.cookies.read(&parts.headers, now());
        let session = before.clone().unwrap_or_else(Session::begin);
        let language = session.language.unwrap_or_else(|| Language::accepted(&parts.headers));
        // Within nested routes the address would be cut.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        // Where a form was sent to is no page to come back to.
        let address = uri.path_and_query().filter(|_| parts.method == Method::GET);
        let address = address.map_or("/", |address| address.as_str());
        let address = within_shop(address).to_owned();
        let look = Look::of(parts);
        let shop = shop.clone();
        let mut visitor = Self { shop, session, language, address, look, seen: 0, before };
        let shop = visitor.shop.clone();
        let Some(single_sign_on) = &shop.single_sign_on else {
            // Who chose to be somebody in a demo is nobody once it is none.
            if shop.settings.sign_in == SignIn::None
                && (visitor.session.reader.is_some() || visitor.is_bookseller())
            {
                visitor.session = visitor.session.signed_out();
            }
            return Ok(visitor);
        };
        match single_sign_on.visitor(&parts.headers, now()) {
            Ok(Some(named)) if visitor.is(&named) => Ok(visitor),
            Ok(Some(Named { reader, role })) => {
                // No page waits for that.
                let events = visitor.begin_session_of(&reader);
                visitor.tell(events);
                visitor.session = visitor.session.with_role(role);
                Ok(visitor)
            }
            Ok(None) if visitor.reader().is_none() && !visitor.is_bookseller() => Ok(visitor),
            Ok(None) => {
                visitor.session = visitor.session.signed_out();
                Ok(visitor)
            }
            Err(unverified) => {
                tracing::warn!(why = %unverified, "the header of the single sign-on proves nothing");
                visitor.session = visitor.session.signed_out();
                Err(Box::new(visitor))
            }
        }
    }

    /// Begins a session of a reader, who gets what they did before they signed in: it counts on
    /// the next page, if the service answers.
    pub(crate) async fn sign_in(&mut self, reader: &str) {
        let events = self.begin_session_of(reader);
        self.session.forgotten = None;
        if events.is_empty() {
            return;
        }
        let entry = |event: &Event| EventEntry { entry: Some(Entry::Event(event.clone())) };
        match self.shop.service.record(events.iter().map(entry).collect()).await {
            Ok(results) => {
                for result in results {
                    self.session.has_seen(result.user_revision);
                }
            }
            Err(_) => self.tell(events),
        }
    }

    /// Begins a session of a reader; returns what they did before they signed in.
    fn begin_session_of(&mut self, reader: &str) -> Vec<Event> {
        let before = std::mem::replace(&mut self.session, Session::begin());
        self.session = before.signed_in(reader);
        let id = before.id.as_str();
        before.visit.events(reader, |kind, book| event_id(&format!("visit{kind}"), id, book))
    }

    /// Has events of the reader told, which nobody waits for: if they want to be forgotten, only
    /// what they meant to be known.
    pub(crate) fn tell(&self, mut events: Vec<Event>) {
        if self.reader().is_some_and(|reader| self.session.is_forgotten(reader)) {
            let is_of_looking = |kind| matches!(kind, EventKind::View | EventKind::Impression);
            events.retain(|event| !is_of_looking(event.kind()));
        }
        self.shop.outbox.put(events);
    }

    /// Whether somebody looks at the answer.
    pub(crate) fn is_looking(&self) -> bool {
        self.look == Look::Now
    }

    /// Whether only the headers of the answer are wanted.
    pub(crate) fn wants_headers_only(&self) -> bool {
        self.look == Look::Never
    }

    /// The revision of the reader that pages have to reflect.
    pub(crate) fn revision(&self) -> i64 {
        self.session.revision.max(self.seen)
    }

    pub(crate) fn words(&self) -> &'static Words {
        self.language.words()
    }

    pub(crate) fn reader(&self) -> Option<&str> {
        self.session.reader.as_deref()
    }

    /// Whether they may see the console.
    pub(crate) fn is_bookseller(&self) -> bool {
        self.session.role == Role::Admin
    }

    fn is(&self, named: &Named) -> bool {
        self.reader() == Some(&named.reader) && self.session.role == named.role
    }

    pub(crate) fn who(&self) -> Who {
        Who::of(&self.session)
    }

    /// A response that hands the session back.
    pub(crate) fn respond(self, response: impl IntoResponse) -> Response {
        let is_changed = self.before.as_ref() != Some(&self.session);
        if self.look == Look::Never || !is_changed && !self.session.is_due(now()) {
            return response.into_response();
        }
        (self.shop.cookies.write(&self.session, now()), response).into_response()
    }

    /// Leads to another address, after a form.
    pub(crate) fn see_other(self, address: &str) -> Response {
        let address = within_shop(address).to_owned();
        self.respond((StatusCode::SEE_OTHER, [(http::header::LOCATION, address)]))
    }

    /// Whether a form comes from a page of this session.
    pub(crate) fn has_sent(&self, token: &str) -> bool {
        self.shop.form_tokens.fits(&self.session.id, token)
    }
}

impl Look {
    fn of(parts: &Parts) -> Self {
        if parts.method == Method::HEAD {
            Self::Never
        } else if parts.headers.contains_key("sec-purpose") {
            Self::Perhaps
        } else {
            Self::Now
        }
    }
}

impl FromRequestParts<Shop> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Response> {
        let visitor = Self::of(parts, shop);
        visitor.map_err(|visitor| wrong::page(*visitor, &Wrong::SignOn))
    }
}

impl<T: DeserializeOwned> FromRequest<Shop> for Posted<T> {
    type Rejection = Response;

    async fn from_request(request: Request, shop: &Shop) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor: Visitor = parts.extract_with_state(shop).await?;
        let announced = parts.headers.get(CONTENT_LENGTH).cloned();
        let request = Request::from_parts(parts, body);
        let form = match Form::<Fields<T>>::from_request(request, &()).await {
            Ok(Form(form)) => form,
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                tracing::debug!(?announced, "a form is too large");
                return Err(wrong::page(visitor, &Wrong::TooLarge));
            }
            Err(rejection) => {
                return Err(wrong::page(visitor, &Wrong::Form(rejection.body_text())));
            }
        };
        if !visitor.has_sent(&form.token) {
            return Err(wrong::page(visitor, &Wrong::Expired));
        }
        let back = within_shop(&form.back).to_owned();
        Ok(Self { visitor, back, fields: form.own })
    }
}

/// What an address asks for after its question mark; what cannot be read is left out.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequestParts<Shop> for Asked<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shop) -> Result<Self, Infallible> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        Ok(Self(query.map(|query| query.0).unwrap_or_default()))
    }
}
