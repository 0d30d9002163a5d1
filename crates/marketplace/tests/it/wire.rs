//! Requests as they are written, for what no browser would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::browser::Browser;
use crate::shop::Shop;

/// An answer is there by then.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// A request without a body that tells the shop to close the connection after it.
pub(crate) fn get(target: &str, host: &str, browser: &Browser) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{}Connection: close\r\n\r\n", cookie(browser))
}

/// The line with the cookies of a browser.
pub(crate) fn cookie(browser: &Browser) -> String {
    let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    format!("Cookie: {}\r\n", cookies.collect::<Vec<_>>().join("; "))
}

/// What the shop answers to bytes.
pub(crate) async fn say(shop: &Shop, request: &[u8]) -> String {
    let (answer, _) = say_on(shop, request, b"").await;
    answer
}

/// Says something, and then a piece of it again and again until the shop ends the connection.
/// Returns the answer, and how many bytes of pieces were taken.
pub(crate) async fn say_on(shop: &Shop, begin: &[u8], piece: &[u8]) -> (String, usize) {
    let (_, address) = shop.url.split_once("://").unwrap();
    let (mut answer, mut request) = TcpStream::connect(address).await.unwrap().into_split();
    let mut taken = 0;
    let mut text = Vec::new();
    let saying = async {
        let mut said = request.write_all(begin).await;
        while said.is_ok() && !piece.is_empty() {
            said = request.write_all(piece).await;
            taken += piece.len();
        }
        std::future::pending::<()>().await;
    };
    let listening = async {
        let mut bytes = [0; 16 << 10];
        // A connection that is reset after its answer has answered.
        while let Ok(read @ 1..) = answer.read(&mut bytes).await {
            text.extend_from_slice(&bytes[..read]);
        }
    };
    let answered = async {
        tokio::select! {
            () = listening => {}
            () = saying => {}
        }
    };
    tokio::time::timeout(ANSWERED_WITHIN, answered).await.unwrap();
    (String::from_utf8_lossy(&text).into_owned(), taken)
}
