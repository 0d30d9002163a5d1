//! A name server on loopback, which speaks as much of RFC 1035 as one question needs.
//!
//! It answers over UDP, for every name alike, on a thread of its own that ends with it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::{io, mem};

/// The longest question that is read.
const QUESTION_BYTES: usize = 512;

/// The header of a message.
const HEADER_BYTES: usize = 12;

/// The type of records with an IPv4 address.
const A: [u8; 2] = [0, 1];

/// What the name server says of every name.
#[derive(Clone, Debug)]
pub enum Zone {
    /// It has these addresses, for so many seconds.
    Addresses(Vec<Ipv4Addr>, u32),
    /// The same, for no time, while questions for IPv6 fail or are not answered.
    OnlyFour(Vec<Ipv4Addr>, Six),
    /// There is no such name.
    Missing,
    /// Nothing.
    Silence,
}

/// What comes of questions for IPv6.
#[derive(Clone, Copy, Debug)]
pub enum Six {
    /// The server says that it failed.
    Fails,
    /// There is no answer.
    Silence,
}

/// A name server. Of names whose first label is `silent` it says nothing, whatever its zone.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// If there is no socket for it.
    pub fn start(zone: Zone) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = socket.local_addr()?;
        let zone = Arc::new(Mutex::new(zone));
        let told = Arc::clone(&zone);
        let thread = thread::spawn(move || answer_all(&socket, &told));
        Ok(Self { address, zone, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it says.
    pub fn set(&self, zone: Zone) {
        *self.zone.lock().unwrap_or_else(PoisonError::into_inner) = zone;
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        // No question is empty: this one ends the thread.
        let told = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.send_to(&[], self.address));
        if let (Ok(_), Some(thread)) = (told, self.thread.take()) {
            // It has nothing to say.
            mem::drop(thread.join());
        }
    }
}

/// Answers until an empty message comes.
fn answer_all(socket: &UdpSocket, zone: &Mutex<Zone>) {
    let mut question = [0; QUESTION_BYTES];
    while let Ok((length @ 1.., from)) = socket.recv_from(&mut question) {
        let zone = zone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(answer) = answer(&question[..length], &zone) {
            // Who does not get it asks again.
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn answer(question: &[u8], zone: &Zone) -> Option<Vec<u8>> {
    let name_bytes = question.get(HEADER_BYTES..)?.iter().position(|byte| *byte == 0)? + 1;
    let asked = question.get(HEADER_BYTES..HEADER_BYTES + name_bytes + 4)?;
    let kind = &asked[name_bytes..name_bytes + 2];
    if asked.starts_with(b"\x06silent") {
        return None;
    }
    let (addresses, seconds, code) = match zone {
        Zone::Silence => return None,
        Zone::OnlyFour(addresses, _) if kind == A => (&addresses[..], 0, 0),
        Zone::OnlyFour(_, Six::Fails) => (&[][..], 0, 2),
        Zone::OnlyFour(_, Six::Silence) => return None,
        Zone::Missing => (&[][..], 0, 3),
        Zone::Addresses(addresses, seconds) if kind == A => (&addresses[..], *seconds, 0),
        Zone::Addresses(..) => (&[][..], 0, 0),
    };
    // The question's number; an answer, recursion wanted and offered; one question.
    let mut answer = [&question[..2], &[0x81, 0x80 | code, 0, 1]].concat();
    answer.extend([0, u8::try_from(addresses.len()).ok()?, 0, 0, 0, 0]);
    answer.extend(asked);
    for address in addresses {
        // The name is the one at byte 12, the class is IN.
        answer.extend([0xc0, 12, 0, 1, 0, 1]);
        answer.extend(seconds.to_be_bytes());
        answer.extend([0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
