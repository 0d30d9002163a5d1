//! `/library/import`: what a reader exported from Goodreads, handed on as it comes.
//!
//! The answer is a page that is written while the service reads: each step takes the place of the
//! one before, without a script. To send the same file again stores nothing, so it does not
//! matter that a reload does.

mod reading;
mod report;

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::response::{Html, IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::CONTENT_ENCODING;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

use api::v1::import_reading_list_response::Told;
use api::v1::{ImportReadingListRequest, ImportReadingListResponse};

use self::reading::Reading;
use self::report::Report;
use super::wrong::{self, Wrong};
use crate::frame::Frame;
use crate::headers::UNBUFFERED;
use crate::language::{Words, counted, fill};
use crate::service::Failure;
use crate::shop::Shop;
use crate::visitor::Visitor;

/// Pieces on their way between browser and service.
const PIECES_AHEAD: usize = 4;

/// The most bytes of one message to the service.
const PIECE_BYTES: usize = 64 << 10;

/// The most bytes of a file.
pub(crate) const FILE_BYTES_MAX: usize = 10 << 20;

/// How long the service may take for a piece before the import is given up.
const PIECE_TIME: Duration = Duration::from_secs(10);

/// A token is shorter.
const TOKEN_BYTES_MAX: usize = 256;

/// How long the rest of a file that is refused is read, so that the browser comes to read why.
const REST_TIME: Duration = Duration::from_secs(30);

/// Where steps are put into the page.
const PLACE: &str = "<!-- steps -->";

#[derive(Template)]
#[template(path = "import.html")]
struct Page {
    frame: Frame,
    place: &'static str,
}

/// `POST /library/import`.
pub(crate) async fn import(mut visitor: Visitor, request: Request) -> Response {
    let Some(reader) = visitor.reader().map(str::to_owned) else {
        return visitor.see_other("/library");
    };
    let reading = Reading::begin();
    let request = request.map(|body| reading.of(body));
    let mut form = match Multipart::from_request(request, &()).await {
        Ok(form) => form,
        Err(rejection) => return wrong::page(visitor, &Wrong::Form(rejection.body_text())),
    };
    let taken = async {
        // The token comes first, so that nothing is handed on for somebody else.
        if !visitor.has_sent(&token(&mut form).await?) {
            return Err(Wrong::Expired);
        }
        call(&visitor.shop.clone(), (&mut form, &reading), reader).await
    };
    let taken = taken.await;
    reading.rest_begins();
    read_the_rest(&mut form).await;
    let answers = match taken {
        Ok(answers) => answers,
        Err(wrong) => return wrong::page(visitor, &wrong),
    };
    let words = visitor.words();
    let frame = Frame::of(&mut visitor, &words.library.importing);
    let page = Page { frame, place: PLACE }.render();
    let Some((head, foot)) = page.ok().and_then(|page| {
        page.split_once(PLACE).map(|(head, foot)| (head.to_owned(), foot.to_owned()))
    }) else {
        return wrong::page(visitor, &Wrong::Broken);
    };
    let body = Body::from_stream(steps(words, head, answers, foot));
    // Packed, it would come at its end only.
    let headers = [(CONTENT_ENCODING, "identity"), UNBUFFERED];
    visitor.respond((StatusCode::OK, headers, Html(body).into_response()))
}

/// The form's token; empty if it does not come first.
async fn token(form: &mut Multipart) -> Result<String, Wrong> {
    let Some(mut field) = form.next_field().await.map_err(refused)? else {
        return Ok(String::new());
    };
    let mut token = Vec::new();
    if field.name() == Some("token") {
        while let Some(chunk) = field.chunk().await.map_err(refused)? {
            if token.len() + chunk.len() > TOKEN_BYTES_MAX {
                return Err(Wrong::Expired);
            }
            token.extend_from_slice(&chunk);
        }
    }
    Ok(String::from_utf8(token).unwrap_or_default())
}

/// Reads on what nobody wants any more: a browser shows no answer before it has sent everything.
async fn read_the_rest(form: &mut Multipart) {
    let reading = async {
        while let Ok(Some(mut field)) = form.next_field().await {
            while let Ok(Some(_)) = field.chunk().await {}
        }
    };
    // Whoever takes longer sees the connection end.
    let _ = timeout(REST_TIME, reading).await;
}

/// Calls the service and hands it the file.
///
/// A file that breaks off must not look as if it had ended, or a part of it would be stored: the
/// call is dropped, and so reset, before the pieces end.
async fn call(
    shop: &Shop,
    form: (&mut Multipart, &Reading),
    reader: String,
) -> Result<Streaming<ImportReadingListResponse>, Wrong> {
    let (pieces, coming) = mpsc::channel(PIECES_AHEAD);
    let mut call = Box::pin(shop.service.import_reading_list(received(coming)));
    let mut begun = None;
    let mut sending = Box::pin(hand_on(form, reader, &pieces));
    let sent = loop {
        tokio::select! {
            sent = &mut sending => break sent,
            answer = &mut call, if begun.is_none() => begun = Some(answer),
        }
    };
    drop(sending);
    if let Err(wrong) = sent {
        drop((call, begun));
        return Err(wrong);
    }
    drop(pieces);
    let answers = match begun {
        Some(answers) => answers,
        None => call.await,
    };
    answers.map_err(|failure| match failure {
        Failure::Invalid(problem) => Wrong::Form(problem),
        _ => Wrong::ImportAway,
    })
}

/// Hands the file on, a piece at a time: no faster than the service takes it.
async fn hand_on(
    (form, reading): (&mut Multipart, &Reading),
    reader: String,
    pieces: &mpsc::Sender<ImportReadingListRequest>,
) -> Result<(), Wrong> {
    let missing = || Wrong::Form("file".to_owned());
    let mut file = form.next_field().await.map_err(refused)?.ok_or_else(missing)?;
    if file.name() != Some("file") {
        return Err(missing());
    }
    reading.file_begins();
    let mut first = Some(reader);
    let mut bytes = 0;
    while let Some(chunk) = file.chunk().await.map_err(refused)? {
        bytes += chunk.len();
        if bytes > FILE_BYTES_MAX {
            return Err(Wrong::TooLarge);
        }
        for piece in chunk.chunks(PIECE_BYTES) {
            let user_id = first.take().unwrap_or_default();
            let request = ImportReadingListRequest { user_id, data: piece.to_vec() };
            match timeout(PIECE_TIME, pieces.send(request)).await {
                Ok(Ok(())) => {}
                // The service has ended the call; its answer says why.
                Ok(Err(_)) => return Ok(()),
                Err(_) => return Err(Wrong::ImportAway),
            }
        }
    }
    if first.is_some() { Err(missing()) } else { Ok(()) }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
fn refused(error: MultipartError) -> Wrong {
    // What the transport, or what comes before the file, is held to.
    let is_too_much = |error: &(dyn Error + 'static)| {
        error.downcast_ref().is_some_and(|status: &Status| status.code() == Code::ResourceExhausted)
    };
    match successors(error.source(), |&error| error.source()).any(is_too_much) {
        true => Wrong::TooLarge,
        false => Wrong::Form(error.body_text()),
    }
}

fn received<T>(mut receiver: mpsc::Receiver<T>) -> impl futures_util::Stream<Item = T> {
    stream::poll_fn(move |context| receiver.poll_recv(context))
}

/// What is still to be written of the page.
enum Rest {
    Head(String),
    Answers,
    Foot,
    End,
}

/// The page in pieces: its head, each step as the service tells it, its foot.
fn steps(
    words: &'static Words,
    head: String,
    answers: Streaming<ImportReadingListResponse>,
    foot: String,
) -> impl futures_util::Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let begin = (Rest::Head(head), answers, foot);
    stream::unfold(begin, move |(rest, mut answers, foot)| async move {
        let (text, rest) = match rest {
            Rest::Head(head) => (head, Rest::Answers),
            Rest::Answers => match answers.message().await {
                Ok(Some(answer)) => (step(answer, words), Rest::Answers),
                Ok(None) => (String::new(), Rest::Foot),
                Err(status) => (line(&failed(&status, words)), Rest::Foot),
            },
            Rest::Foot => (foot.clone(), Rest::End),
            Rest::End => return None,
        };
        Some((Ok(Bytes::from(text)), (rest, answers, foot)))
    })
}

/// Why a file was not imported: what the service says to people of the file, or of those before it.
fn failed(status: &Status, words: &Words) -> String {
    let is_told = matches!(
        status.code(),
        Code::InvalidArgument | Code::FailedPrecondition | Code::ResourceExhausted
    );
    let reason = if is_told { status.message() } else { &words.wrong.import_text };
    fill(&words.library.import_failed, &[("reason", reason)])
}

fn step(answer: ImportReadingListResponse, words: &Words) -> String {
    let texts = &words.library;
    match answer.told {
        Some(Told::Progress(progress)) if progress.read_line_count > 0 => {
            let count = progress.read_line_count;
            line(&counted(count, &texts.import_read_one, &texts.import_read_many))
        }
        Some(Told::Progress(progress)) => {
            let size = (progress.received_bytes / 1000).to_string();
            line(&fill(&texts.import_arrived, &[("size", &size)]))
        }
        Some(Told::Report(report)) => Report::new(&report, words).render().unwrap_or_default(),
        None => String::new(),
    }
}

#[derive(Template)]
#[template(source = "<p class=\"step\">{{ text }}</p>\n", ext = "html")]
struct Line<'a> {
    text: &'a str,
}

fn line(text: &str) -> String {
    Line { text }.render().unwrap_or_default()
}
