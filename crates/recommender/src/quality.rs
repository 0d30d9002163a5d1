//! Quality: how well a model finds again what users came to like, by itself.

mod bare_shop;
mod list;

pub use bare_shop::BareShop;
pub use list::{LIKED_MIN, ListQuality, judge};
