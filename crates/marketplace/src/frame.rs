//! What stands around every page: head, menu, notices and foot.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use crate::done::{Done, Notice};
use crate::language::{Language, Words, fill};
use crate::links;
use crate::random;
use crate::session::Theme;
use crate::settings::SignIn;
use crate::visitor::Visitor;

/// Categories in the menu.
const MENU_CATEGORIES: usize = 8;

/// The frame of one page.
pub(crate) struct Frame {
    /// The title of the document.
    pub(crate) title: String,
    pub(crate) shop_title: String,
    pub(crate) words: &'static Words,
    pub(crate) language: Language,
    pub(crate) theme: Option<Theme>,
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
    pub(crate) reader: Option<String>,
    /// The bookseller, who sees the console.
    pub(crate) is_bookseller: bool,
    /// Where one signs in, if anything leads there.
    pub(crate) sign_in: Option<Link>,
    pub(crate) is_signed_in: bool,
    signs_in: SignIn,
    /// The service is away: what is shown is remembered.
    pub(crate) is_away: bool,
    pub(crate) categories: Vec<Link>,
    /// What became of a search, for those who do not see it.
    pub(crate) told: String,
    /// What is in the field of the search.
    pub(crate) query: String,
    /// The token of this page's forms.
    pub(crate) token: String,
    /// Names this page in its forms.
    pub(crate) page: String,
    /// Where forms lead back to.
    pub(crate) back: String,
    pub(crate) notice: Option<Notice>,
}

/// A text that leads somewhere.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) href: String,
}

impl Frame {
    /// The frame of a page; what was done last is told once.
    pub(crate) fn of(visitor: &mut Visitor, title: &str) -> Self {
        let words = visitor.words();
        let settings = &visitor.shop.settings;
        let categories = visitor.shop.remembered.categories();
        let categories = categories.iter().take(MENU_CATEGORIES).map(|category| Link {
            text: words.category(&category.slug, &category.title).to_owned(),
            href: links::category(&category.slug),
        });
        let done = match visitor.is_looking() {
            true => visitor.session.done.take(),
            false => None,
        };
        let page = match &done {
            Some(Done::Failed { page: Some(page) }) => page.clone(),
            _ => random::id().to_string(),
        };
        let reader = visitor.session.reader.clone();
        let is_bookseller = visitor.is_bookseller();
        let sign_in = match settings.sign_in {
            SignIn::Demo => "/sign-in",
            SignIn::Header => &settings.sign_in_url,
            SignIn::None => "",
        };
        let sign_in = Link { text: words.shop.sign_in.clone(), href: sign_in.to_owned() };
        Self {
            title: match title {
                "" => settings.title.clone(),
                title => format!("{title} · {}", settings.title),
            },
            shop_title: settings.title.clone(),
            words,
            language: visitor.language,
            theme: visitor.session.theme,
            style: visitor.shop.assets.style().to_owned(),
            script: visitor.shop.assets.script().to_owned(),
            icon: visitor.shop.assets.icon().to_owned(),
            sign_in: (!sign_in.href.is_empty()).then_some(sign_in),
            is_signed_in: reader.is_some() || is_bookseller,
            is_bookseller,
            signs_in: settings.sign_in,
            is_away: false,
            categories: categories.collect(),
            told: String::new(),
            query: String::new(),
            token: visitor.shop.form_tokens.token(&visitor.session.id),
            page,
            back: visitor.address.clone(),
            notice: done.map(|done| done.notice(words, reader.as_deref())),
            reader,
        }
    }

    /// Whether visitors choose who they are.
    pub(crate) fn is_demo(&self) -> bool {
        self.signs_in == SignIn::Demo
    }

    /// What is said to somebody who has to sign in: `text` where a link leads there, else who does
    /// it instead.
    pub(crate) fn asks_to_sign_in<'a>(&'a self, text: &'a str) -> &'a str {
        if self.sign_in.is_some() { text } else { self.nothing_leads_there() }
    }

    /// Why nothing here leads to where one signs in.
    pub(crate) fn nothing_leads_there(&self) -> &str {
        let texts = &self.words.sign_in;
        match self.signs_in {
            SignIn::Header => &texts.elsewhere,
            SignIn::Demo | SignIn::None => &texts.off,
        }
    }

    /// Every language with whether it is this page's.
    pub(crate) fn languages(&self) -> Vec<(Language, bool)> {
        Language::all().map(|one| (one, one == self.language)).collect()
    }

    /// Every choice of colours, by its name in forms and in words, with whether it is this page's.
    pub(crate) fn themes(&self) -> [(&'static str, &str, bool); 3] {
        let shop = &self.words.shop;
        [
            ("", shop.theme_device.as_str(), self.theme.is_none()),
            ("light", shop.theme_light.as_str(), self.theme == Some(Theme::Light)),
            ("dark", shop.theme_dark.as_str(), self.theme == Some(Theme::Dark)),
        ]
    }

    pub(crate) fn signed_in(&self) -> Option<String> {
        let Some(reader) = &self.reader else {
            return self.is_bookseller.then(|| self.words.console.signed_in.clone());
        };
        Some(fill(&self.words.shop.signed_in, &[("reader", reader)]))
    }
}

/// A page as a response.
pub(crate) fn show(visitor: Visitor, status: StatusCode, page: &impl askama::Template) -> Response {
    match page.render() {
        Ok(html) => visitor.respond((status, Html(html))),
        // Only a value that cannot be written fails, and none of ours does.
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
