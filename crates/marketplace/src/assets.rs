//! What pages need beside their text: the style, htmx and an icon. All of it is in the program;
//! names have a hash of the contents, so that browsers may keep them for ever.

use std::io::Write as _;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, StatusCode};

use crate::links::digest;
use crate::shop::Shop;

/// Browsers may keep it for a year.
pub(crate) const FOR_EVER: &str = "public, max-age=31536000, immutable";

const STYLE: &str = include_str!("assets/style.css");
/// From the npm package `htmx.org`, unchanged; its licence is beside it.
const HTMX: &str = include_str!("assets/htmx-4.0.1.min.js");
/// The same, and from the same package what pages are kept current by. In one file: htmx begins as
/// soon as it may, and what comes later is too late.
const LIVE: &str = concat!(
    include_str!("assets/htmx-4.0.1.min.js"),
    "\n",
    include_str!("assets/hx-sse-4.0.1.min.js")
);
const ICON: &str = include_str!("assets/icon.svg");

/// All assets, packed once.
pub(crate) struct Assets {
    style: Asset,
    script: Asset,
    live_script: Asset,
    icon: Asset,
}

/// A file of the pages.
struct Asset {
    path: String,
    kind: &'static str,
    plain: &'static str,
    /// Packed with gzip.
    packed: Bytes,
}

impl Assets {
    pub(crate) fn new() -> Self {
        Self {
            style: Asset::new("style", "css", "text/css; charset=utf-8", STYLE),
            script: Asset::new("htmx-4.0.1", "js", "text/javascript; charset=utf-8", HTMX),
            live_script: Asset::new("htmx-sse-4.0.1", "js", "text/javascript; charset=utf-8", LIVE),
            icon: Asset::new("icon", "svg", "image/svg+xml", ICON),
        }
    }

    pub(crate) fn style(&self) -> &str {
        &self.style.path
    }

    pub(crate) fn script(&self) -> &str {
        &self.script.path
    }

    /// For pages that are kept current.
    pub(crate) fn live_script(&self) -> &str {
        &self.live_script.path
    }

    pub(crate) fn icon(&self) -> &str {
        &self.icon.path
    }

    fn find(&self, name: &str) -> Option<&Asset> {
        let is_it = |asset: &&Asset| asset.path.strip_prefix("/assets/") == Some(name);
        [&self.style, &self.script, &self.live_script, &self.icon].into_iter().find(is_it)
    }
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, plain: &'static str) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(plain.as_bytes()).and_then(|()| encoder.finish());
        Self {
            path: format!("/assets/{stem}.{:016x}.{ending}", digest(plain)),
            kind,
            plain,
            packed: packed.expect("memory takes what is written").into(),
        }
    }
}

/// `GET /assets/{name}`.
pub(crate) async fn asset(
    State(shop): State<Shop>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = shop.assets.find(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let told = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, FOR_EVER), (VARY, "accept-encoding")];
    if takes_gzip(&headers) {
        return (told, [(CONTENT_ENCODING, "gzip")], asset.packed.clone()).into_response();
    }
    (told, asset.plain).into_response()
}

/// Whether a browser takes gzip; one that weighs codings is taken at its word only for zero.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    codings.unwrap_or_default().split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let is_none = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_none
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_by_its_whole_name_only() {
        let assets = Assets::new();
        let name = assets.style().strip_prefix("/assets/").unwrap();
        assert_eq!(assets.find(name).map(|asset| asset.plain), Some(STYLE));
        for name in ["style.css", "../settings.toml", "", "style.0000000000000000.css"] {
            assert!(assets.find(name).is_none());
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |codings: &str| {
            takes_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, codings.parse().unwrap())]))
        };
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate, gzip, br"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("gzipped"));
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
