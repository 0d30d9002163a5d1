//! One request as a job: what all protocols have in common.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Request, Response};
use tower_service::Service;

use super::error::{BoxError, LayerError};
use crate::body::{Body, Deadline, Start, start};
use crate::executor::Executor;
use crate::job::{Job, JobError};
use crate::method::Method;

/// Longer names from the network are counted under one.
const NAME_LEN_MAX: usize = 256;

/// Finds the name of a request.
type Name = dyn Fn(&Parts) -> &str + Send + Sync;

/// Makes jobs of requests.
#[derive(Clone)]
pub(crate) struct Runner {
    executor: Executor,
    pub(super) name: Arc<Name>,
}

impl Runner {
    pub(crate) fn new(executor: Executor) -> Self {
        Self { executor, name: Arc::new(|parts| parts.uri.path()) }
    }

    /// Starts a request. `service` need not be ready.
    pub(crate) fn run<S, B, R>(
        &self,
        mut service: S,
        parts: Parts,
        body: B,
        timeout: Option<Duration>,
    ) -> Call<R, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>> + Send + 'static,
        S::Future: Send,
        S::Error: Send + 'static,
        B: Send + 'static,
        R: http_body::Body + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let deadline = timeout.and_then(Deadline::after);
        let method = self.method(&parts);
        let request = Request::from_parts(parts, body);
        let job = self.executor.spawn_method(&method, async move {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            let response = service.call(request).await?;
            let (head, body) = response.into_parts();
            Ok(Response::from_parts(head, start(body).await))
        });
        Call { job, deadline, method, executor: self.executor.clone() }
    }

    fn method(&self, parts: &Parts) -> Method {
        let name = (self.name)(parts);
        if name.len() > NAME_LEN_MAX {
            return self.executor.other_method().clone();
        }
        self.executor.tentative_method(name)
    }
}

/// A request on its way.
pub(crate) struct Call<R, E> {
    job: Job<Result<Response<Start<R>>, E>>,
    deadline: Option<Deadline>,
    method: Method,
    executor: Executor,
}

impl<R, E> Call<R, E>
where
    R: http_body::Body + Send + 'static,
    R::Error: Into<BoxError>,
{
    /// Waits for the response. Not to be called again once it is there.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Result<Response<Body>, E>, LayerError>> {
        if let Poll::Ready(answer) = Pin::new(&mut self.job).poll(cx) {
            return Poll::Ready(match answer {
                Ok(answer) => Ok(answer.map(|response| self.begin(response))),
                Err(error) => Err(explain(error, &self.method)),
            });
        }
        match &mut self.deadline {
            Some(deadline) => deadline.poll(cx).map(|()| Err(LayerError::DeadlinePassed)),
            None => Poll::Pending,
        }
    }

    fn begin(&mut self, response: Response<Start<R>>) -> Response<Body> {
        if is_success(&response) {
            self.method.vouch();
        }
        let deadline = self.deadline.take();
        response.map(|start| Body::begin(start, deadline, &self.executor, &self.method))
    }
}

impl<R, E> fmt::Debug for Call<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Whether a response shows that there is such a path. Without regard to trailers: a service
/// that does not know a method says so in the headers.
fn is_success<R>(response: &Response<R>) -> bool {
    let ok_so_far = |headers: &HeaderMap| headers.get("grpc-status").is_none_or(|s| s == "0");
    response.status().is_success() && ok_so_far(response.headers())
}

/// Logs what the client is not told.
pub(crate) fn explain(error: JobError, method: &Method) -> LayerError {
    if let JobError::Panicked { message } = &error {
        tracing::error!(method = method.name(), message, "a handler panicked");
    }
    error.into()
}
