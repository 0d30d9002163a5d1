//! `/acts`: what a visitor does to a book, from whatever page, and back to it.

use axum::response::Response;

use super::wrong::{self, Wrong};
use crate::acts::{Command, Fields, perform};
use crate::service::Failure;
use crate::visitor::Posted;

/// `POST /acts`.
pub(crate) async fn act(posted: Posted<Fields>) -> Response {
    let Posted { mut visitor, back, fields } = posted;
    let command = match Command::read(fields) {
        Ok(command) => command,
        Err(bad) => return wrong::page(visitor, &Wrong::Form(bad.to_string())),
    };
    let shop = visitor.shop.clone();
    match perform(&shop, &mut visitor.session, command).await {
        Ok(()) => visitor.see_other(&back),
        Err(Failure::NotFound) => wrong::page(visitor, &Wrong::NotFound),
        Err(failure) => wrong::page(visitor, &Wrong::Form(failure.to_string())),
    }
}
