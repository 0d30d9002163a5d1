//! What a response body looks like from outside.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};
use unstall::{LayerError, Unstall};

use crate::block_for;
use crate::support::{executor, executor_with, settings, soon, wall};

/// A body of frames and pauses.
#[derive(Clone, Default)]
struct Script {
    steps: VecDeque<Step>,
    hint: SizeHint,
}

#[derive(Clone)]
enum Step {
    Data(&'static str),
    Trailers,
    Pause,
    Fail,
    WaitForEver,
}

use Step::{Data, Fail, Pause, Trailers, WaitForEver};

fn script(steps: impl IntoIterator<Item = Step>) -> Script {
    Script { steps: steps.into_iter().collect(), hint: SizeHint::new() }
}

impl Body for Script {
    type Data = VecDeque<u8>;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<VecDeque<u8>>, std::io::Error>>> {
        let Some(step) = self.steps.pop_front() else { return Poll::Ready(None) };
        Poll::Ready(Some(match step {
            Data(text) => Ok(Frame::data(text.bytes().collect())),
            Trailers => {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-end", http::HeaderValue::from_static("yes"));
                Ok(Frame::trailers(trailers))
            }
            Fail => Err(std::io::Error::other("the shelf broke")),
            Pause => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            WaitForEver => {
                self.steps.push_front(WaitForEver);
                return Poll::Pending;
            }
        }))
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

async fn through(script: Script) -> unstall::Body {
    let service = service_fn(move |_: Request<()>| {
        let response = Response::new(script.clone());
        async move { Ok::<_, Infallible>(response) }
    });
    let layer = Unstall::new(executor()).timeout(Duration::from_millis(200));
    layer.layer(service).oneshot(Request::new(())).await.unwrap().into_body()
}

/// Writes down what comes out of a body: `one|two|trailers`.
async fn heard(mut body: unstall::Body) -> String {
    let mut heard = Vec::new();
    loop {
        match soon(body.frame()).await {
            None => return heard.join("|"),
            Some(Err(LayerError::DeadlinePassed)) => heard.push("deadline".to_owned()),
            Some(Err(error)) => heard.push(format!("error: {error}")),
            Some(Ok(frame)) => heard.push(match frame.into_data() {
                Ok(data) => String::from_utf8(data.to_vec()).unwrap(),
                Err(_) => "trailers".to_owned(),
            }),
        }
    }
}

#[tokio::test]
async fn frames_trailers_and_errors_come_through_in_order() {
    for (steps, expected) in [
        (vec![], ""),
        (vec![Data("one"), Data("two"), Trailers], "one|two|trailers"),
        (vec![Pause, Data("one"), Pause, Data("two"), Pause, Trailers], "one|two|trailers"),
        (vec![Data("one"), Pause, Data("two")], "one|two"),
        (vec![Data("one"), Fail], "one|error: the shelf broke"),
        (vec![Data("one"), Pause, Fail], "one|error: the shelf broke"),
        (vec![Data("one"), WaitForEver], "one|deadline"),
    ] {
        assert_eq!(heard(through(script(steps)).await).await, expected);
    }
}

#[tokio::test]
async fn a_body_that_is_ready_at_once_knows_its_end() {
    let mut body = through(script([Data("one"), Trailers])).await;
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().unwrap().is_data());
    assert!(!body.is_end_stream());
    assert!(body.frame().await.unwrap().unwrap().is_trailers());
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_length_that_the_service_told_is_told_and_none_is_made_up() {
    let mut told = script([Data("four"), Pause, Data("three")]);
    told.hint = SizeHint::with_exact(9);
    let mut body = through(told).await;
    assert_eq!(body.size_hint().exact(), Some(9));
    let _ = body.frame().await;
    assert_eq!(body.size_hint().exact(), Some(5));
    assert_eq!(through(script([Data("four")])).await.size_hint().exact(), None);
}

#[tokio::test]
async fn a_long_body_of_small_frames_comes_whole() {
    let body = through(script((0..1_000).map(|_| Data("x")))).await;
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes().len(), 1_000);
}

/// A body whose frames come from a closure.
struct Made<F>(F);

impl<F: FnMut() -> Option<&'static str> + Unpin> Body for Made<F> {
    type Data = bytes::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, std::io::Error>>> {
        let data =
            (self.0)().map(|text| Ok(Frame::data(bytes::Bytes::from_static(text.as_bytes()))));
        Poll::Ready(data)
    }
}

#[tokio::test]
async fn a_first_frame_that_took_long_does_not_wait_for_those_that_block() {
    let (held, wall) = wall();
    let wall = Arc::new(wall);
    let service = service_fn(move |_: Request<()>| {
        let wall = Arc::clone(&wall);
        let mut frames = 0;
        let body = Made(move || {
            frames += 1;
            match frames {
                1 => block_for(Duration::from_millis(5)),
                2 => wall.block(),
                _ => return None,
            }
            Some("frame")
        });
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let response = soon(Unstall::new(executor()).layer(service).oneshot(Request::new(()))).await;
    let mut body = response.unwrap().into_body();
    assert!(soon(body.frame()).await.unwrap().unwrap().is_data());
    drop(held);
    assert_eq!(soon(body.collect()).await.unwrap().to_bytes(), "frame");
}

#[tokio::test]
async fn a_begun_body_is_not_cut_off_because_too_many_jobs_are_alive() {
    let mut settings = settings();
    settings.jobs_max = std::num::NonZeroUsize::MIN;
    let executor = executor_with(settings, ());
    let handled = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&handled);
    let service = service_fn(move |_: Request<()>| {
        told.store(true, Ordering::SeqCst);
        let response = Response::new(script([Data("one"), Pause, Data("two")]));
        async move { Ok::<_, Infallible>(response) }
    });
    let mut response =
        Box::pin(Unstall::new(executor.clone()).layer(service).oneshot(Request::new(())));
    let first = poll_fn(|cx| Poll::Ready(response.as_mut().poll(cx).is_pending())).await;
    assert!(first, "it is answered before anybody could");
    // As soon as the job that answers has ended, another takes the only place.
    let mut other = executor.spawn("other", pending::<()>());
    soon(async {
        while !handled.load(Ordering::SeqCst) || other.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            other = executor.spawn("other", pending::<()>());
        }
    })
    .await;
    assert_eq!(heard(soon(response).await.unwrap().into_body()).await, "one|two");
    assert!(!other.is_finished());
}
