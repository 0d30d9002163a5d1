//! `/library/data` and `/library/forget`: what is stored of a reader, handed out and deleted.

use api::v1::stored_event::Origin;
use api::v1::{EventKind, ExportUserResponse, StoredEvent};
use askama::Template;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::{Status, Streaming};

use super::wrong::{self, Wrong};
use crate::done::Done;
use crate::frame::{self, Frame};
use crate::language::fill;
use crate::links::digest;
use crate::service::Failure;
use crate::visitor::{Posted, Visitor};

#[derive(Template)]
#[template(path = "forget.html")]
struct Forget {
    frame: Frame,
    text: String,
}

#[derive(Template)]
#[template(path = "forgotten.html")]
struct Forgotten {
    frame: Frame,
}

/// The fields of the form that forgets.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    sure: String,
}

/// `GET /library/data`: one JSON value a line, the reader first, as the store hands them out.
pub(crate) async fn download(visitor: Visitor) -> Response {
    let Some(reader) = visitor.reader().map(str::to_owned) else {
        return visitor.see_other("/library");
    };
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"my-data.jsonl\""),
    ];
    if visitor.wants_headers_only() {
        return visitor.respond(headers);
    }
    let answers = match visitor.shop.service.export_user(reader.clone()).await {
        Ok(answers) => answers,
        Err(Failure::NotFound) => return wrong::page(visitor, &Wrong::NotFound),
        Err(_) => return wrong::page(visitor, &Wrong::DownloadAway),
    };
    let first = format!("{}\n", json!({ "reader": reader }));
    visitor.respond((headers, Body::from_stream(lines(first, answers))))
}

/// The lines of the file. If the service fails midway the download breaks off, so that nobody
/// takes a part for the whole.
fn lines(
    first: String,
    answers: Streaming<ExportUserResponse>,
) -> impl futures_util::Stream<Item = Result<Bytes, Status>> {
    stream::unfold((Some(first), answers), |(first, mut answers)| async move {
        if let Some(first) = first {
            return Some((Ok(Bytes::from(first)), (None, answers)));
        }
        let answer = answers.message().await.transpose()?;
        Some((answer.map(|answer| Bytes::from(written(&answer))), (None, answers)))
    })
}

fn written(answer: &ExportUserResponse) -> String {
    let merged = answer.merged_user_ids.iter().map(|id| json!({ "merged_reader": id }));
    let events = answer.events.iter().filter_map(event);
    merged.chain(events).map(|line| format!("{line}\n")).collect()
}

fn event(stored: &StoredEvent) -> Option<Value> {
    let event = stored.event.as_ref()?;
    let time = |time: Option<&prost_types::Timestamp>| {
        let time = time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
        time.map(|time| time.to_string())
    };
    let origin = match stored.origin() {
        Origin::Client => "shop",
        Origin::Import => "import",
        Origin::Simulated => "simulated",
        Origin::Unspecified => "unknown",
    };
    Some(json!({
        "event": event.event_id,
        "book": event.book_id,
        "kind": EventKind::as_str_name(&event.kind()),
        "stars": if event.rating > 0.0 { json!(event.rating) } else { Value::Null },
        "time": time(event.event_time.as_ref()),
        "recorded": time(stored.record_time.as_ref()),
        "from_shelf": event.attribution_token,
        "origin": origin,
        "taken_back": stored.retracted,
    }))
}

/// `GET /library/forget`: asks whether it is meant.
pub(crate) async fn ask(mut visitor: Visitor) -> Response {
    let Some(reader) = visitor.reader().map(str::to_owned) else {
        return visitor.see_other("/library");
    };
    let words = visitor.words();
    let text = fill(&words.library.forget_text, &[("reader", &reader)]);
    let frame = Frame::of(&mut visitor, &words.library.forget);
    frame::show(visitor, StatusCode::OK, &Forget { frame, text })
}

/// `POST /library/forget`.
pub(crate) async fn forget(posted: Posted<Fields>) -> Response {
    let Posted { mut visitor, fields, .. } = posted;
    let Some(reader) = visitor.reader().map(str::to_owned) else {
        return visitor.see_other("/library");
    };
    if fields.sure != "yes" {
        return visitor.see_other("/library/forget");
    }
    let shop = visitor.shop.clone();
    // What is on its way would make the reader anew: before, and what a page in another tab has
    // put there meanwhile.
    shop.outbox.forget(&reader).await;
    let deleted = shop.service.delete_user(reader.clone()).await;
    shop.outbox.forget(&reader).await;
    shop.remembered.forget(&reader);
    let count = match deleted {
        Ok(count) => count,
        // Nothing was stored.
        Err(Failure::NotFound) => 0,
        Err(_) => return wrong::page(visitor, &Wrong::Broken),
    };
    visitor.session = visitor.session.signed_out();
    // A single sign-on signs them in again with the next page. What they look at then is told no
    // more, until they do something.
    visitor.session.forgotten = Some(digest(&reader));
    visitor.session.done = Some(Done::Forgotten { count });
    // The page itself, not the way to it, since on that they would be signed in again.
    let words = visitor.words();
    let frame = Frame::of(&mut visitor, &words.library.forget);
    frame::show(visitor, StatusCode::OK, &Forgotten { frame })
}

#[cfg(test)]
mod tests {
    use api::v1::Event;

    use super::*;

    #[test]
    fn every_event_is_a_line_with_all_that_is_stored() {
        let event = Event {
            event_id: "e1".to_owned(),
            book_id: "dune\n".to_owned(),
            kind: EventKind::Rating.into(),
            rating: 4.5,
            event_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..Event::default()
        };
        let stored = StoredEvent {
            event: Some(event),
            origin: Origin::Import.into(),
            retracted: true,
            record_time: None,
        };
        let answer = ExportUserResponse {
            events: vec![stored],
            merged_user_ids: vec!["anonymous-7".to_owned()],
        };
        let text = written(&answer);
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["merged_reader"], "anonymous-7");
        assert_eq!(lines[1]["kind"], "EVENT_KIND_RATING");
        assert_eq!(lines[1]["time"], "2023-11-14T22:13:20Z");
        assert_eq!(lines[1]["stars"], 4.5);
        assert_eq!(lines[1]["taken_back"], true);
        assert_eq!(lines.len(), 2);
    }
}
