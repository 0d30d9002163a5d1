//! The pages, a file each, and their addresses.

mod act;
mod book;
mod categories;
mod console;
mod cover;
mod home;
mod import;
mod library;
mod own_data;
mod preferences;
mod search;
mod sign_in;
pub(crate) mod wrong;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::assets;
use crate::shop::Shop;

/// Bytes of a form without files.
const FORM_BYTES_MAX: usize = 16 << 10;

/// Every address of the shop.
pub(crate) fn router(shop: Shop) -> Router {
    // A file is not held in memory; how long it may be is the transport's affair.
    let files = Router::new()
        .route("/library/import", post(import::import))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/", get(home::page))
        .route("/books/{id}", get(book::page))
        .route("/acts", post(act::act))
        .route("/search", get(search::page))
        .route("/categories", get(categories::all))
        .route("/categories/{slug}", get(categories::one))
        .route("/library", get(library::page))
        .route("/library/data", get(own_data::download))
        .route("/library/forget", get(own_data::ask).post(own_data::forget))
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/preferences", post(preferences::keep))
        .route("/covers/{id}", get(cover::picture))
        .route("/assets/{name}", get(assets::asset))
        .route("/healthz", get(async || "ok\n"))
        .merge(console::router(&shop))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .merge(files)
        .fallback(wrong::nothing_here)
        .method_not_allowed_fallback(wrong::another_method)
        .with_state(shop)
}
