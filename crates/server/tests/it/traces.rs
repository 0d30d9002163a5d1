//! Spans of real calls, as a collector receives them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use server::settings::Settings;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::{Code, Request, Response, Status};

use crate::running::{self, Running};

const RECOMMEND: &str = "/foreword.v1.RecommendationService/Recommend";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A collector that hands on what it takes, with the credentials that came along.
struct Collector(mpsc::UnboundedSender<(Option<String>, ExportTraceServiceRequest)>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let credentials = request.metadata().get("authorization");
        let credentials = credentials.map(|value| value.to_str().unwrap().to_owned());
        self.0.send((credentials, request.into_inner())).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// What a collector has received.
struct Received(mpsc::UnboundedReceiver<(Option<String>, ExportTraceServiceRequest)>);

impl Received {
    /// Starts a collector.
    async fn start() -> (SocketAddr, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (send, received) = mpsc::unbounded_channel();
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        let service = TraceServiceServer::new(Collector(send));
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
        (address, Self(received))
    }

    /// The spans of the calls, all of them that there are once the service has stopped.
    fn spans(&mut self) -> Vec<Span> {
        let mut spans = Vec::new();
        while let Ok((credentials, request)) = self.0.try_recv() {
            assert_eq!(credentials.as_deref(), Some("Bearer collector"));
            for resource in request.resource_spans {
                let about = resource.resource.unwrap().attributes;
                assert_eq!(text(&about, "service.name"), Some("foreword"));
                assert_eq!(text(&about, "service.version"), Some(env!("CARGO_PKG_VERSION")));
                assert!(text(&about, "service.instance.id").is_some_and(|id| id.len() == 36));
                spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        spans
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn settings(collector: SocketAddr, sample_ratio: f64) -> Settings {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "[traces]\notlp_endpoint = \"http://{collector}\"\nsample_ratio = {sample_ratio:?}\n\
         headers = \"authorization=Bearer collector\""
    )
    .unwrap();
    Settings::read(Some(file.path())).unwrap()
}

#[tokio::test]
async fn a_span_joins_its_callers_trace_and_says_how_the_call_ended() {
    let (address, mut received) = Received::start().await;
    let folder = running::full_shop().await;
    let running = Running::start_with(folder.path(), settings(address, 0.0)).await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str()), ("tracestate", "shop=1")];
    assert_eq!(running.call(RECOMMEND, &headers).await, Code::Ok);
    assert_eq!(running.call("/shop.Films/List", &headers).await, Code::Unimplemented);
    // The caller does not record, and without a caller the ratio decides: 0 here.
    let unsampled = format!("00-{TRACE}-{CALLER}-00");
    running.call(RECOMMEND, &[("traceparent", &unsampled)]).await;
    running.call(RECOMMEND, &[]).await;
    running.stop().await;
    let spans = received.spans();
    assert_eq!(spans.len(), 2, "{spans:#?}");
    for span in &spans {
        assert_eq!(hex(&span.trace_id), TRACE);
        assert_eq!(hex(&span.parent_span_id), CALLER);
        assert_ne!(hex(&span.span_id), CALLER);
        assert_eq!(span.kind(), SpanKind::Server);
        assert_eq!(span.trace_state, "shop=1");
        assert_eq!(span.flags & 1, 1);
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        assert_eq!(text(&span.attributes, "rpc.system.name"), Some("grpc"));
        assert!(text(&span.attributes, "foreword.request_id").is_some());
    }
    let fine = spans.iter().find(|span| span.name == RECOMMEND[1..]).unwrap();
    assert_eq!(text(&fine.attributes, "rpc.method"), Some(&RECOMMEND[1..]));
    assert_eq!(text(&fine.attributes, "rpc.response.status_code"), Some("OK"));
    assert_eq!(text(&fine.attributes, "error.type"), None);
    assert!(fine.status.as_ref().is_none_or(|status| status.code() == SpanStatus::Unset));
    let unknown = spans.iter().find(|span| span.name == "grpc").unwrap();
    assert_eq!(text(&unknown.attributes, "rpc.method"), Some("_OTHER"));
    assert_eq!(text(&unknown.attributes, "rpc.response.status_code"), Some("UNIMPLEMENTED"));
    assert_eq!(text(&unknown.attributes, "error.type"), Some("UNIMPLEMENTED"));
    assert_eq!(unknown.status.as_ref().unwrap().code(), SpanStatus::Error);
}

#[tokio::test]
async fn callers_that_record_all_of_theirs_are_followed_so_often_a_second() {
    const CALLS: usize = 1500;
    let (address, mut received) = Received::start().await;
    let folder = running::full_shop().await;
    let running = Running::start_with(folder.path(), settings(address, 0.0)).await;
    let parent = format!("00-{TRACE}-{CALLER}-01");
    let headers = [("traceparent", parent.as_str())];
    let began = Instant::now();
    stream::iter(0..CALLS)
        .for_each_concurrent(50, async |_| {
            assert_eq!(running.call(RECOMMEND, &headers).await, Code::Ok);
        })
        .await;
    // The first second and the last are not whole.
    let most = usize::try_from(began.elapsed().as_secs() + 2).unwrap() * 100;
    let refused = running.admin.sample("foreword_trace_spans_refused_total").await.unwrap();
    running.stop().await;
    let spans = received.spans().len();
    assert!(spans > 0 && spans <= most, "{spans} spans, expected {most} at most");
    assert_eq!(spans + refused as usize, CALLS);
}

#[tokio::test]
async fn without_a_caller_the_ratio_decides() {
    let (address, mut received) = Received::start().await;
    let folder = running::full_shop().await;
    let running = Running::start_with(folder.path(), settings(address, 1.0)).await;
    for _ in 0..5 {
        running.call(RECOMMEND, &[("traceparent", "00-no-context-01")]).await;
    }
    running.stop().await;
    let spans = received.spans();
    assert_eq!(spans.len(), 5);
    assert!(spans.iter().all(|span| span.parent_span_id.is_empty()));
    let mut traces: Vec<_> = spans.iter().map(|span| &span.trace_id).collect();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), 5);
}

#[tokio::test]
async fn a_collector_that_is_away_or_silent_holds_up_neither_calls_nor_the_stop() {
    let folder = running::full_shop().await;
    // Nobody listens on the first; the second accepts and never answers.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let running = Running::start_with(folder.path(), settings(address, 1.0)).await;
        for _ in 0..20 {
            assert_eq!(running.call(RECOMMEND, &[]).await, Code::Ok);
        }
        assert_eq!(running.admin.get("/readyz").await.status, StatusCode::OK);
        if address == closed {
            let failed = "foreword_trace_exports_failed_total";
            running::until(async || running.admin.sample(failed).await > Some(0.0)).await;
        }
        let began = Instant::now();
        running.stop().await;
        // Two seconds at most for the spans; the rest is what a slow machine takes.
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }
}
