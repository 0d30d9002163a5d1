//! Calls that are right as HTTP/2 and odd as gRPC: sent by hyper, so that the status of the
//! answer can be read.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::time::{Instant, sleep_until, timeout};

use crate::arena::Arena;
use crate::connection::Over;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Noted of a call whose connection was lost.
pub(crate) const LOST: &str = "connection lost";

/// A request's body.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A connection by hyper. It ends when it is dropped.
pub(crate) struct Polite {
    asking: Asking,
    opened: Instant,
}

/// A handle of such a connection, with which it can be asked.
#[derive(Clone)]
pub(crate) struct Asking {
    arena: Arena,
    send: SendRequest<Body>,
}

impl Polite {
    /// Opens a connection.
    pub(crate) async fn connect(arena: &Arena) -> Result<Self, Over> {
        let wire = TokioIo::new(arena.wire().await?);
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (send, connection) = builder.handshake(wire).await.map_err(|_| Over::Closed)?;
        arena.tally.note(|seen| seen.connections += 1);
        tokio::spawn(connection);
        let asking = Asking { arena: arena.clone(), send };
        Ok(Self { asking, opened: Instant::now() })
    }

    /// Sends a request and tallies how it is answered.
    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Result<(), Over> {
        self.asking.ask(request).await
    }

    /// One more handle.
    pub(crate) fn another(&self) -> Asking {
        self.asking.clone()
    }
}

impl Asking {
    /// Sends a request and tallies how it is answered.
    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Result<(), Over> {
        self.send.ready().await.map_err(|_| Over::Closed)?;
        let answer = async {
            match self.send.send_request(request).await {
                Ok(response) => status(response).await,
                Err(error) => broken(&error),
            }
        };
        // What the end of the attack cuts off does not count.
        tokio::select! {
            status = timeout(ANSWER_MAX, answer) => {
                self.arena.tally.status(status.unwrap_or_else(|_| "no answer".to_owned()));
                Ok(())
            }
            () = sleep_until(self.arena.until) => Err(Over::TimeUp),
        }
    }
}

impl Drop for Polite {
    fn drop(&mut self) {
        let Asking { arena, send } = &self.asking;
        arena.tally.ended(self.opened.elapsed(), send.is_closed());
    }
}

/// A call with this body, which is to be a message with its head. Headers come on top, or
/// instead of the usual ones.
pub(crate) fn call(path: &str, headers: &[(&'static str, &[u8])], body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("http://localhost{path}").parse().unwrap_or_default();
    let usual: [(&str, &[u8]); 2] = [("content-type", b"application/grpc"), ("te", b"trailers")];
    for (name, value) in usual.iter().chain(headers) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    request
}

/// A body that ends.
pub(crate) fn whole(bytes: Vec<u8>) -> Body {
    Full::from(bytes).boxed_unsync()
}

/// A body of which this is sent, and no end.
pub(crate) fn unended(bytes: Bytes) -> Body {
    let sent = stream::iter([Ok(Frame::data(bytes))]);
    StreamBody::new(sent.chain(stream::pending())).boxed_unsync()
}

/// `grpc-status` by its name, after the HTTP status if that is no 200.
async fn status(response: Response<Incoming>) -> String {
    let (parts, body) = response.into_parts();
    let trailers = match body.collect().await {
        Ok(body) => body.trailers().cloned().unwrap_or_default(),
        Err(error) => return broken(&error),
    };
    let of = |headers: &http::HeaderMap| headers.get("grpc-status").cloned();
    let grpc = of(&parts.headers).or_else(|| of(&trailers));
    let grpc = grpc.map(|status| format!("{:?}", tonic::Code::from_bytes(status.as_bytes())));
    match (parts.status, grpc) {
        (StatusCode::OK, Some(grpc)) => grpc,
        (http, None) => format!("HTTP {}", http.as_u16()),
        (http, Some(grpc)) => format!("HTTP {} {grpc}", http.as_u16()),
    }
}

/// What lies at the bottom of hyper's error; of all ways in which a connection is lost, the same.
fn broken(error: &hyper::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        if deeper.is::<std::io::Error>() {
            return LOST.to_owned();
        }
        cause = deeper;
    }
    let text = cause.to_string();
    let is_lost = error.is_closed() || error.is_canceled() || text.contains("broken pipe");
    if is_lost { LOST.to_owned() } else { text }
}
