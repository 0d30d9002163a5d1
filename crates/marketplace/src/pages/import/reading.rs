//! How far a form with a file has been read.
//!
//! A parser keeps what it has of a part's head, and searches all of it with each piece that comes.
//! So only so much is handed to it before the file begins, and nothing once it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tonic::Status;

/// The most bytes before the file begins: two heads and a token are far less. Of the file, some may
/// be among them.
const BYTES_BEFORE_MAX: usize = 16 << 10;

/// How often a parser may ask for more when it has as much: it asks at the beginning and the end of
/// each part, even if it needs nothing.
const QUESTIONS_MAX: usize = 16;

/// How far a form has been read; a clone is the same.
#[derive(Clone)]
pub(super) struct Reading(Arc<Mutex<Stage>>);

#[derive(Clone, Copy)]
enum Stage {
    /// The file has not begun.
    Before { bytes_left: usize, questions_left: usize },
    /// It comes.
    File,
    /// Nobody wants to know what comes.
    Rest,
}

impl Reading {
    pub(super) fn begin() -> Self {
        let (bytes_left, questions_left) = (BYTES_BEFORE_MAX, QUESTIONS_MAX);
        Self(Arc::new(Mutex::new(Stage::Before { bytes_left, questions_left })))
    }

    /// The head of the file is read.
    pub(super) fn file_begins(&self) {
        *self.stage() = Stage::File;
    }

    /// What comes is not needed any more.
    pub(super) fn rest_begins(&self) {
        *self.stage() = Stage::Rest;
    }

    /// As much of a body as is to be parsed. It ends with `RESOURCE_EXHAUSTED` where there is too
    /// much before the file.
    pub(super) fn of(&self, body: Body) -> Body {
        let reading = self.clone();
        let mut pieces = body.into_data_stream();
        let mut piece = Bytes::new();
        Body::from_stream(stream::poll_fn(move |context| {
            loop {
                if piece.is_empty() {
                    match ready!(pieces.poll_next_unpin(context)) {
                        Some(Ok(next)) => piece = next,
                        ended => return Poll::Ready(ended),
                    }
                }
                if let Some(passed) = ready!(reading.pass(&mut piece, context)) {
                    return Poll::Ready(Some(passed.map_err(axum::Error::new)));
                }
            }
        }))
    }

    /// What may pass of a piece; `None` if nobody wants it.
    fn pass(
        &self,
        piece: &mut Bytes,
        context: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, Status>>> {
        Poll::Ready(match &mut *self.stage() {
            Stage::Before { bytes_left: 0, questions_left: 0 } => {
                Some(Err(Status::resource_exhausted("too much comes before the file")))
            }
            Stage::Before { bytes_left: 0, questions_left } => {
                // What it has may be enough.
                *questions_left -= 1;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Stage::Before { bytes_left, .. } => {
                let passed = piece.split_to(piece.len().min(*bytes_left));
                *bytes_left -= passed.len();
                Some(Ok(passed))
            }
            Stage::File => Some(Ok(std::mem::take(piece))),
            Stage::Rest => {
                piece.clear();
                None
            }
        })
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
