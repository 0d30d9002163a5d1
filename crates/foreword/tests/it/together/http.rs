//! One question over HTTP/1.1, on a connection of its own, as a kubelet or a visitor who has just
//! come asks it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    /// 0 if there was no answer.
    pub(super) status: u16,
    /// With the headers.
    pub(super) text: String,
}

/// Asks for a path, for so long; `headers` are whole lines.
pub(super) async fn get(at: SocketAddr, path: &str, headers: &str, limit: Duration) -> Answer {
    ask(at, &format!("GET {path} HTTP/1.1\r\n{headers}"), "", limit).await
}

/// Sends a form.
pub(super) async fn post(
    at: SocketAddr,
    path: &str,
    headers: &str,
    form: &str,
    limit: Duration,
) -> Answer {
    let is_form = "content-type: application/x-www-form-urlencoded";
    let head =
        format!("POST {path} HTTP/1.1\r\n{is_form}\r\ncontent-length: {}\r\n{headers}", form.len());
    ask(at, &head, form, limit).await
}

async fn ask(at: SocketAddr, head: &str, body: &str, limit: Duration) -> Answer {
    let question = format!("{head}host: {at}\r\nconnection: close\r\n\r\n{body}");
    let text = timeout(limit, read(at, &question)).await;
    let text = text.ok().and_then(Result::ok).unwrap_or_default();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, text }
}

async fn read(at: SocketAddr, question: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
