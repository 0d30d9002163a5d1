//! A connection between the shop and the service that can be made to fail.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of connections, those that are open included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Bytes go through.
    Fair,
    /// They come so much later, or once the weather changes.
    Slow(Duration),
    /// Connections are closed.
    Down,
    /// Connections are taken, and nothing goes through any more.
    HalfOpen,
    /// They break in the middle of an answer: after so many bytes of answers from now on.
    Torn(usize),
    /// Answers have as many bytes as they had, and make no sense.
    Rubbish,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Question,
    Answer,
}

/// A proxy; it ends with its value.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<()>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, seen) = watch::channel(Weather::Fair);
        let (cuts, _) = watch::channel(());
        let cutter = cuts.clone();
        tokio::spawn(async move {
            let mut ended = seen.clone();
            loop {
                let client = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    Err(_) = ended.wait_for(|_| false) => return,
                };
                tokio::spawn(carry(client, to, seen.clone(), cutter.subscribe()));
            }
        });
        Self { address, weather, cuts }
    }

    pub(crate) fn make(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Closes the connections that are open; others may follow.
    pub(crate) fn cut(&self) {
        self.cuts.send_replace(());
    }
}

async fn carry(
    client: TcpStream,
    to: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    mut cuts: watch::Receiver<()>,
) {
    if *weather.borrow() == Weather::Down {
        return;
    }
    let Ok(server) = TcpStream::connect(to).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (one, other) = (weather.clone(), weather.clone());
    let down = async move {
        // An error means that the test is over.
        let _ = weather.wait_for(|weather| *weather == Weather::Down).await;
    };
    tokio::select! {
        () = pipe(Way::Question, from_client, to_server, one) => {}
        () = pipe(Way::Answer, from_server, to_client, other) => {}
        () = down => {}
        _ = cuts.changed() => {}
    }
}

async fn pipe(
    way: Way,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
) {
    let mut bytes = [0; 16 << 10];
    let mut answered = 0;
    while let Ok(mut read @ 1..) = from.read(&mut bytes).await {
        let now = *weather.borrow();
        match (now, way) {
            (Weather::Slow(late), _) => {
                let changed = weather.wait_for(|weather| *weather != now);
                let _ = tokio::time::timeout(late, changed).await;
            }
            (Weather::HalfOpen, _) => {
                let _ = weather.wait_for(|weather| *weather != Weather::HalfOpen).await;
            }
            (Weather::Torn(most), Way::Answer) => {
                read = read.min(most - answered);
                answered += read;
            }
            (Weather::Rubbish, Way::Answer) => bytes[..read].fill(b'?'),
            (Weather::Fair | Weather::Down, _) | (_, Way::Question) => {}
        }
        let is_torn = matches!(now, Weather::Torn(most) if answered == most);
        if to.write_all(&bytes[..read]).await.is_err() || is_torn {
            return;
        }
    }
}
