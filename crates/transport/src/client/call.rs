//! One call: its tries, each at an endpoint, and its end by the deadline at the latest.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};
use tonic::body::Body;
use tonic::{Code, Status};

use super::endpoint::{Endpoint, Place};
use super::failure::{self, Head, Processed, Pushback, pushback};
use super::figures::count;
use super::pool::Pool;
use super::request::{Outgoing, Sending};
use super::response::ResponseBody;
use super::retry::{Next, Tries};
use crate::deadline::{Deadline, header_value};
use crate::random;

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const TRIES_BEFORE: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("transport/", env!("CARGO_PKG_VERSION")));

/// Makes a call. What goes wrong is in the response, as a gRPC status.
pub(super) async fn call(pool: Arc<Pool>, request: Request<Body>) -> Response<ResponseBody> {
    count(&pool.common.counts.calls);
    let (parts, body) = request.into_parts();
    let by = match deadline(&parts, &pool) {
        Ok(deadline) => deadline.instant(),
        Err(status) => return status.into_http(),
    };
    let mut deadline = Box::pin(pool.common.sleep_until(by));
    let mut stage = Stage::default();
    let ended = {
        let mut answering = pin!(answer(&pool, parts, body, by, &mut stage));
        poll_fn(|cx| {
            if deadline.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            answering.as_mut().poll(cx).map(Some)
        })
        .await
    };
    match ended {
        Some(Ok((response, place))) => with_body(response, deadline, place),
        Some(Err(status)) => status.into_http(),
        None => stage.deadline_passed(&pool).into_http(),
    }
}

fn with_body(
    response: Response<Incoming>,
    deadline: Pin<Box<Sleep>>,
    place: Place,
) -> Response<ResponseBody> {
    response.map(|incoming| ResponseBody::new(incoming, deadline, place))
}

/// The least of the call's own timeout, the deadline of the call being served, and the
/// channel's limit.
fn deadline(parts: &Parts, pool: &Pool) -> Result<Deadline, Status> {
    let own = unstall::grpc_timeout(&parts.headers)
        .map_err(|error| Status::internal(error.to_string()))?;
    let limit = pool.common.settings.timeout;
    let own = Deadline::after(own.map_or(limit, |own| own.min(limit)));
    let served = parts.extensions.get::<Deadline>().copied();
    Ok(served.map_or(own, |served| served.min(own)))
}

/// What a call is doing, for when its time is up.
#[derive(Default)]
struct Stage {
    /// The place of the try that waits for an answer.
    asking: Option<Place>,
    /// Why the try before failed.
    before: Option<String>,
}

impl Stage {
    /// Notes that the peer has not answered, and says what the call was waiting for.
    fn deadline_passed(self, pool: &Pool) -> Status {
        let before = self.before.map_or_else(String::new, |before| format!(" (before: {before})"));
        Status::deadline_exceeded(match self.asking {
            Some(place) => {
                place.unanswered(Instant::now());
                format!("no answer of {} before the deadline{before}", place.endpoint)
            }
            None => {
                let target = &pool.common.target;
                format!("no connection to {target} was free before the deadline{before}")
            }
        })
    }
}

