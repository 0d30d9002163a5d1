//! What pages show, ready to be put into templates: addresses, words and numbers of one language.

mod book;
mod did;
mod fallback;
mod model;
mod price;
mod reason;
mod shelf;
mod table;
mod time;

pub(crate) use self::book::{BookView, stars};
pub(crate) use self::did::did;
pub(crate) use self::fallback::fallback;
pub(crate) use self::model::{model_charts, quality};
pub(crate) use self::price::{price, read_price};
pub(crate) use self::reason::{reason, reason_with_share};
pub(crate) use self::shelf::ShelfView;
pub(crate) use self::table::Table;
pub(crate) use self::time::{age, duration, milliseconds, moment};
