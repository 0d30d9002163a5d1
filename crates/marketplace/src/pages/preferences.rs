//! `/preferences`: language and colours, kept in the session.

use axum::response::Response;
use serde::Deserialize;

use crate::done::Done;
use crate::language::Language;
use crate::session::Theme;
use crate::visitor::Posted;

/// The fields of the form.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    language: String,
    #[serde(default)]
    theme: String,
}

/// `POST /preferences`. What is not known stays as it was.
pub(crate) async fn keep(posted: Posted<Fields>) -> Response {
    let Posted { mut visitor, back, fields } = posted;
    if let Some(language) = Language::named(&fields.language) {
        visitor.session.language = Some(language);
    }
    visitor.session.theme = match fields.theme.as_str() {
        "" => None,
        "light" => Some(Theme::Light),
        "dark" => Some(Theme::Dark),
        _ => visitor.session.theme,
    };
    visitor.session.done = Some(Done::Saved);
    visitor.see_other(&back)
}
