//! gRPC-Web: calls from web pages, of origins that are named.
//!
//! Browsers cannot read HTTP trailers, where gRPC has its status. gRPC-Web puts them into the
//! body, and offers to write bodies as base64. [`WebLayer`] translates both ways, answers what
//! browsers ask beforehand (CORS), and refuses pages that are not listed. Put it outside of
//! `unstall::GrpcLayer`, so that the statuses of both are translated:
//!
//! | request | answer |
//! | --- | --- |
//! | without `Origin`, not gRPC-Web | that of the wrapped service, untouched |
//! | with an `Origin` that is not listed | 403; also a preflight |
//! | preflight of a listed origin | 204 with what is allowed: POST and any request header |
//! | gRPC-Web by another method than POST | 405 |
//! | gRPC-Web with messages that are not protobuf | 415 |
//! | gRPC-Web | translated |
//!
//! Browsers hide an answer from a page that may not read it, but only after the call has done
//! its work; hence the 403. Programs send no `Origin`, and are not asked for one. A page that
//! this very server hands out sends one, and has to be listed like any other.
//!
//! Specification: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>. Not by
//! tonic-web, whose layer (0.14) boxes the bodies of plain gRPC, hands on the size of a body
//! that it makes longer, refuses padding inside of base64, answers text with bytes unless
//! `Accept` says otherwise, and calls answers gRPC that are not. Not by tower-http's CORS,
//! which adds headers to every answer, and so would cost plain gRPC an allocation per call.
//! The tests call through tonic-web's client.

mod cors;
mod encoding;
mod origins;
mod request;
mod response;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use self::encoding::{Encoding, Protocol};
pub use self::origins::{OriginError, Origins};
pub(crate) use self::request::Leftover;
pub use self::request::WebRequestBody;
pub use self::response::WebBody;
pub(crate) use self::response::trailers_frame;
use crate::BoxError;

/// A [`tower` layer](Layer) that lets web pages call a gRPC service.
///
/// # Examples
///
/// ```
/// # use tonic::service::Routes;
/// use tower_layer::Layer as _;
/// use transport::web::{OriginError, Origins, WebLayer};
///
/// # fn routes() -> Routes { Routes::default() }
/// # fn main() -> Result<(), OriginError> {
/// let origins = Origins::listed(["https://shop.example", "http://localhost:5000"])?;
/// let service = WebLayer::new(origins).layer(routes());
/// # let _ = service;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WebLayer {
    origins: Origins,
}

impl WebLayer {
    /// A layer that serves pages of the given origins.
    #[must_use]
    pub fn new(origins: Origins) -> Self {
        Self { origins }
    }
}

impl<S> Layer<S> for WebLayer {
    type Service = WebService<S>;

    fn layer(&self, inner: S) -> WebService<S> {
        WebService { origins: self.origins.clone(), inner }
    }
}

/// A service that web pages can call. Made by [`WebLayer`].
#[derive(Clone, Debug)]
pub struct WebService<S> {
    origins: Origins,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for WebService<S>
where
    S: Service<Request<WebRequestBody<B>>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes>,
{
    type Response = Response<WebBody<R>>;
    type Error = S::Error;
    type Future = WebFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let state = match self.admit(&request) {
            Err(response) => State::Refused { response: Some(response) },
            Ok(Admitted { origin: None, encoding: None }) => {
                State::Plain { future: self.inner.call(request.map(WebRequestBody::plain)) }
            }
            Ok(Admitted { origin, encoding }) => {
                let of_answer = encoding.map(|encoding| encoding.of_answer(request.headers()));
                let request = match encoding {
                    Some(encoding) => translate_request(request, encoding),
                    None => request.map(WebRequestBody::plain),
                };
                State::Web { future: self.inner.call(request), encoding: of_answer, origin }
            }
        };
        WebFuture { state }
    }
}

/// A request that the wrapped service is to see.
struct Admitted {
    /// What the page is told, if it is a page that asks.
    origin: Option<HeaderValue>,
    /// None if it is not gRPC-Web.
    encoding: Option<Encoding>,
}

