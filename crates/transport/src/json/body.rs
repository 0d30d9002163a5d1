//! Bodies on both sides of the two layers: as they come, or whole.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of a request or a response, beside what it was made of. Made by
    /// [`JsonEdgeLayer`](super::JsonEdgeLayer) and [`JsonLayer`](super::JsonLayer).
    #[derive(Debug)]
    pub struct JsonBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        /// As it comes.
        Plain { #[pin] body: B },
        /// One piece of data, if any, and trailers.
        Whole { data: Bytes, trailers: Option<HeaderMap> },
    }
}

impl<B> JsonBody<B> {
    pub(super) fn plain(body: B) -> Self {
        Self { kind: Kind::Plain { body } }
    }

    pub(super) fn whole(data: Bytes) -> Self {
        Self { kind: Kind::Whole { data, trailers: None } }
    }

    pub(super) fn with_trailers(data: Bytes, trailers: HeaderMap) -> Self {
        Self { kind: Kind::Whole { data, trailers: Some(trailers) } }
    }
}

impl<B: Body<Data = Bytes>> Body for JsonBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Plain { body } => body.poll_frame(cx),
            KindProjection::Whole { data, trailers } if data.is_empty() => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
            }
            KindProjection::Whole { data, .. } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(data)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain { body } => body.is_end_stream(),
            Kind::Whole { data, trailers } => data.is_empty() && trailers.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Plain { body } => body.size_hint(),
            Kind::Whole { data, .. } => SizeHint::with_exact(data.len() as u64),
        }
    }
}
