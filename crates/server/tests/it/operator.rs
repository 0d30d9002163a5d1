//! An operator's HTTP client.

use std::net::SocketAddr;

use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use server::serve::Service;
use transport::Address;

/// Asks the port for operators of one service.
#[derive(Clone, Debug)]
pub(crate) struct Operator(SocketAddr);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Operator {
    pub(crate) fn of(service: &Service) -> Self {
        match service.admin_addresses() {
            [Address::Tcp(address)] => Self(*address),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Answer {
        let stream = tokio::net::TcpStream::connect(self.0).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", self.0.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// The page of metrics.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.text
    }

    /// The value of a sample by its name and labels, as the page writes them.
    pub(crate) async fn sample(&self, sample: &str) -> Option<f64> {
        let page = self.metrics().await;
        let found = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        found.map(|value| value.parse().unwrap())
    }
}
