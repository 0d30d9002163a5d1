//! What pages show, ready to be put into templates: addresses, words and numbers of one language.

mod book;
mod reason;
mod shelf;
mod table;
mod time;

pub(crate) use self::book::{BookView, stars};
pub(crate) use self::reason::{reason, reason_with_share};
pub(crate) use self::shelf::ShelfView;
pub(crate) use self::table::Table;
pub(crate) use self::time::{age, duration, milliseconds, moment};