impl<S> WebService<S> {
    /// Decides what becomes of a request; an error is the answer to it.
    fn admit<B>(&self, request: &Request<B>) -> Result<Admitted, Response<()>> {
        let origin = match request.headers().get(header::ORIGIN) {
            Some(origin) => Some(self.origins.grant(origin).ok_or_else(cors::forbidden)?),
            None => None,
        };
        if let Some(origin) = &origin
            && cors::is_preflight(request)
        {
            return Err(cors::preflight(origin.clone()));
        }
        if request.method() == Method::OPTIONS {
            // tonic's routes look at neither method nor content type.
            return Err(cors::empty(StatusCode::METHOD_NOT_ALLOWED));
        }
        match encoding(request) {
            Ok(encoding) => Ok(Admitted { origin, encoding }),
            Err(mut response) => {
                expose(&mut response, origin);
                Err(response)
            }
        }
    }
}

/// The encoding of a request. None if it is not gRPC-Web; an error is the answer to it.
fn encoding<B>(request: &Request<B>) -> Result<Option<Encoding>, Response<()>> {
    match Protocol::of(request.headers()) {
        Protocol::Other => Ok(None),
        Protocol::UnknownWeb => Err(cors::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
        Protocol::Web(encoding) if request.method() == Method::POST => Ok(Some(encoding)),
        Protocol::Web(_) => {
            let mut response = cors::empty(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            Err(response)
        }
    }
}

/// Lets the page that asks read an answer.
fn expose<R>(response: &mut Response<R>, origin: Option<HeaderValue>) {
    if let Some(origin) = origin {
        cors::expose(response.headers_mut(), origin);
    }
}

/// Makes a gRPC-Web request one of gRPC.
fn translate_request<B>(request: Request<B>, encoding: Encoding) -> Request<WebRequestBody<B>> {
    let (mut parts, body) = request.into_parts();
    let grpc = HeaderValue::from_static("application/grpc");
    parts.headers.insert(header::CONTENT_TYPE, grpc);
    parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
    let body = match encoding {
        Encoding::Binary => WebRequestBody::plain(body),
        Encoding::Text => {
            parts.headers.remove(header::CONTENT_LENGTH);
            WebRequestBody::text(body)
        }
    };
    Request::from_parts(parts, body)
}

/// Makes a gRPC response one of gRPC-Web. What is not gRPC stays as it is.
fn translate_response<R>(response: Response<R>, encoding: Encoding) -> Response<WebBody<R>>
where
    R: http_body::Body<Data = Bytes>,
{
    let (mut parts, body) = response.into_parts();
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    if !content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        return Response::from_parts(parts, WebBody::plain(body));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    let body = if parts.headers.contains_key("grpc-status") && body.is_end_stream() {
        // Headers that are trailers: all of them, so that pages can read the metadata of an
        // error without being allowed to read headers.
        parts.headers.remove(header::CONTENT_TYPE);
        let trailers = std::mem::replace(&mut parts.headers, HeaderMap::with_capacity(4));
        WebBody::trailers(&trailers, encoding)
    } else {
        WebBody::web(body, encoding)
    };
    parts.headers.insert(header::CONTENT_TYPE, encoding.content_type());
    Response::from_parts(parts, body)
}

pin_project! {
    /// The response of a [`WebService`] on its way. Dropping it cancels the call.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WebFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F> {
        Plain { #[pin] future: F },
        Web { #[pin] future: F, encoding: Option<Encoding>, origin: Option<HeaderValue> },
        Refused { response: Option<Response<()>> },
    }
}

impl<F, R, E> Future for WebFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body<Data = Bytes>,
{
    type Output = Result<Response<WebBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Plain { future } => {
                future.poll(cx).map_ok(|response| response.map(WebBody::plain))
            }
            StateProjection::Web { future, encoding, origin } => {
                let response = ready!(future.poll(cx))?;
                let mut response = match *encoding {
                    Some(encoding) => translate_response(response, encoding),
                    None => response.map(WebBody::plain),
                };
                expose(&mut response, origin.take());
                Poll::Ready(Ok(response))
            }
            StateProjection::Refused { response } => {
                let response = response.take().expect("a future is not polled after its end");
                Poll::Ready(Ok(response.map(|()| WebBody::empty())))
            }
        }
    }
}
