//! A client that sees what gRPC libraries hide: statuses of HTTP, headers, windows and resets.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::Code;

use super::within;

/// One connection of HTTP/2.
pub(crate) struct Client {
    send: SendRequest<Bytes>,
}

/// A request whose response has not begun.
pub(crate) struct Call {
    pub(crate) send: SendStream<Bytes>,
    response: ResponseFuture,
}

/// A response that has begun.
pub(crate) struct Open {
    pub(crate) send: SendStream<Bytes>,
    status: StatusCode,
    headers: HeaderMap,
    body: RecvStream,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// The head of a gRPC call.
pub(crate) fn grpc(path: &str) -> Request<()> {
    Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .unwrap()
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::connect_with(address, &Builder::new()).await
    }

    /// Connects with windows of its own.
    pub(crate) async fn connect_with(address: SocketAddr, builder: &Builder) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), builder).await
    }

    pub(crate) async fn over<T>(socket: T, builder: &Builder) -> Self
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (send, connection) = within(builder.handshake(socket)).await.unwrap();
        // Its end shows in the calls.
        tokio::spawn(connection);
        Self { send }
    }

    /// Sends the head of a request.
    pub(crate) async fn begin(&self, request: Request<()>) -> Call {
        let mut ready = within(self.send.clone().ready()).await.unwrap();
        let (response, send) = ready.send_request(request, false).unwrap();
        Call { send, response }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&self, request: Request<()>, body: impl Into<Bytes>) -> Answer {
        let mut call = self.begin(request).await;
        // Refused before its body was read: the answer says why.
        let _ = call.send.send_data(body.into(), true);
        call.answer().await.unwrap()
    }
}

impl Call {
    pub(crate) fn say(&mut self, bytes: impl Into<Bytes>) {
        self.send.send_data(bytes.into(), false).unwrap();
    }

    /// Waits for the head of the response.
    pub(crate) async fn open(self) -> Result<Open, h2::Error> {
        let (head, body) = within(self.response).await?.into_parts();
        Ok(Open { send: self.send, status: head.status, headers: head.headers, body })
    }

    pub(crate) async fn answer(self) -> Result<Answer, h2::Error> {
        self.open().await?.answer().await
    }
}

impl Open {
    pub(crate) fn say(&mut self, bytes: impl Into<Bytes>) {
        self.send.send_data(bytes.into(), false).unwrap();
    }

    /// The next bytes of the response.
    pub(crate) async fn piece(&mut self) -> Bytes {
        let bytes = within(self.body.data()).await.unwrap().unwrap();
        self.body.flow_control().release_capacity(bytes.len()).unwrap();
        bytes
    }

    /// The rest of the response, as far as the windows let it through.
    pub(crate) async fn answer(mut self) -> Result<Answer, h2::Error> {
        let mut body = Vec::new();
        while let Some(bytes) = within(self.body.data()).await.transpose()? {
            self.body.flow_control().release_capacity(bytes.len()).unwrap();
            body.extend(bytes);
        }
        let trailers = within(self.body.trailers()).await?;
        Ok(Answer { status: self.status, headers: self.headers, body, trailers })
    }

    /// How it ends if nobody takes what comes.
    pub(crate) async fn unread(mut self) -> h2::Error {
        loop {
            match within(self.body.data()).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("it ended well"),
            }
        }
    }
}

impl Answer {
    /// gRPC's status.
    pub(crate) fn code(&self) -> Code {
        let trailers = self.trailers.as_ref().unwrap_or(&self.headers);
        Code::from_bytes(trailers["grpc-status"].as_bytes())
    }
}
