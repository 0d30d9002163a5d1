//! One call: its tries, each at an endpoint, and its end by the deadline at the latest.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::connect::describe;
use super::endpoint::Endpoint;
use super::failure::{self, Head, Processed, Pushback};
use super::figures::count;
use super::place::Place;
use super::pool::Pool;
use super::request::{Outgoing, Sending};
use super::response::ResponseBody;
use super::retry::{Next, Tries};
use super::template::Template;
use crate::deadline::Deadline;
use crate::random;

/// The head of a response, and where it comes from.
type Answer = (Response<Incoming>, Place);

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
        Some(Ok((response, place))) => {
            response.map(|incoming| ResponseBody::new(incoming, deadline, place))
        }
        Some(Err(status)) => status.into_http(),
        None => stage.deadline_passed(&pool).into_http(),
    }
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
            Some(mut place) => {
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
) -> Result<Answer, Status> {
    let limits = &pool.common.settings.retries;
    let body = Outgoing::gather(body, limits.request_bytes_max.get()).await;
    let tries = Tries::new(limits, &pool.common.tokens, parts.uri.path());
    let template = Template::new(parts);
    let mut trying = Trying { pool, template, body, tries, by, stage, avoid: None };
    loop {
        if let Some(answer) = trying.once().await? {
            return Ok(answer);
        }
    }
}

/// The tries of a call.
struct Trying<'a> {
    pool: &'a Pool,
    template: Template,
    body: Outgoing,
    tries: Tries<'a>,
    by: Instant,
    stage: &'a mut Stage,
    /// Where the try before failed.
    avoid: Option<Arc<Endpoint>>,
}

impl Trying<'_> {
    /// Tries once. Without an answer it is to be tried again.
    async fn once(&mut self) -> Result<Option<Answer>, Status> {
        let mut place = match self.pool.place(self.avoid.as_ref()).await {
            Ok(place) => place,
            Err(status) => {
                let is_failure = self.tries.is_failure(status.code());
                let next = if is_failure { self.next_try(Pushback::None) } else { None };
                let Some(at) = next else { return Err(status) };
                self.wait(at, status.message()).await;
                return Ok(None);
            }
        };
        let body = self.body.next().expect("nothing is tried again without its body");
        let mut sender = place.sender(&body);
        let request = self.template.request(&place.endpoint, self.by, self.tries.before(), body);
        self.avoid = Some(Arc::clone(&place.endpoint));
        self.stage.asking = Some(place);
        let sent = sender.try_send_request(request).await;
        let place = self.stage.asking.take().expect("it was put there before the try");
        match sent {
            Ok(response) => Ok(self.answered(response, place).await),
            Err(error) => self.broken(error, place).await.map(|()| None),
        }
    }

    /// There is the head of a response: it is the answer, unless it is tried again.
    async fn answered(&mut self, response: Response<Incoming>, mut place: Place) -> Option<Answer> {
        let code = match failure::head(&response) {
            Head::Begun => Code::Ok,
            Head::Status(code) => code,
        };
        match code {
            Code::Unavailable | Code::DeadlineExceeded => place.failed(Instant::now(), code),
            _ => place.answered(),
        }
        if code == Code::Ok || !self.tries.is_failure(code) {
            self.tries.answered();
            return Some((response, place));
        }
        let Some(at) = self.next_try(failure::pushback(response.headers())) else {
            return Some((response, place));
        };
        let reason = format!("{} answered {code:?}", place.endpoint);
        // Its place is free while it waits.
        drop((response, place));
        self.wait(at, &reason).await;
        None
    }

    /// The connection or the stream has failed before there was an answer.
    async fn broken(
        &mut self,
        mut error: TrySendError<Request<Sending>>,
        mut place: Place,
    ) -> Result<(), Status> {
        let unsent = error.take_message();
        let error = error.into_error();
        let what = format!("the call to {}: {}", place.endpoint, describe(&error));
        let mut processed = failure::processed(&error);
        if let Some(unsent) = unsent {
            processed = Processed::Unsent;
            place.closed();
            self.body.give_back(unsent.into_body());
        } else if failure::is_reset_by_peer(&error) {
            place.reset(Instant::now());
        } else {
            place.broken();
        }
        drop(place);
        if self.body.is_there() && self.tries.broken(processed) {
            self.stage.before = Some(what);
            count(&self.pool.common.counts.transparent_retries);
            return Ok(());
        }
        let code = failure::code(&error).unwrap_or(Code::Unavailable);
        let is_failure = self.tries.is_failure(code);
        let next = if is_failure { self.next_try(Pushback::None) } else { None };
        let Some(at) = next else { return Err(Status::new(code, what)) };
        self.wait(at, &what).await;
        Ok(())
    }

    /// When the next try is made, if there is one.
    fn next_try(&mut self, pushback: Pushback) -> Option<Instant> {
        let counts = &self.pool.common.counts;
        match self.tries.failed(pushback, random::fraction()) {
            _ if !self.body.is_there() => None,
            Next::Answer => None,
            Next::Refused => {
                count(&counts.retries_refused);
                None
            }
            Next::Retry(wait) => {
                // A try that could not end in time is not made: the caller learns more now.
                let at = Instant::now().checked_add(wait).filter(|at| *at < self.by)?;
                count(&counts.retries);
                Some(at)
            }
        }
    }

    async fn wait(&mut self, at: Instant, reason: &str) {
        self.stage.before = Some(reason.to_owned());
        self.pool.common.sleep_until(at).await;
    }
}
