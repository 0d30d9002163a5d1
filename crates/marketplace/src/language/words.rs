//! Every text of the shop, as the file of each language has it.
//!
//! The fields are the keys of `en.toml` and its like: a key that one of them lacks or has too many is
//! an error when it is read, which a test does, and one that nobody shows is a warning of the
//! compiler.

mod bookseller;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(crate) use self::bookseller::{Acceptance, Console, Models, TryIt};

/// All texts of one language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    pub(crate) shop: Shop,
    pub(crate) home: Home,
    pub(crate) shelf: Shelf,
    pub(crate) reason: Reason,
    pub(crate) book: Book,
    pub(crate) done: Done,
    pub(crate) search: Search,
    pub(crate) category: Category,
    pub(crate) library: Library,
    pub(crate) sign_in: SignIn,
    pub(crate) wrong: Wrong,
    pub(crate) console: Console,
    pub(crate) try_it: TryIt,
    pub(crate) models: Models,
    pub(crate) acceptance: Acceptance,
    /// Names of categories, by their slugs.
    pub(crate) categories: BTreeMap<String, String>,
}

/// What stands on every page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shop {
    pub(crate) tag: String,
    pub(crate) name: String,
    pub(crate) skip: String,
    pub(crate) search: String,
    pub(crate) search_button: String,
    pub(crate) menu: String,
    pub(crate) categories: String,
    pub(crate) library: String,
    pub(crate) sign_in: String,
    pub(crate) sign_out: String,
    pub(crate) signed_in: String,
    pub(crate) demo: String,
    pub(crate) settings: String,
    pub(crate) language: String,
    pub(crate) theme: String,
    pub(crate) theme_device: String,
    pub(crate) theme_light: String,
    pub(crate) theme_dark: String,
    pub(crate) apply: String,
    pub(crate) foot: String,
    pub(crate) away: String,
    pub(crate) pages: String,
    pub(crate) next: String,
    pub(crate) first: String,
    pub(crate) close: String,
    /// Between things of a list.
    pub(crate) list_separator: String,
    /// Between what is said and what it is about.
    pub(crate) colon: String,
    pub(crate) books_one: String,
    pub(crate) books_many: String,
}

/// The home page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Home {
    pub(crate) welcome: String,
    pub(crate) welcome_text: String,
    pub(crate) empty: String,
}

/// Headings of shelves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shelf {
    pub(crate) picked: String,
    pub(crate) picked_visit: String,
    pub(crate) category: String,
    pub(crate) because: String,
    pub(crate) because_finished: String,
    pub(crate) because_rated: String,
    pub(crate) because_bought: String,
    pub(crate) because_wanted: String,
    pub(crate) because_viewed: String,
    pub(crate) trending: String,
    pub(crate) series: String,
    pub(crate) similar: String,
    pub(crate) popular: String,
    pub(crate) plain: String,
    pub(crate) fallback: String,
}

/// Why a book is suggested.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    pub(crate) liked: String,
    pub(crate) viewed: String,
    pub(crate) wanted: String,
    pub(crate) cart: String,
    pub(crate) bought: String,
    pub(crate) finished: String,
    pub(crate) rated: String,
    pub(crate) share: String,
    pub(crate) popular_in: String,
    pub(crate) popular: String,
    pub(crate) trending: String,
    pub(crate) similar: String,
    pub(crate) next_in_series: String,
    pub(crate) author: String,
    pub(crate) heading: String,
}

/// Books and their pages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Book {
    pub(crate) by: String,
    pub(crate) cover: String,
    pub(crate) volume: String,
    pub(crate) series: String,
    pub(crate) editions: String,
    pub(crate) details: String,
    pub(crate) year: String,
    pub(crate) language: String,
    pub(crate) publisher: String,
    pub(crate) isbn: String,
    pub(crate) age: String,
    pub(crate) years_one: String,
    pub(crate) years_many: String,
    pub(crate) categories: String,
    pub(crate) stock_many: String,
    pub(crate) stock_few: String,
    pub(crate) stock_none: String,
    pub(crate) want: String,
    pub(crate) wanted: String,
    pub(crate) buy: String,
    pub(crate) bought: String,
    pub(crate) finish: String,
    pub(crate) finished: String,
    pub(crate) dismiss: String,
    pub(crate) dismissed: String,
    pub(crate) rate: String,
    pub(crate) rate_button: String,
    pub(crate) stars: String,
    pub(crate) your_rating: String,
    pub(crate) your_acts: String,
    pub(crate) unknown: String,
    pub(crate) of_book: String,
}

