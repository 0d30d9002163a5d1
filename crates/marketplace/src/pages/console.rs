//! `/console`: what the service does now, for the bookseller; kept current by server-sent events
//! where there are scripts.

mod acceptance;
mod live;
mod models;
mod stalls;
mod try_it;

use std::convert::Infallible;

use askama::Template;
use axum::Router;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt as _};
use http::StatusCode;
use serde::Deserialize;

use self::live::Live;
use super::wrong::{self, Wrong};
use crate::frame::{self, Frame, Link};
use crate::language::Words;
use crate::shop::Shop;
use crate::visitor::{Asked, Visitor};

/// Every address of the bookseller, closed to everybody else.
pub(super) fn router(shop: &Shop) -> Router<Shop> {
    Router::new()
        .route("/console", get(page))
        .route("/console/live", get(follow))
        .route("/console/stalls", get(stalls::page))
        .route("/console/models", get(models::page))
        .route("/console/models/activate", post(models::activate))
        .route("/console/models/roll-back", post(models::roll_back))
        .route("/console/models/train", post(models::train))
        .route("/console/models/stop", post(models::stop))
        .route("/console/models/training", get(models::follow))
        .route("/console/try", get(try_it::page).post(try_it::change))
        .route("/console/acceptance", get(acceptance::page))
        .route_layer(from_fn_with_state(shop.clone(), only_the_bookseller))
}

/// Refuses whoever is not the bookseller.
async fn only_the_bookseller(
    visitor: Visitor,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    match visitor.is_bookseller() {
        true => next.run(request).await,
        false => wrong::page(visitor, &Wrong::NotBookseller),
    }
}

/// The bookseller's pages, with which of them it is.
pub(super) fn tabs(words: &Words, current: &str) -> Vec<(Link, bool)> {
    let texts = &words.console;
    let tab = |(href, text): (&str, &String)| {
        let link = Link { text: text.clone(), href: href.to_owned() };
        (link, href == current)
    };
    let tabs = [
        ("/console", &texts.tab_now),
        ("/console/try", &texts.tab_try),
        ("/console/models", &texts.tab_models),
        ("/console/acceptance", &texts.tab_acceptance),
        ("/console/stalls", &texts.tab_stalls),
    ];
    tabs.map(tab).to_vec()
}

/// What the address says.
#[derive(Default, Deserialize)]
struct Query {
    /// `off` if the page is to stay as it is.
    #[serde(default)]
    live: String,
}

#[derive(Template)]
#[template(path = "console.html")]
struct Page {
    frame: Frame,
    tabs: Vec<(Link, bool)>,
    live_script: String,
    is_live: bool,
    live: Live,
}

/// `GET /console`.
async fn page(mut visitor: Visitor, Asked(query): Asked<Query>) -> Response {
    let words = visitor.words();
    let shop = visitor.shop.clone();
    let live = Live::new(&*shop.figures.now().await, words);
    let frame = Frame::of(&mut visitor, &words.console.title);
    let page = Page {
        frame,
        tabs: tabs(words, "/console"),
        live_script: shop.assets.live_script().to_owned(),
        is_live: query.live != "off",
        live,
    };
    frame::show(visitor, StatusCode::OK, &page)
}

/// `GET /console/live`: the changing part of the page, again and again.
async fn follow(visitor: Visitor) -> Response {
    let words = visitor.words();
    let Some(moments) = visitor.shop.figures.follow() else {
        let text = Notice { text: &words.console.too_many };
        return fragment(StatusCode::SERVICE_UNAVAILABLE, &text);
    };
    events(moments.map(move |moment| Live::new(&moment, words))).into_response()
}

#[derive(Template)]
#[template(source = "<p class=\"away\" role=\"status\">{{ text }}</p>", ext = "html")]
struct Notice<'a> {
    text: &'a str,
}

/// A part of a page.
fn fragment(status: StatusCode, part: &impl Template) -> Response {
    (status, Html(part.render().unwrap_or_default())).into_response()
}

/// Parts of a page as they come, each in place of the one before.
fn events<T: Template>(
    parts: impl Stream<Item = T> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    Sse::new(self::parts(parts)).keep_alive(KeepAlive::default())
}

fn parts<T: Template>(
    parts: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    parts.map(|part: T| Ok(Event::default().data(part.render().unwrap_or_default())))
}
