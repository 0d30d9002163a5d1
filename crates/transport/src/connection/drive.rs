//! The task of a connection: opens it, moves its bytes, and follows orders.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tower_service::Service;

use super::http::{Door, Rules};
use super::io::Guarded;
use super::open::{Opened, open};
use super::preface::Protocol;
use super::stream::{StreamExecutor, Tickets};
use super::{Connection, Order};
use crate::BoxError;
use crate::ending::Ending;
use crate::frames::{FrameRates, FrameWatch};
use crate::listen::Accepted;
use crate::message::RequestBody;
use crate::settings::Settings;
use crate::tls::Tls;

/// Windows for what peers send: a message of ordinary size arrives in one go, and what nobody
/// reads yet is at most this a connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Bytes of answers that may wait in a stream's queue: four pieces, and as much as a peer's
/// first window.
const SEND_BYTES_MAX: usize = 64 << 10;

/// What all connections of a server have in common.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) settings: Settings,
    pub(crate) tls: Option<Tls>,
    pub(crate) rules: Arc<Rules>,
}

/// Serves a socket to its end.
pub(crate) async fn serve<S, B>(
    socket: Accepted,
    connection: Arc<Connection>,
    common: Arc<Common>,
    service: S,
) -> Ending
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let opening = open(socket, common.tls.as_ref(), &common.settings);
    let opened = match unless_ordered(&connection, opening).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(ending)) | Err(ending) => return ending,
    };
    let Opened { wire, protocol, prefix, certificates } = opened;
    connection.opened(certificates);
    let settings = &common.settings;
    let door = |tickets| Door {
        service,
        connection: Arc::clone(&connection),
        rules: Arc::clone(&common.rules),
        tickets,
    };
    let io = |frames| TokioIo::new(Guarded::new(wire, prefix, frames, Arc::clone(&connection)));
    let served = match protocol {
        Protocol::Http2 => {
            let tickets = Tickets::default();
            let frames = FrameWatch::new(FrameRates {
                control_per_second: settings.control_frames_per_second.get(),
                resets_per_second: settings.resets_per_second.get(),
            });
            let serving = http2(settings, tickets.clone())
                .serve_connection(io(Some(frames)), door(Some(tickets)));
            follow(&connection, pin!(serving), |serving| serving.graceful_shutdown()).await
        }
        Protocol::Http1 => {
            let serving = http1(settings).serve_connection(io(None), door(None));
            follow(&connection, pin!(serving), |serving| serving.graceful_shutdown()).await
        }
    };
    connection.ending().unwrap_or_else(|| match served {
        Ok(()) => Ending::Closed,
        Err(error) => {
            tracing::debug!(%error, "a connection failed");
            ending(&error, protocol)
        }
    })
}

/// What hyper and h2 say of an end that they decided on.
fn ending(error: &hyper::Error, protocol: Protocol) -> Ending {
    if error.is_timeout() {
        return match protocol {
            Protocol::Http1 => Ending::HeaderTimeout,
            Protocol::Http2 => Ending::KeepaliveTimeout,
        };
    }
    let reason = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    match reason.and_then(h2::Error::reason) {
        Some(h2::Reason::ENHANCE_YOUR_CALM) => Ending::Flood,
        _ => Ending::Failed,
    }
}

fn http2(
    settings: &Settings,
    tickets: Tickets,
) -> hyper::server::conn::http2::Builder<StreamExecutor> {
    let streams_max = settings.streams_per_connection_max.get();
    let mut builder = hyper::server::conn::http2::Builder::new(StreamExecutor(tickets));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams_max)
        // [`FrameWatch`] holds resets to a rate (the `MadeYouReset` attack). h2 would count them for
        // as long as the connection lives, and with them each message that crosses a refusal.
        .max_local_error_reset_streams(None)
        // Whoever gives up all of its calls at once is no attacker yet.
        .max_pending_accept_reset_streams(Some(streams_max as usize))
        .max_header_list_size(settings.headers_bytes_max.get())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(settings.keepalive_interval)
        .keep_alive_timeout(settings.keepalive_timeout)
        .auto_date_header(false);
    builder
}

fn http1(settings: &Settings) -> hyper::server::conn::http1::Builder {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(settings.headers_bytes_max.get().max(HTTP1_BUFFER_MIN) as usize);
    builder
}

/// hyper wants at least this.
const HTTP1_BUFFER_MIN: u32 = 8 << 10;

/// Waits for something, unless the connection is told to go meanwhile.
async fn unless_ordered<T>(
    connection: &Connection,
    future: impl Future<Output = T>,
) -> Result<T, Ending> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        connection.waker.register(cx.waker());
        if connection.current_order() != Order::GoOn {
            return Poll::Ready(Err(connection.ending().unwrap_or(Ending::Closed)));
        }
        future.as_mut().poll(cx).map(Ok)
    })
    .await
}

/// Drives hyper's connection to its end, or until it is told to close.
async fn follow<C>(
    connection: &Connection,
    mut serving: Pin<&mut C>,
    finish: impl Fn(Pin<&mut C>),
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut is_finishing = false;
    poll_fn(|cx: &mut Context<'_>| {
        connection.waker.register(cx.waker());
        match connection.current_order() {
            Order::GoOn => {}
            Order::Finish if is_finishing => {}
            Order::Finish => {
                is_finishing = true;
                finish(serving.as_mut());
            }
            Order::Close => return Poll::Ready(Ok(())),
        }
        serving.as_mut().poll(cx)
    })
    .await
}
