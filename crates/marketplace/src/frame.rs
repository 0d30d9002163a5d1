//! What stands around every page: head, menu, notices and foot.

use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

use crate::acts::{Act, Done};
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
    pub(crate) shop: String,
    pub(crate) words: &'static Words,
    pub(crate) language: Language,
    pub(crate) theme: Option<Theme>,
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
    pub(crate) reader: Option<String>,
    /// The bookseller, who sees the console.
    pub(crate) is_bookseller: bool,
    pub(crate) can_sign_in: bool,
    pub(crate) can_sign_out: bool,
    pub(crate) is_demo: bool,
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

/// What became of what the visitor did.
pub(crate) struct Notice {
    pub(crate) text: String,
    /// What takes it back: the button's value and the event.
    pub(crate) undo: Option<(String, String)>,
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
        let is_signed_in = reader.is_some() || is_bookseller;
        Self {
            title: match title {
                "" => settings.title.clone(),
                title => format!("{title} · {}", settings.title),
            },
            shop: settings.title.clone(),
            words,
            language: visitor.language,
            theme: visitor.session.theme,
            style: visitor.shop.assets.style().to_owned(),
            script: visitor.shop.assets.script().to_owned(),
            icon: visitor.shop.assets.icon().to_owned(),
            can_sign_in: settings.sign_in == SignIn::Demo && !is_signed_in,
            can_sign_out: settings.sign_in == SignIn::Demo && is_signed_in,
            is_bookseller,
            is_demo: settings.sign_in == SignIn::Demo,
            is_away: false,
            categories: categories.collect(),
            told: String::new(),
            query: String::new(),
            token: visitor.shop.form_tokens.token(&visitor.session.id),
            page,
            back: visitor.address.clone(),
            notice: done.map(|done| notice(done, words, reader.as_deref())),
            reader,
        }
    }

    /// Every language with whether it is this page's.
    pub(crate) fn languages(&self) -> Vec<(Language, bool)> {
        Language::ALL.into_iter().map(|one| (one, one == self.language)).collect()
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

fn notice(done: Done, words: &Words, reader: Option<&str>) -> Notice {
    let texts = &words.done;
    let about = |text: &str, title: &str| {
        let title = if title.is_empty() { &texts.unknown_book } else { title };
        fill(text, &[("title", title)])
    };
    let mut undo = None;
    let text = match done {
        Done::Act { act, book, title, event } => {
            undo = Some((format!("undo-{} {book}", act.name()), event));
            let text = match act {
                Act::Want => &texts.want,
                Act::Buy => &texts.buy,
                Act::Finish => &texts.finish,
                Act::Rate => &texts.rate,
                Act::Dismiss => &texts.dismiss,
            };
            about(text, &title)
        }
        Done::TakenBack { title } => about(&texts.undone, &title),
        Done::SoldOut { title } => about(&texts.sold_out, &title),
        Done::Failed { .. } => texts.failed.clone(),
        Done::SignedIn => fill(&texts.signed_in, &[("reader", reader.unwrap_or_default())]),
        Done::SignedOut => texts.signed_out.clone(),
        Done::Forgotten { count } => fill(&texts.forgotten, &[("count", &count.to_string())]),
        Done::Saved => texts.saved.clone(),
        Done::ModelActive { version } => fill(&words.models.told_active, &[("version", &version)]),
        Done::RulesSaved { count } => fill(&words.try_it.saved, &[("count", &count.to_string())]),
        Done::Refused { problem } => fill(&words.console.refused, &[("problem", &problem)]),
    };
    Notice { text, undo }
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