/// What became of what a visitor did.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Done {
    pub(crate) undo: String,
    pub(crate) want: String,
    pub(crate) buy: String,
    pub(crate) finish: String,
    pub(crate) rate: String,
    pub(crate) dismiss: String,
    pub(crate) undone: String,
    pub(crate) sold_out: String,
    pub(crate) failed: String,
    pub(crate) unknown_book: String,
    pub(crate) signed_in: String,
    pub(crate) signed_out: String,
    pub(crate) forgotten_one: String,
    pub(crate) forgotten_many: String,
    pub(crate) saved: String,
}

/// The search.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    pub(crate) found_one: String,
    pub(crate) found_many: String,
    pub(crate) title: String,
    pub(crate) heading: String,
    pub(crate) prompt: String,
    pub(crate) nothing: String,
}

/// Pages of categories.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Category {
    pub(crate) all: String,
    pub(crate) order: String,
    pub(crate) order_popular: String,
    pub(crate) order_title: String,
    pub(crate) order_newest: String,
    pub(crate) order_cheapest: String,
    pub(crate) language: String,
    pub(crate) any: String,
    pub(crate) price: String,
    pub(crate) age: String,
    pub(crate) sold_out: String,
    pub(crate) filter: String,
    pub(crate) nothing: String,
}

/// The library of a reader.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Library {
    pub(crate) title: String,
    pub(crate) needs_reader: String,
    pub(crate) empty: String,
    pub(crate) show: String,
    pub(crate) all: String,
    pub(crate) want: String,
    pub(crate) bought: String,
    pub(crate) finished: String,
    pub(crate) rated: String,
    pub(crate) dismissed: String,
    pub(crate) take_back: String,
    pub(crate) viewed: String,
    pub(crate) cart: String,
    pub(crate) abandoned: String,
    pub(crate) returned: String,
    pub(crate) import: String,
    pub(crate) import_text: String,
    pub(crate) import_file: String,
    pub(crate) import_button: String,
    pub(crate) importing: String,
    pub(crate) import_arrived: String,
    pub(crate) import_read_one: String,
    pub(crate) import_read_many: String,
    pub(crate) import_done: String,
    pub(crate) import_entries_one: String,
    pub(crate) import_entries_many: String,
    pub(crate) import_unmatched_one: String,
    pub(crate) import_unmatched_many: String,
    pub(crate) import_refused_one: String,
    pub(crate) import_refused_many: String,
    pub(crate) import_line: String,
    pub(crate) import_failed: String,
    pub(crate) import_to_shelves: String,
    pub(crate) yours: String,
    pub(crate) download: String,
    pub(crate) forget: String,
    pub(crate) forget_text: String,
    pub(crate) forget_sure: String,
}

/// Signing in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    pub(crate) title: String,
    pub(crate) demo: String,
    pub(crate) choose: String,
    pub(crate) likes: String,
    pub(crate) other: String,
    pub(crate) other_label: String,
    pub(crate) other_button: String,
    pub(crate) off: String,
    pub(crate) elsewhere: String,
    pub(crate) already: String,
    pub(crate) away: String,
}

/// What went wrong.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrong {
    pub(crate) not_found: String,
    pub(crate) not_found_text: String,
    pub(crate) form: String,
    pub(crate) form_text: String,
    pub(crate) expired: String,
    pub(crate) expired_text: String,
    pub(crate) sign_on: String,
    pub(crate) sign_on_text: String,
    pub(crate) method: String,
    pub(crate) method_text: String,
    pub(crate) too_large: String,
    pub(crate) too_large_text: String,
    pub(crate) broken: String,
    pub(crate) broken_text: String,
    pub(crate) away: String,
    pub(crate) away_text: String,
    pub(crate) download: String,
    pub(crate) download_text: String,
    pub(crate) import: String,
    pub(crate) import_text: String,
    pub(crate) host: String,
    pub(crate) host_text: String,
    pub(crate) home: String,
}
