//! A client of HTTP/1.1 whose requests are written by hand.

use std::net::SocketAddr;

use http::HeaderMap;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

use super::within;

/// One connection.
pub(crate) struct Http1 {
    socket: BufStream<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Http1 {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        Self { socket: BufStream::new(socket) }
    }

    /// Sends bytes, as they are.
    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // The server may have closed already: the answer says why.
        let _ = within(self.socket.write_all(bytes.as_ref())).await;
        let _ = within(self.socket.flush()).await;
    }

    /// Posts a body, and waits for the answer.
    pub(crate) async fn post(&mut self, path: &str, headers: &[&str], body: &str) -> Told {
        let length = format!("content-length: {}", body.len());
        let headers = [&["host: localhost", &length], headers].concat().join("\r\n");
        self.say(format!("POST {path} HTTP/1.1\r\n{headers}\r\n\r\n{body}")).await;
        self.answer().await
    }

    /// The same in JSON.
    pub(crate) async fn ask(&mut self, path: &str, json: &str) -> Told {
        self.post(path, &["content-type: application/json"], json).await
    }

    /// Waits for an answer with a length, or without a body.
    pub(crate) async fn answer(&mut self) -> Told {
        let line = self.line().await;
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line:?}"));
        let status = status.parse().unwrap();
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(": ") else { break };
            let name = http::HeaderName::try_from(name).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let length = headers.get("content-length").map(|length| length.to_str().unwrap());
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        within(self.socket.read_exact(&mut body)).await.unwrap();
        Told { status, headers, body: String::from_utf8(body).unwrap() }
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        within(self.socket.read_line(&mut line)).await.unwrap();
        line.truncate(line.trim_end().len());
        line
    }
}

impl Told {
    /// The error, with its code and its message.
    pub(crate) fn error(&self) -> (String, String) {
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        let error: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("code"), text("message"))
    }
}
