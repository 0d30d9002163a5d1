//! One connection of an attacker: writes whatever it is told to, and notes what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use crate::arena::{Arena, Wire};
use crate::frames::{PREFACE, flag, frame, kind, setting};

/// Why an attacker stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The server has closed the connection, or did not accept it.
    Closed,
    /// The attack is over.
    TimeUp,
}

/// Whether the server's PINGs are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manners {
    Answering,
    Mute,
}

/// Shared with the reader, which answers PINGs.
type Writer = Arc<Mutex<WriteHalf<Box<dyn Wire>>>>;

/// What is not read, and who would tell of it.
type Unread = (ReadHalf<Box<dyn Wire>>, watch::Sender<State>);

/// An open connection.
pub(crate) struct Connection {
    arena: Arena,
    opened: Instant,
    writer: Writer,
    /// What the reader has seen; its sender is gone once the server has closed.
    state: watch::Receiver<State>,
    reader: Option<JoinHandle<()>>,
    /// Kept, so that nothing is read and nothing is closed.
    _unread: Option<Unread>,
    closed: Arc<AtomicBool>,
}

/// What the reader has seen.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    settings: bool,
    /// Streams that ended, by an answer or a reset.
    ended: u32,
}

impl Connection {
    /// A connection of which everything that the server sends is read.
    pub(crate) fn reading(wire: Box<dyn Wire>, arena: Arena, manners: Manners) -> Self {
        let (reader, writer) = tokio::io::split(wire);
        let writer = Arc::new(Mutex::new(writer));
        let (seen, state) = watch::channel(State::default());
        let closed = Arc::new(AtomicBool::new(false));
        let pongs = (manners == Manners::Answering).then(|| Arc::clone(&writer));
        let reading = Reading { arena: arena.clone(), seen, closed: Arc::clone(&closed), pongs };
        let task = tokio::spawn(reading.read(reader));
        Self::new(arena, writer, state, Some(task), None, closed)
    }

    /// A connection of which nothing is read.
    pub(crate) fn deaf(wire: Box<dyn Wire>, arena: Arena) -> Self {
        let (reader, writer) = tokio::io::split(wire);
        let writer = Arc::new(Mutex::new(writer));
        let (seen, state) = watch::channel(State::default());
        Self::new(arena, writer, state, None, Some((reader, seen)), Arc::default())
    }

    fn new(
        arena: Arena,
        writer: Writer,
        state: watch::Receiver<State>,
        reader: Option<JoinHandle<()>>,
        unread: Option<Unread>,
        closed: Arc<AtomicBool>,
    ) -> Self {
        arena.tally.note(|seen| seen.connections += 1);
        let opened = Instant::now();
        Self { arena, opened, writer, state, reader, _unread: unread, closed }
    }

