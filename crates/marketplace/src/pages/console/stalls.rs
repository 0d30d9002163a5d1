//! `/console/stalls`: handlers that held their thread, with their stacks.

use std::time::Duration;

use api::v1::Stall;
use api::v1::stall::Kind;
use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::tabs;
use crate::frame::{self, Frame, Link};
use crate::language::{Words, fill};
use crate::view::{Table, milliseconds, moment};
use crate::visitor::Visitor;

/// Functions of a stack that are shown.
const STACK: usize = 60;

#[derive(Template)]
#[template(path = "stalls.html")]
struct Page {
    frame: Frame,
    tabs: Vec<(Link, bool)>,
    /// `None` if they could not be had.
    table: Option<Table>,
    /// Of each stall that has a stack, whose it is and its functions.
    stacks: Vec<(String, Vec<String>)>,
}

/// `GET /console/stalls`.
pub(super) async fn page(mut visitor: Visitor) -> Response {
    let words = visitor.words();
    let stalls = visitor.shop.service.list_stalls().await.ok();
    let stack = |stall: &Stall| {
        let whose = fill(&words.console.stall_stack, &[("method", name(stall, words))]);
        let functions = stall.stack.iter().take(STACK).cloned().collect();
        (!stall.stack.is_empty()).then_some((whose, functions))
    };
    let stacks = stalls.iter().flatten().filter_map(stack).collect();
    let frame = Frame::of(&mut visitor, &words.console.stalls);
    let table = stalls.map(|stalls| table(&stalls, words));
    let page = Page { frame, tabs: tabs(words, "/console/stalls"), table, stacks };
    frame::show(visitor, StatusCode::OK, &page)
}

/// Stalls without their stacks.
pub(super) fn table(stalls: &[Stall], words: &Words) -> Table {
    let texts = &words.console;
    let row = |stall: &Stall| {
        let why = match stall.kind() {
            Kind::Blocked => &texts.stall_blocked,
            Kind::Busy => &texts.stall_busy,
            Kind::Paging => &texts.stall_paging,
            Kind::HostStarved => &texts.stall_host,
            Kind::Unknown | Kind::Unspecified => &texts.stall_unknown,
        };
        let time = stall.duration.and_then(|time| Duration::try_from(time).ok());
        let time = milliseconds(time.unwrap_or_default().as_secs_f64(), words);
        let time = match stall.ended {
            true => time,
            false => fill(&texts.stall_going, &[("value", &time)]),
        };
        let whose = name(stall, words).to_owned();
        vec![whose, why.clone(), place(stall), time, moment(stall.seen_time)]
    };
    let heads = [
        texts.method.as_str(),
        &texts.stall_kind,
        &texts.stall_where,
        &texts.stall_time,
        &texts.stall_seen,
    ];
    Table::new(&texts.stalls_heading, &heads, stalls.iter().map(row), &texts.no_stalls)
}

fn name<'a>(stall: &'a Stall, words: &'a Words) -> &'a str {
    if stall.method.is_empty() { &words.console.stall_host } else { &stall.method }
}

/// The system call and what it worked on, the function, and its line, as far as they are known.
fn place(stall: &Stall) -> String {
    let call = [stall.system_call.as_str(), &stall.system_call_target];
    let call = call.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let line = match (stall.file.is_empty(), stall.line) {
        (true, _) => String::new(),
        (false, 0) => stall.file.clone(),
        (false, line) => format!("{}:{line}", stall.file),
    };
    let parts = [call, stall.function.clone(), line];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_stall_is_what_is_known_of_it() {
        let stall = Stall {
            system_call: "futex".to_owned(),
            function: "server::ingest::put".to_owned(),
            file: "ingest.rs".to_owned(),
            line: 7,
            ..Stall::default()
        };
        assert_eq!(place(&stall), "futex, server::ingest::put, ingest.rs:7");
        let target = "/data/shop.db".to_owned();
        let stall = Stall {
            system_call: "fsync".to_owned(),
            system_call_target: target,
            ..Stall::default()
        };
        assert_eq!(place(&stall), "fsync /data/shop.db");
        assert_eq!(place(&Stall::default()), "");
    }
}
