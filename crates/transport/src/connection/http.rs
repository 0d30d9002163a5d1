//! One request: from hyper, past the guard, to the service, and its answer back.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_service::Service;

use super::Connection;
use super::stream::{Slot, Stream, Ticket, Tickets};
use crate::BoxError;
use crate::deadline::Deadline;
use crate::guard::{self, Kind, Passed, Refusal};
use crate::message::{Expected, MessageLimits, Messages, RequestBody, Whole};
use crate::response::{ErrorForm, Outgoing, bare, json_error, status, trailers_only};
use crate::settings::OtherRequests;
use crate::web::Leftover;

/// What all requests of a server are held to.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) others: OtherRequests,
    pub(crate) messages: Arc<MessageLimits>,
}

/// The service of one connection, as hyper calls it.
#[derive(Debug)]
pub(super) struct Door<S> {
    pub(super) service: S,
    pub(super) connection: Arc<Connection>,
    pub(super) rules: Arc<Rules>,
    /// Where requests of HTTP/2 leave what their stream's task is to know; HTTP/1.1 has no such
    /// task.
    pub(super) tickets: Option<Tickets>,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Door<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<Outgoing<B>>;
    type Error = Infallible;
    type Future = Answer<S, S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (mut parts, incoming) = request.into_parts();
        let passed = guard::check(&parts, self.rules.others);
        let form = passed.map_or(ErrorForm::Grpc, form);
        let deadline = passed.ok().and_then(|passed| passed.timeout);
        let deadline = deadline.and_then(|timeout| Instant::now().checked_add(timeout));
        let slot = Slot::take(&self.connection);
        let stream = Arc::clone(slot.stream());
        let slot = match &self.tickets {
            Some(tickets) => {
                tickets.leave(Ticket { slot, deadline });
                None
            }
            None => Some(slot),
        };
        let state = match passed {
            Err(refusal) => State::Refused { refusal },
            Ok(passed) => {
                parts.extensions.insert(self.connection.peer().clone());
                if let Some(deadline) = deadline {
                    parts.extensions.insert(Deadline::at(deadline));
                }
                let body = RequestBody::new(incoming, self.expected(passed.kind, &stream));
                let request = Request::from_parts(parts, body);
                caught(|| start(self.service.clone(), request))
                    .unwrap_or_else(|error| State::Failed { error: Some(error) })
            }
        };
        Answer { state, stream, slot, form }
    }
}

impl<S> Door<S> {
    fn expected(&self, kind: Kind, stream: &Arc<Stream>) -> Expected {
        let messages = || {
            let (limits, connection) = (&self.rules.messages, &self.connection);
            Messages::new(Arc::clone(limits), Arc::clone(connection), Arc::clone(stream))
        };
        match kind {
            Kind::Grpc | Kind::GrpcWeb => Expected::Messages(messages()),
            Kind::GrpcWebText => Expected::TextMessages(messages(), Leftover::default()),
            Kind::Json | Kind::Other => {
                let (limits, connection) = (&self.rules.messages, &self.connection);
                Expected::Whole(Whole::new(Arc::clone(limits), Arc::clone(connection)))
            }
        }
    }
}

pin_project! {
    /// The answer to a request.
    pub(super) struct Answer<S, F> {
        #[pin]
        state: State<S, F>,
        stream: Arc<Stream>,
        // Of HTTP/1.1, until the head of the response is there.
        slot: Option<Slot>,
        form: ErrorForm,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F> {
        Refused { refusal: Refusal },
        // Rare, and large.
        Waiting { waiting: Box<(S, Option<Request<RequestBody>>)> },
        Failed { error: Option<BoxError> },
        Called { #[pin] answer: F },
    }
}

/// Calls the service, or waits until it is ready. Most services always are.
fn start<S, B>(mut service: S, request: Request<RequestBody>) -> State<S, S::Future>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(())) => State::Called { answer: service.call(request) },
        Poll::Ready(Err(error)) => State::Failed { error: Some(error.into()) },
        // It is asked again, with a waker, when the answer is first waited for.
        Poll::Pending => State::Waiting { waiting: Box::new((service, Some(request))) },
    }
}

impl<S, B> Future for Answer<S, S::Future>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<Response<Outgoing<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.slot.is_some() {
            this.stream.register(cx);
        }
        loop {
            if let Some(end) = this.stream.ended() {
                return Poll::Ready(Ok(end.response(*this.form)));
            }
            let answer = match this.state.as_mut().project() {
                StateProjection::Refused { refusal } => return Poll::Ready(Ok(refused(*refusal))),
                StateProjection::Failed { error } => Err(error.take().expect("it is taken once")),
                StateProjection::Waiting { waiting } => {
                    let (service, request) = &mut **waiting;
                    let ready = ready!(service.poll_ready(cx)).map_err(Into::into);
                    ready.map(|()| service.call(request.take().expect("it is taken once")))
                }
                StateProjection::Called { answer } => match caught(|| answer.poll(cx)) {
                    Err(error) => Err(error),
                    Ok(Poll::Pending) => return Poll::Pending,
                    Ok(Poll::Ready(Ok(response))) => {
                        this.stream.has_answered.begin();
                        let (stream, slot) = (Arc::clone(this.stream), this.slot.take());
                        return Poll::Ready(Ok(
                            response.map(|body| Outgoing::new(body, stream, slot, *this.form))
                        ));
                    }
                    Ok(Poll::Ready(Err(error))) => Err(error.into()),
                },
            };
            match answer {
                Ok(answer) => this.state.set(State::Called { answer }),
                Err(error) => return Poll::Ready(Ok(failed(&error, *this.form))),
            }
        }
    }
}

/// Runs code of a service or of a layer on this thread. A panic there costs its own request,
/// not the connection: what had panicked is dropped and not asked again.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, BoxError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| "a service panicked".into())
}

fn form(passed: Passed) -> ErrorForm {
    match passed.kind {
        Kind::Grpc => ErrorForm::Grpc,
        Kind::GrpcWeb => ErrorForm::GrpcWeb,
        Kind::Json => ErrorForm::Json,
        Kind::GrpcWebText | Kind::Other => ErrorForm::Http,
    }
}

fn refused<B>(refusal: Refusal) -> Response<Outgoing<B>> {
    let status = status(refusal.grpc_code(), refusal.message());
    let mut response = trailers_only(refusal.http_status(), ErrorForm::Grpc, status);
    if refusal == Refusal::Method {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// The service itself failed. It is logged here and not sent.
fn failed<B>(error: &BoxError, form: ErrorForm) -> Response<Outgoing<B>> {
    tracing::error!(%error, "a service failed");
    match form {
        ErrorForm::Http => bare(StatusCode::INTERNAL_SERVER_ERROR),
        ErrorForm::Json => {
            json_error(StatusCode::INTERNAL_SERVER_ERROR, "internal", "internal error")
        }
        _ => trailers_only(StatusCode::OK, form, status("13", "internal error")),
    }
}
