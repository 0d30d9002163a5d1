//! `/sign-in`: in a demo, visitors choose a reader; elsewhere the shop's single sign-on says who
//! they are, and this page says so.

use api::v1::{ListUsersRequest, UserSummary};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::wrong::{self, Wrong};
use crate::done::Done;
use crate::frame::{self, Frame};
use crate::language::{Words, fill};
use crate::links;
use crate::service::is_id;
use crate::session::Role;
use crate::settings::SignIn;
use crate::visitor::{Asked, NoFields, Posted, Visitor};

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Query {
    /// Asks for the next page.
    #[serde(default)]
    after: String,
}

/// The fields of the form.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    reader: String,
    /// `admin` for the bookseller, who is nobody's reader.
    #[serde(default)]
    role: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    frame: Frame,
    already: Option<String>,
    text: Option<String>,
    readers: Vec<Reader>,
    next: Option<String>,
}

/// A reader to choose.
struct Reader {
    id: String,
    name: String,
    books: String,
    likes: Option<String>,
}

/// `GET /sign-in`.
pub(crate) async fn page(mut visitor: Visitor, Asked(query): Asked<Query>) -> Response {
    let words = visitor.words();
    let shop = visitor.shop.clone();
    let sign_in = shop.settings.sign_in;
    let (mut readers, mut next, mut is_away) = (Vec::new(), None, false);
    if sign_in == SignIn::Demo {
        let page_size = shop.settings.page_size();
        let request = ListUsersRequest { page_size, page_token: query.after };
        match shop.service.list_users(request).await {
            Ok(listed) => {
                readers.extend(listed.users.iter().map(|user| reader(user, words)));
                let token = listed.next_page_token;
                let address = || links::with_query("/sign-in".to_owned(), &[("after", &token)]);
                next = (!token.is_empty()).then(address);
            }
            Err(_) => is_away = true,
        }
    }
    let already = visitor.reader();
    let already = already.map(|reader| fill(&words.sign_in.already, &[("reader", reader)]));
    let mut frame = Frame::of(&mut visitor, &words.sign_in.title);
    frame.is_away = is_away;
    let text = frame.sign_in.is_none().then(|| frame.nothing_leads_there().to_owned());
    frame::show(visitor, StatusCode::OK, &Page { frame, already, text, readers, next })
}

fn reader(user: &UserSummary, words: &Words) -> Reader {
    let texts = &words.sign_in;
    let liked = user.favourite_categories.iter();
    let liked: Vec<&str> =
        liked.map(|category| words.category(&category.slug, &category.title)).collect();
    let categories = words.list(&liked);
    Reader {
        id: user.user_id.clone(),
        name: fill(&texts.choose, &[("reader", &user.user_id)]),
        books: words.books(user.book_count),
        likes: (!liked.is_empty()).then(|| fill(&texts.likes, &[("categories", &categories)])),
    }
}

/// `POST /sign-in`.
pub(crate) async fn sign_in(posted: Posted<Fields>) -> Response {
    let Posted { mut visitor, fields, .. } = posted;
    if visitor.shop.settings.sign_in != SignIn::Demo {
        return wrong::page(visitor, &Wrong::NotFound);
    }
    if Role::named(&fields.role) == Some(Role::Admin) {
        visitor.session = visitor.session.signed_out().with_role(Role::Admin);
        return visitor.see_other("/console");
    }
    let reader = fields.reader.trim();
    if !is_id(reader) {
        return wrong::page(visitor, &Wrong::Form("reader".to_owned()));
    }
    visitor.sign_in(reader).await;
    visitor.session.done = Some(Done::SignedIn);
    visitor.see_other("/")
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(posted: Posted<NoFields>) -> Response {
    let Posted { mut visitor, .. } = posted;
    if visitor.shop.settings.sign_in != SignIn::Demo {
        return wrong::page(visitor, &Wrong::NotFound);
    }
    visitor.session = visitor.session.signed_out();
    visitor.session.done = Some(Done::SignedOut);
    visitor.see_other("/")
}
