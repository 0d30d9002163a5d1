//! Addresses within the shop.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use xxhash_rust::xxh3::xxh3_64;

/// What may stand in a part of an address as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as a part of an address.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// The page of a book; `from` is the shelf that leads there.
pub(crate) fn book(id: &str, from: &str) -> String {
    with_query(format!("/books/{}", encoded(id)), &[("from", from)])
}

/// The drawn cover of a book; another one once what is on it has changed.
pub(crate) fn cover(id: &str, version: u64) -> String {
    format!("/covers/{}?v={version:x}", encoded(id))
}

/// The page of a category.
pub(crate) fn category(slug: &str) -> String {
    format!("/categories/{}", encoded(slug))
}

/// An address with its query; empty values are left out.
pub(crate) fn with_query(path: String, query: &[(&str, &str)]) -> String {
    let mut address = path;
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        address.push_str(&encoded(value));
    }
    address
}

/// An address that a form names to go back to, if it is within the shop; else the start page.
pub(crate) fn within_shop(address: &str) -> &str {
    // A browser reads a second slash, or a backslash, as the beginning of another host, and
    // leaves control characters out before it looks.
    let is_plain = address.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    let is_local = address.starts_with('/') && !address.starts_with("//");
    if is_plain && is_local && address.len() <= 2048 { address } else { "/" }
}

/// A slug as people say it.
pub(crate) fn spoken(slug: &str) -> String {
    slug.replace('-', " ")
}

/// A short name for something long; the same for ever.
pub(crate) fn digest(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_any_kind_stay_one_part_of_an_address() {
        assert_eq!(book("978-0", ""), "/books/978-0");
        assert_eq!(book("a/../b?c#d", "1.f.2"), "/books/a%2F..%2Fb%3Fc%23d?from=1.f.2");
        assert_eq!(category("short stories"), "/categories/short%20stories");
        assert_eq!(cover("三", 255), "/covers/%E4%B8%89?v=ff");
    }

    #[test]
    fn nobody_is_led_out_of_the_shop() {
        for address in ["/", "/books/1?from=x", "/search?q=a%20b&page=2"] {
            assert_eq!(within_shop(address), address);
        }
        for address in [
            "",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "books/1",
            "/a b",
            "/\r\nset-cookie: x",
            " /",
        ] {
            assert_eq!(within_shop(address), "/", "{address:?}");
        }
    }
}
