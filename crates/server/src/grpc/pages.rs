//! Pages of lists: how many entries, and from where on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use recommender::id;

use super::violations::Violations;

/// What a token should have been.
const EXPECTED: &str = "the next_page_token of an earlier answer, or none";

/// How many entries one answer has.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// Unless the request says otherwise.
    pub(super) default: u32,
    /// At most.
    pub(super) max: u32,
}

/// How many entries are wanted at most: 0 stands for the default.
pub(super) fn size(page_size: i32, size: Size, found: &mut Violations) -> u32 {
    match u32::try_from(page_size) {
        Ok(0) => size.default,
        Ok(wanted) => wanted.min(size.max),
        Err(_) => {
            found.add("page_size", page_size, "0 or more");
            0
        }
    }
}

/// Asks for what follows an id.
pub(super) fn token_of_id(id: &str) -> String {
    token(id)
}

/// The id that a page begins after; `None` for the first.
pub(super) fn id(token: &str, found: &mut Violations) -> Option<String> {
    read(token, found, |text| id::check_id(&text).is_ok().then_some(text))
}

/// Asks for what follows this many entries.
pub(super) fn token_of_offset(offset: u32) -> String {
    token(&offset.to_string())
}

/// How many entries a page leaves out, below a bound.
pub(super) fn offset(token: &str, bound: u32, found: &mut Violations) -> u32 {
    let offset = |text: String| text.parse().ok().filter(|offset| *offset < bound);
    read(token, found, offset).unwrap_or_default()
}

/// Asks for what follows what this text stands for.
pub(super) fn token(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// What a token says; `None` for none, and for one that says nothing of the kind.
pub(super) fn read<T>(
    token: &str,
    found: &mut Violations,
    meaning: impl Fn(String) -> Option<T>,
) -> Option<T> {
    if token.is_empty() {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let meant = String::from_utf8(bytes).ok().and_then(meaning);
    if meant.is_none() {
        found.add(
            "page_token",
            format_args!("{} bytes that are no such token", token.len()),
            EXPECTED,
        );
    }
    meant
}