/// Tries until there is an answer.
async fn answer(
    pool: &Pool,
    parts: Parts,
    body: Body,
    by: Instant,
    stage: &mut Stage,
) -> Result<(Response<Incoming>, Place), Status> {
    let limits = &pool.common.settings.retries;
    let mut body = Outgoing::gather(body, limits.request_bytes_max.get()).await;
    let head = Common::new(parts);
    let mut tries = Tries::new(limits, &pool.common.tokens, head.path.path());
    let mut avoid: Option<Arc<Endpoint>> = None;
    loop {
        let place = match pool.place(avoid.as_ref()).await {
            Ok(place) => place,
            Err(status) if tries.is_failure(status.code()) => {
                wait_or(pool, &mut tries, Pushback::None, by, stage, status).await?;
                continue;
            }
            Err(status) => return Err(status),
        };
        let Some(sending) = body.next() else {
            return Err(Status::unavailable(stage.before.take().unwrap_or_default()));
        };
        avoid = Some(Arc::clone(&place.endpoint));
        let request = head.request(&place, by, tries.before(), sending);
        let mut sender = place.sender();
        stage.asking = Some(place);
        let sent = sender.try_send_request(request).await;
        drop(sender);
        let place = stage.asking.take().expect("it was left there before the try");
        match sent {
            Ok(response) => {
                let Head::Status(code) = failure::head(&response) else {
                    place.answered();
                    tries.answered();
                    return Ok((response, place));
                };
                if code == Code::Unavailable {
                    place.unavailable(Instant::now());
                } else {
                    place.answered();
                }
                if !tries.is_failure(code) {
                    tries.answered();
                    return Ok((response, place));
                }
                let pushback = pushback(response.headers());
                let status = Status::new(code, String::new());
                if !body.is_there() {
                    return Ok((response, place));
                }
                if wait_or(pool, &mut tries, pushback, by, stage, status).await.is_err() {
                    return Ok((response, place));
                }
            }
            Err(mut error) => {
                let unsent = error.take_message();
                let error = error.into_error();
                let what = format!("{}: {}", place.endpoint, super::connect::describe(&error));
                let was_unsent = unsent.is_some();
                if let Some(unsent) = unsent {
                    place.closed();
                    body.give_back(unsent.into_body());
                }
                if was_unsent || failure::processed(&error) == Processed::No {
                    stage.before = Some(what.clone());
                    if body.is_there() && tries.unprocessed() {
                        count(&pool.common.counts.transparent_retries);
                        continue;
                    }
                }
                let code = failure::code(&error).unwrap_or(Code::Unavailable);
                let status = Status::new(code, format!("the call to {what}"));
                if !body.is_there() || !tries.is_failure(code) {
                    return Err(status);
                }
                wait_or(pool, &mut tries, Pushback::None, by, stage, status).await?;
            }
        }
    }
}

/// Waits until the next try, or gives the failure back if there is none.
async fn wait_or(
    pool: &Pool,
    tries: &mut Tries<'_>,
    pushback: Pushback,
    by: Instant,
    stage: &mut Stage,
    status: Status,
) -> Result<(), Status> {
    let counts = &pool.common.counts;
    match tries.failed(pushback, random::fraction()) {
        Next::Answer => Err(status),
        Next::Refused => {
            count(&counts.retries_refused);
            Err(status)
        }
        Next::Retry(wait) => {
            // A try that could not end in time is not made: the caller learns more now.
            let at = Instant::now() + wait;
            if at >= by {
                return Err(status);
            }
            stage.before = Some(status.message().to_owned());
            count(&counts.retries);
            pool.common.sleep_until(at).await;
            Ok(())
        }
    }
}

/// What all tries of a call have in common.
struct Common {
    method: Method,
    path: PathAndQuery,
    headers: HeaderMap,
}

impl Common {
    fn new(mut parts: Parts) -> Self {
        parts.headers.remove(TIMEOUT);
        parts.headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        let path = parts.uri.path_and_query().cloned();
        let path = path.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { method: parts.method, path, headers: parts.headers }
    }

    /// The request of a try.
    fn request(
        &self,
        place: &Place,
        by: Instant,
        tries_before: u32,
        body: Sending,
    ) -> Request<Sending> {
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(place.endpoint.scheme.clone());
        uri.authority = Some(place.endpoint.authority.clone());
        uri.path_and_query = Some(self.path.clone());
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from_parts(uri).expect("all parts of it are there");
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.headers.clone();
        let left = by.saturating_duration_since(Instant::now());
        request.headers_mut().insert(TIMEOUT, header_value(left));
        if tries_before > 0 {
            request.headers_mut().insert(TRIES_BEFORE, tries_before.into());
        }
        request
    }
}