    /// Says the preface, an empty SETTINGS frame and these frames; acknowledges the server's
    /// settings.
    pub(crate) async fn hello(&mut self, frames: &[u8]) -> Result<(), Over> {
        // SETTINGS_ENABLE_PUSH 0, as every gRPC client sends it.
        self.send(&[PREFACE, &setting(2, 0), frames].concat()).await?;
        let mut state = self.state.clone();
        let settings = async { state.wait_for(|state| state.settings).await.map(drop) };
        match timeout_at(self.arena.until, settings).await {
            Ok(Ok(())) => self.send(&frame(kind::SETTINGS, flag::ACK, 0, &[])).await,
            Ok(Err(_)) => Err(Over::Closed),
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// Writes and flushes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Over> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Over::Closed);
        }
        let write = async {
            let mut writer = self.writer.lock().await;
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        match timeout_at(self.arena.until, write).await {
            Ok(Ok(())) => {
                self.arena.tally.note(|seen| seen.sent_bytes += bytes.len() as u64);
                Ok(())
            }
            Ok(Err(_)) => {
                self.closed.store(true, Ordering::Relaxed);
                self.read_to_the_end().await;
                Err(Over::Closed)
            }
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// Writes the same again and again, until it is cut off or the attack is over.
    pub(crate) async fn flood(&mut self, bytes: &[u8]) -> Result<(), Over> {
        loop {
            self.send(bytes).await?;
            // A server on the same machine needs the CPU more.
            tokio::task::yield_now().await;
        }
    }

    /// Writes byte by byte.
    pub(crate) async fn dribble(&mut self, bytes: &[u8], every: Duration) -> Result<(), Over> {
        for byte in bytes {
            self.send(&[*byte]).await?;
            self.pause(every).await?;
        }
        Ok(())
    }

    /// Waits, unless it is cut off or the attack is over.
    pub(crate) async fn pause(&mut self, time: Duration) -> Result<(), Over> {
        let mut state = self.state.clone();
        tokio::select! {
            _ = state.wait_for(|_| false) => Err(Over::Closed),
            () = sleep(time) => if self.arena.is_over() { Err(Over::TimeUp) } else { Ok(()) },
        }
    }

    /// Waits until the server closes, or the attack is over.
    pub(crate) async fn hold(&mut self) -> Result<(), Over> {
        let mut state = self.state.clone();
        let closed = async { state.wait_for(|_| false).await.map(drop) };
        match timeout_at(self.arena.until, closed).await {
            Ok(_) => Err(Over::Closed),
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// Waits until so many streams have ended, for so long at most; whether they have.
    pub(crate) async fn ended(&mut self, streams: u32, at_most: Duration) -> Result<bool, Over> {
        let end = self.arena.until.min(Instant::now() + at_most);
        let mut state = self.state.clone();
        let ended = async { state.wait_for(|state| state.ended >= streams).await.map(drop) };
        match timeout_at(end, ended).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(_)) => Err(Over::Closed),
            Err(_) if self.arena.is_over() => Err(Over::TimeUp),
            Err(_) => Ok(false),
        }
    }

    /// What the server said before it closed may still be on its way.
    async fn read_to_the_end(&mut self) {
        if let Some(reader) = &mut self.reader {
            // It ends by itself: the connection is gone.
            let _ = tokio::time::timeout(Duration::from_millis(200), reader).await;
            self.reader = None;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
        self.arena.tally.ended(self.opened.elapsed(), self.closed.load(Ordering::Relaxed));
    }
}

/// Reads what the server sends.
struct Reading {
    arena: Arena,
    seen: watch::Sender<State>,
    closed: Arc<AtomicBool>,
    /// Where PINGs are answered, if they are.
    pongs: Option<Writer>,
}

impl Reading {
    /// Reads frames until the server closes.
    async fn read(self, mut reader: ReadHalf<Box<dyn Wire>>) {
        let mut payload = Vec::new();
        while let Ok((head, length)) = read_head(&mut reader).await {
            payload.resize(length, 0);
            if reader.read_exact(&mut payload).await.is_err() {
                break;
            }
            self.arena.tally.note(|seen| seen.received_bytes += length as u64 + 9);
            self.note(head, &payload);
            if head == [kind::PING, 0] {
                self.pong(&payload).await;
            }
        }
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Answers a PING, unless the connection is just being written to.
    async fn pong(&self, payload: &[u8]) {
        if let Some(mut writer) = self.pongs.as_ref().and_then(|writer| writer.try_lock().ok()) {
            let pong = frame(kind::PING, flag::ACK, 0, payload);
            // If it is closed, the reader sees that too.
            let _ = timeout_at(self.arena.until, writer.write_all(&pong)).await;
            let _ = timeout_at(self.arena.until, writer.flush()).await;
        }
    }

    fn note(&self, [kind, flags]: [u8; 2], payload: &[u8]) {
        let number = |at: usize| {
            let bytes = payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            u32::from_be_bytes(bytes.unwrap_or_default())
        };
        let tally = &self.arena.tally;
        match kind {
            kind::SETTINGS if flags & flag::ACK == 0 => {
                for setting in payload.chunks_exact(6) {
                    let identifier = u16::from_be_bytes([setting[0], setting[1]]);
                    let value =
                        u32::from_be_bytes([setting[2], setting[3], setting[4], setting[5]]);
                    tally.note(|seen| _ = seen.settings.insert(identifier, value));
                }
                self.seen.send_modify(|state| state.settings = true);
            }
            kind::GOAWAY => tally.goaway(number(4)),
            kind::RST_STREAM => {
                tally.reset(number(0));
                self.seen.send_modify(|state| state.ended += 1);
            }
            kind::HEADERS | kind::DATA if flags & flag::END_STREAM != 0 => {
                self.seen.send_modify(|state| state.ended += 1);
            }
            _ => {}
        }
    }
}

/// The type and the flags of the next frame, and its length.
async fn read_head(reader: &mut ReadHalf<Box<dyn Wire>>) -> std::io::Result<([u8; 2], usize)> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    Ok(([head[3], head[4]], length))
}
