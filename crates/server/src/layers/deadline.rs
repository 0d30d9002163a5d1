//! A time limit for every unary call, so that none holds anything for ever.
//!
//! The limit travels as `grpc-timeout`, which `unstall` keeps further in, and as the request's
//! [`transport::Deadline`], which a handler hands on. A stream has only the
//! limit that its client asks for: it may be meant to last.

use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, Request};
use tower::{Layer, Service};
use transport::timeout_value;
use unstall::grpc_timeout;

use super::Call;
use crate::methods::MethodKind;
use crate::settings::{LimitsSection, LiveSettings};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// A [`tower` layer](Layer) that gives unary calls the default time limit if they come without
/// one, and shortens one that is longer than the longest.
#[derive(Clone, Debug)]
pub struct DeadlineLayer {
    settings: LiveSettings,
}

impl DeadlineLayer {
    /// A layer with limits that may change.
    #[must_use]
    pub fn new(settings: LiveSettings) -> Self {
        Self { settings }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { settings: self.settings.clone(), inner }
    }
}

/// A service whose unary calls have time limits. Made by [`DeadlineLayer`].
#[derive(Clone, Debug)]
pub struct Deadline<S> {
    settings: LiveSettings,
    inner: S,
}

impl<S, B> Service<Request<B>> for Deadline<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // A malformed one was refused by the guard.
        let asked = grpc_timeout(request.headers()).ok().flatten();
        let call = request.extensions().get::<Call>();
        let kind = call.and_then(Call::method).map(|method| method.kind);
        let given = match kind {
            Some(MethodKind::Streaming) => asked,
            Some(MethodKind::Unary) | None => Some(limit(asked, &self.settings.current().limits)),
        };
        if let Some(given) = given {
            if let Some(call) = call.cloned() {
                let deadline = call.started() + given;
                call.must_end(deadline);
                request.extensions_mut().insert(transport::Deadline::at(deadline));
            }
            if asked != Some(given) {
                request.headers_mut().insert(GRPC_TIMEOUT, timeout_value(given));
            }
        }
        self.inner.call(request)
    }
}

fn limit(asked: Option<Duration>, limits: &LimitsSection) -> Duration {
    asked.unwrap_or(limits.deadline_default()).min(limits.deadline_max())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::rc::Rc;

    use http::Response;

    use super::*;
    use crate::settings::Settings;

    /// What the service below gets to see.
    #[derive(Clone, Default)]
    struct Below(Rc<RefCell<Option<String>>>);

    impl Service<Request<()>> for Below {
        type Response = Response<()>;
        type Error = Infallible;
        type Future = Ready<Result<Response<()>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<()>) -> Self::Future {
            let timeout = request.headers().get(GRPC_TIMEOUT);
            *self.0.borrow_mut() = timeout.map(|value| value.to_str().unwrap().to_owned());
            ready(Ok(Response::new(())))
        }
    }

    fn check(path: &str, asked: Option<&str>, expected: Option<&str>) {
        let settings = LiveSettings::new(Settings::read(None).unwrap());
        let below = Below::default();
        let layers =
            (super::super::request_id::RequestIdLayer::new(), DeadlineLayer::new(settings));
        let mut service = layers.0.layer(layers.1.layer(below.clone()));
        let mut request = Request::get(path).body(()).unwrap();
        if let Some(asked) = asked {
            request.headers_mut().insert(GRPC_TIMEOUT, asked.parse().unwrap());
        }
        drop(service.call(request));
        assert_eq!(below.0.borrow().as_deref(), expected, "{path} {asked:?}");
    }

    #[test]
    fn unary_calls_have_a_limit_and_streams_only_the_one_they_ask_for() {
        let unary = "/foreword.v1.RecommendationService/Recommend";
        let stream = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        check(unary, None, Some("10000000u"));
        check(unary, Some("250m"), Some("250m"));
        check(unary, Some("99H"), Some("300000m"));
        check("/no/such", None, Some("10000000u"));
        check(stream, None, None);
        check(stream, Some("99H"), Some("99H"));
    }
}
