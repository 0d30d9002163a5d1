//! What pages need beside their text: the style, htmx and an icon. All of it is in the program;
//! names have a hash of the contents, so that browsers may keep them for ever.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::links::digest;
use crate::shop::Shop;

/// Browsers may keep it for a year.
pub(crate) const FOR_EVER: &str = "public, max-age=31536000, immutable";

const STYLE: &str = include_str!("assets/style.css");
/// From the npm package `htmx.org`, unchanged; its licence is beside it.
const HTMX: &str = include_str!("assets/htmx-4.0.1.min.js");
const ICON: &str = include_str!("assets/icon.svg");

/// The names of all assets.
pub(crate) struct Assets {
    style: String,
    script: String,
    icon: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        let name = |stem: &str, contents: &str, ending: &str| {
            format!("/assets/{stem}.{:016x}.{ending}", digest(contents))
        };
        Self {
            style: name("style", STYLE, "css"),
            script: name("htmx-4.0.1", HTMX, "js"),
            icon: name("icon", ICON, "svg"),
        }
    }

    pub(crate) fn style(&self) -> &str {
        &self.style
    }

    pub(crate) fn script(&self) -> &str {
        &self.script
    }

    pub(crate) fn icon(&self) -> &str {
        &self.icon
    }

    /// The type and the contents of an asset.
    fn find(&self, name: &str) -> Option<(&'static str, &'static str)> {
        let all = [
            (&self.style, "text/css; charset=utf-8", STYLE),
            (&self.script, "text/javascript; charset=utf-8", HTMX),
            (&self.icon, "image/svg+xml", ICON),
        ];
        let is_it = |path: &str| path.strip_prefix("/assets/") == Some(name);
        let found = all.into_iter().find(|(path, ..)| is_it(path));
        found.map(|(_, kind, contents)| (kind, contents))
    }
}

/// `GET /assets/{name}`.
pub(crate) async fn asset(State(shop): State<Shop>, Path(name): Path<String>) -> Response {
    match shop.assets.find(&name) {
        Some((kind, contents)) => {
            ([(CONTENT_TYPE, kind), (CACHE_CONTROL, FOR_EVER)], contents).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_by_its_whole_name_only() {
        let assets = Assets::new();
        let name = assets.style().strip_prefix("/assets/").unwrap();
        assert_eq!(assets.find(name), Some(("text/css; charset=utf-8", STYLE)));
        for name in ["style.css", "../settings.toml", "", "style.0000000000000000.css"] {
            assert_eq!(assets.find(name), None);
        }
    }
}
