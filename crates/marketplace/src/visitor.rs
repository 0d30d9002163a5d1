//! Who asks: the session, the language, and the way back into a response.

use std::convert::Infallible;

use api::v1::event_entry::Entry;
use api::v1::{Event, EventEntry, HistoryItem};
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
use crate::session::Session;
use crate::shop::{Shop, now};

/// Somebody who asks for a page.
pub(crate) struct Visitor {
    pub(crate) shop: Shop,
    pub(crate) session: Session,
    pub(crate) language: Language,
    /// What was asked for: path and query.
    pub(crate) address: String,
    /// The session as its cookie has it.
    before: Option<Session>,
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

impl Visitor {
    /// Who it is by what their browser sent; the header of a single sign-on decides.
    async fn of(parts: &Parts, shop: &Shop) -> Result<Self, Box<Self>> {
        let before = shop.cookies.read(&parts.headers, now());
        let session = before.clone().unwrap_or_else(Session::begin);
        let language = session.language.unwrap_or_else(|| Language::accepted(&parts.headers));
        // Within nested routes the address would be cut.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        // Where a form was sent to is no page to come back to.
        let address = uri.path_and_query().filter(|_| parts.method == Method::GET);
        let address = address.map_or("/", |address| address.as_str());
        let address = within_shop(address).to_owned();
        let mut visitor = Self { shop: shop.clone(), session, language, address, before };
        let Some(single_sign_on) = &shop.single_sign_on else { return Ok(visitor) };
        match single_sign_on.reader(&parts.headers, now()) {
            Ok(reader) if reader == visitor.session.reader => Ok(visitor),
            Ok(Some(reader)) => {
                visitor.sign_in(&reader).await;
                Ok(visitor)
            }
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

    /// Begins a session of a reader, who gets what they did before they signed in.
    pub(crate) async fn sign_in(&mut self, reader: &str) {
        let (visit, id) = (self.session.visit.history(), self.session.id.to_string());
        self.session = self.session.signed_in(reader);
        if visit.is_empty() {
            return;
        }
        // The visit has the latest first; events of one user count in their order.
        let events = visit.into_iter().rev().map(|item: HistoryItem| Event {
            event_id: event_id(&format!("visit{}", item.kind), &id, &item.book_id),
            user_id: reader.to_owned(),
            book_id: item.book_id,
            kind: item.kind,
            rating: item.rating,
            event_time: None,
            attribution_token: String::new(),
        });
        let events: Vec<Event> = events.collect();
        let entry = |event: &Event| EventEntry { entry: Some(Entry::Event(event.clone())) };
        match self.shop.service.record(events.iter().map(entry).collect()).await {
            Ok(results) => {
                for result in results {
                    self.session.has_seen(result.user_revision);
                }
            }
            Err(_) => self.shop.outbox.put(events),
        }
    }

    pub(crate) fn words(&self) -> &'static Words {
        self.language.words()
    }

    pub(crate) fn reader(&self) -> Option<&str> {
        self.session.reader.as_deref()
    }

    pub(crate) fn who(&self) -> Who {
        Who::of(&self.session)
    }

    /// A response that hands the session back.
    pub(crate) fn respond(self, response: impl IntoResponse) -> Response {
        let is_changed = self.before.as_ref() != Some(&self.session);
        if !is_changed && !self.session.is_due(now()) {
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

impl FromRequestParts<Shop> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Response> {
        let visitor = Self::of(parts, shop).await;
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
