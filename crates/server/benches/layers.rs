//! What the layers around a handler cost: the CPU time of one thread for each call.
//!
//! `cargo bench -p server`. The service below answers at once with a message and trailers. The
//! log is off. The difference between the first line and each other is the cost of the layers.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use rustix::time::{ClockId, clock_gettime};
use server::access::keys::{self, NewKey};
use server::access::{Access, Roles};
use server::data_folder::DataFolder;
use server::layers::Stack;
use server::rates::RateLimits;
use server::settings::{LiveSettings, Settings};
use server::telemetry::traces::Traces;
use tower::Service;

const PATH: &str = "/foreword.v1.RecommendationService/Recommend";

/// One message, then trailers.
#[derive(Default)]
struct Answer {
    frames: Vec<Frame<Bytes>>,
}

impl Answer {
    fn new() -> Self {
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let data = Bytes::from_static(&[0; 205]);
        Self { frames: vec![Frame::trailers(trailers), Frame::data(data)] }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.frames.pop().map(Ok))
    }
}

fn handler(request: Request<()>) -> Ready<Result<Response<Answer>, Infallible>> {
    black_box(request);
    ready(Ok(Response::new(Answer::new())))
}

fn request(authorization: Option<&HeaderValue>) -> Request<()> {
    let mut request = Request::post(PATH)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", "grpc-python/1.85.1")
        .header("grpc-timeout", "2S")
        .body(())
        .expect("it is a request");
    if let Some(authorization) = authorization {
        request.headers_mut().insert("authorization", authorization.clone());
    }
    request
}

/// Calls, and reads the answer to its end; both are ready at once.
fn call<S, B>(service: &mut S, request: Request<()>) -> usize
where
    S: Service<Request<()>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(answer)) = pin!(service.call(request)).poll(&mut context) else {
        panic!("the answer is ready");
    };
    let mut body = pin!(answer.into_body());
    let mut frames = 0;
    while let Poll::Ready(Some(Ok(_))) = body.as_mut().poll_frame(&mut context) {
        frames += 1;
    }
    assert_eq!(frames, 2, "a message and trailers");
    frames
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn measure<S, B>(criterion: &mut Criterion, name: &str, mut service: S, key: Option<&HeaderValue>)
where
    S: Service<Request<()>, Response = Response<B>>,
    B: Body<Data = Bytes>,
{
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|calls| {
            let begun = thread_time();
            for _ in 0..calls {
                black_box(call(&mut service, request(key)));
            }
            thread_time().saturating_sub(begun)
        });
    });
}

fn stack(settings: &Settings, access: Access) -> Stack {
    Stack {
        settings: LiveSettings::new(settings.clone()),
        access: Arc::new(access),
        rates: RateLimits::new(settings.limits.rate()),
        traces: Traces::start(&settings.traces).expect("there is no collector"),
        metrics: Arc::default(),
    }
}

fn layers(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime needs no more than descriptors");
    let _entered = runtime.enter();
    measure(criterion, "no layers", tower::service_fn(handler), None);

    let settings = Settings::read(None).expect("the defaults are fine");
    let open = stack(&settings, Access::open(&settings).expect("nobody is asked"));
    measure(criterion, "layers, anonymous", open.around(tower::service_fn(handler)), None);

    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join("settings.toml");
    let text =
        "[access]\napi_keys = true\n[limits]\ncalls_per_second = 1000000\ncalls_burst = 1000000";
    std::fs::write(&path, text).expect("it can be written");
    let settings = Settings::read(Some(&path)).expect("they are fine");
    let access = Access::open(&settings).expect("there is no file of keys");
    let bearer = runtime.block_on(async {
        let store = DataFolder::new(folder.path()).store(&settings).await.expect("it is new");
        let new = NewKey { name: "bench".to_owned(), roles: Roles::all(), expires_ms: None };
        let (key, _) = keys::create(&store, &new, 0).await.expect("it has a name and roles");
        access.renew(&store).await.expect("it can be read");
        format!("Bearer {}", key.reveal())
    });
    let bearer = HeaderValue::try_from(bearer).expect("keys are fine in headers");
    let keyed = stack(&settings, access).around(tower::service_fn(handler));
    measure(criterion, "layers, API key and rate limit", keyed, Some(&bearer));
}

criterion_group!(benches, layers);
criterion_main!(benches);
