//! Response bodies: trailers become the last frame of the body, which browsers can read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::encoding::Encoding;

/// Marks the frame that holds the trailers.
const TRAILERS_FLAG: u8 = 0x80;

/// Bytes that are written as base64 at once: little enough to take a few dozen microseconds,
/// and a multiple of three, so that there is no padding in between.
const TEXT_STEP_BYTES: usize = 24 * 1024;

pin_project! {
    /// The body of a response as the client gets it. Made by [`WebLayer`](super::WebLayer).
    #[derive(Debug)]
    pub struct WebBody<R> {
        #[pin]
        kind: Kind<R>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<R> {
        /// As it comes.
        Plain { #[pin] body: R },
        Web { #[pin] body: R, state: State },
        /// One frame, if any.
        Whole { frame: Bytes },
    }
}

/// How far a translated body is.
#[derive(Debug)]
struct State {
    encoding: Encoding,
    /// Not yet written as base64.
    pending: Bytes,
    ended: bool,
}

impl<R> WebBody<R> {
    pub(super) fn plain(body: R) -> Self {
        Self { kind: Kind::Plain { body } }
    }

    pub(super) fn web(body: R, encoding: Encoding) -> Self {
        let state = State { encoding, pending: Bytes::new(), ended: false };
        Self { kind: Kind::Web { body, state } }
    }

    pub(super) fn empty() -> Self {
        Self { kind: Kind::Whole { frame: Bytes::new() } }
    }

    /// A body that is trailers and nothing else.
    pub(super) fn trailers(trailers: &HeaderMap, encoding: Encoding) -> Self {
        let frame = trailers_frame(trailers);
        let frame = match encoding {
            Encoding::Binary => frame,
            Encoding::Text => STANDARD.encode(frame).into(),
        };
        Self { kind: Kind::Whole { frame } }
    }
}

impl<R: Body<Data = Bytes>> Body for WebBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        match self.project().kind.project() {
            KindProjection::Plain { body } => body.poll_frame(cx),
            KindProjection::Web { body, state } => state.poll_frame(body, cx),
            KindProjection::Whole { frame } if frame.is_empty() => Poll::Ready(None),
            KindProjection::Whole { frame } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(frame)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain { body } => body.is_end_stream(),
            Kind::Web { body, state } => {
                state.pending.is_empty() && (state.ended || body.is_end_stream())
            }
            Kind::Whole { frame } => frame.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Plain { body } => body.size_hint(),
            // What the wrapped body knows of its size holds neither for base64 nor with trailers.
            Kind::Web { .. } => SizeHint::default(),
            Kind::Whole { frame } => SizeHint::with_exact(frame.len() as u64),
        }
    }
}

impl State {
    fn poll_frame<R: Body<Data = Bytes>>(
        &mut self,
        mut body: Pin<&mut R>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        loop {
            if !self.pending.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(self.next_text()))));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let Some(frame) = ready!(body.as_mut().poll_frame(cx)?) else {
                self.ended = true;
                return Poll::Ready(None);
            };
            let bytes = self.bytes(frame);
            match self.encoding {
                Encoding::Binary => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Encoding::Text => self.pending = bytes,
            }
        }
    }

    /// The bytes that a frame becomes.
    fn bytes(&mut self, frame: Frame<Bytes>) -> Bytes {
        match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                self.ended = true;
                frame.trailers_ref().map(trailers_frame).unwrap_or_default()
            }
        }
    }

    fn next_text(&mut self) -> Bytes {
        let step = self.pending.len().min(TEXT_STEP_BYTES);
        STANDARD.encode(self.pending.split_to(step)).into()
    }
}

/// Trailers as a gRPC-Web frame: lines as in HTTP/1. Values cannot hold a line break.
pub(crate) fn trailers_frame(trailers: &HeaderMap) -> Bytes {
    let line_bytes = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + ":\r\n".len()
    };
    let len: usize = trailers.iter().map(line_bytes).sum();
    let mut frame = BytesMut::with_capacity(1 + size_of::<u32>() + len);
    frame.put_u8(TRAILERS_FLAG);
    frame.put_u32(u32::try_from(len).expect("a header map is smaller than 4 GiB"));
    for (name, value) in trailers {
        frame.put_slice(name.as_str().as_bytes());
        frame.put_u8(b':');
        frame.put_slice(value.as_bytes());
        frame.put_slice(b"\r\n");
    }
    frame.freeze()
}
