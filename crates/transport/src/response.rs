//! What the server sends: bodies of responses, in pieces that a slow reader can be held to.
//!
//! Invariants:
//! - hyper is given at most [`PIECE`] bytes at a time, so what its queue holds of a stream whose
//!   reader takes nothing is at most that, and the rest is dropped with the stream.
//! - A stream that is ended from outside ends with a status, if it can still be said.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::BoxError;
use crate::connection::{End, Slot, Stream};
use crate::web::trailers_frame;

/// The most bytes that are handed over at once: a frame of HTTP/2.
const PIECE: usize = 16 << 10;

pin_project! {
    /// The body of a response, as hyper gets it.
    pub(crate) struct Outgoing<B> {
        #[pin]
        body: Option<B>,
        rest: Bytes,
        stream: Option<Arc<Stream>>,
        // Of HTTP/1.1, where no task holds it.
        slot: Option<Slot>,
        form: ErrorForm,
    }
}

/// How a response can say that it was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    /// By gRPC's trailers.
    Grpc,
    /// By a frame of gRPC-Web in plain bytes.
    GrpcWeb,
    /// By an HTTP status and Connect's error as long as none was sent; then by breaking off.
    Json,
    /// By an HTTP status as long as none was sent; then by breaking off.
    Http,
}

impl<B> Outgoing<B> {
    /// The body of a service's response.
    pub(crate) fn new(body: B, stream: Arc<Stream>, slot: Option<Slot>, form: ErrorForm) -> Self {
        Self { body: Some(body), rest: Bytes::new(), stream: Some(stream), slot, form }
    }

    pub(crate) fn empty() -> Self {
        Self { body: None, rest: Bytes::new(), stream: None, slot: None, form: ErrorForm::Http }
    }
}

impl<B> http_body::Body for Outgoing<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let Some(stream) = this.stream else {
            let rest = (!this.rest.is_empty()).then(|| Ok(Frame::data(piece(this.rest))));
            return Poll::Ready(rest);
        };
        if this.slot.is_some() {
            stream.register(cx);
        }
        if let Some(end) = stream.ended() {
            this.body.set(None);
            *this.rest = Bytes::new();
            *this.stream = None;
            return Poll::Ready(Some(end.frame(*this.form)));
        }
        if !this.rest.is_empty() {
            stream.reader_awaited.begin_again();
            return Poll::Ready(Some(Ok(Frame::data(piece(this.rest)))));
        }
        let Some(body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        match body.poll_frame(cx) {
            Poll::Pending => {
                stream.reader_awaited.end();
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(match frame.into_data() {
                Ok(data) => {
                    stream.reader_awaited.begin_again();
                    *this.rest = data;
                    Frame::data(piece(this.rest))
                }
                Err(frame) => frame,
            }))),
        }
    }

    fn is_end_stream(&self) -> bool {
        let body_has_ended = self.body.as_ref().is_none_or(http_body::Body::is_end_stream);
        self.rest.is_empty() && (self.stream.is_none() || body_has_ended)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map_or(SizeHint::with_exact(0), http_body::Body::size_hint);
        let rest = self.rest.len() as u64;
        let mut sum = SizeHint::new();
        sum.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            sum.set_upper(upper.saturating_add(rest));
        }
        sum
    }
}

fn piece(rest: &mut Bytes) -> Bytes {
    rest.split_to(rest.len().min(PIECE))
}

impl End {
    fn code(self) -> &'static str {
        match self {
            Self::Deadline => "4",
            Self::Reader | Self::Stopping => "14",
        }
    }

    /// The same as Connect has it.
    fn connect_code(self) -> &'static str {
        match self {
            Self::Deadline => "deadline_exceeded",
            Self::Reader | Self::Stopping => "unavailable",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Deadline => "the deadline has passed",
            Self::Reader => "what was ready was not read in time",
            Self::Stopping => "the server is stopping",
        }
    }

    /// The last frame of a body.
    fn frame(self, form: ErrorForm) -> Result<Frame<Bytes>, BoxError> {
        match form {
            ErrorForm::Grpc => Ok(Frame::trailers(self.trailers())),
            ErrorForm::GrpcWeb => Ok(Frame::data(trailers_frame(&self.trailers()))),
            ErrorForm::Json | ErrorForm::Http => Err(self.message().into()),
        }
    }

    fn http_status(self) -> StatusCode {
        match self {
            Self::Deadline => StatusCode::GATEWAY_TIMEOUT,
            Self::Reader | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn trailers(self) -> HeaderMap {
        status(self.code(), self.message())
    }

    /// The whole response of a stream that is ended before its service has answered.
    pub(crate) fn response<B>(self, form: ErrorForm) -> Response<Outgoing<B>> {
        match form {
            ErrorForm::Grpc | ErrorForm::GrpcWeb => {
                trailers_only(StatusCode::OK, form, self.trailers())
            }
            ErrorForm::Json => {
                let (code, status) = (self.connect_code(), self.http_status());
                json_error(status, code, self.message())
            }
            ErrorForm::Http => bare(self.http_status()),
        }
    }
}

/// A gRPC status as headers or trailers.
pub(crate) fn status(code: &'static str, message: &'static str) -> HeaderMap {
    let mut status = HeaderMap::with_capacity(4);
    status.insert("grpc-status", HeaderValue::from_static(code));
    // Percent signs and characters beyond ASCII would have to be encoded; there are none.
    status.insert("grpc-message", HeaderValue::from_static(message));
    status
}

/// A response that is nothing but its status.
pub(crate) fn trailers_only<B>(
    http: StatusCode,
    form: ErrorForm,
    status: HeaderMap,
) -> Response<Outgoing<B>> {
    let mut response = bare(http);
    *response.headers_mut() = status;
    let content_type = match form {
        ErrorForm::GrpcWeb => "application/grpc-web+proto",
        ErrorForm::Grpc | ErrorForm::Json | ErrorForm::Http => "application/grpc",
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A response that is nothing but Connect's error. Neither text has anything to escape.
pub(crate) fn json_error<B>(http: StatusCode, code: &str, message: &str) -> Response<Outgoing<B>> {
    let mut response = bare(http);
    response.body_mut().rest = format!(r#"{{"code":"{code}","message":"{message}"}}"#).into();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A response without a body.
pub(crate) fn bare<B>(http: StatusCode) -> Response<Outgoing<B>> {
    let mut response = Response::new(Outgoing::empty());
    *response.status_mut() = http;
    response
}
