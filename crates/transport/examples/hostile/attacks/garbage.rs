//! Bytes that are not what they should be: random, cut short, or another protocol.

use std::time::Duration;

use crate::arena::Arena;
use crate::case::{CUT_OFF, Case, Expected, USUAL};
use crate::frames::{PREFACE, UNARY, data, flag, frame, head, kind, setting, whole_call};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "random",
        attack_text: "sends random bytes",
        expected_text: "closed, with an error code or without",
        expected: CUT_OFF,
        attack: |arena| Box::pin(random(arena, Vec::new)),
        ..USUAL
    },
    Case {
        name: "random-frames",
        attack_text: "sends the preface, then random bytes",
        expected_text: "GOAWAY PROTOCOL_ERROR or FRAME_SIZE_ERROR",
        expected: CUT_OFF,
        attack: |arena| Box::pin(random(arena, || [PREFACE, &setting(2, 0)].concat())),
        ..USUAL
    },
    Case {
        name: "faulty-frames",
        attack_text: "sends frames that break the rules, one rule a connection",
        expected_text: "GOAWAY with the code of the fault",
        expected: CUT_OFF,
        attack: |arena| Box::pin(faulty(arena)),
        ..USUAL
    },
    Case {
        name: "cut-call",
        attack_text: "cuts a call at each of its bytes and stays silent, or goes",
        expected_text: "closed at the limits of preface, header block and message; nothing is left",
        expected: Expected::Anything,
        attack: |arena| Box::pin(cut_call(arena)),
        ..USUAL
    },
    Case {
        name: "http1-garbage",
        attack_text: "sends HTTP/1.1 requests that are ambiguous or no requests",
        expected_text: "400 or closed; a body's length is never guessed",
        expected: Expected::Anything,
        attack: |arena| Box::pin(http1(arena)),
        ..USUAL
    },
    Case {
        name: "http1-slow",
        attack_text: "sends the headers of an HTTP/1.1 request byte by byte",
        expected_text: "closed at the limit of a header block",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(http1_slow(arena, HEADERS, b"X-Slow: y\r\n")),
        ..USUAL
    },
    Case {
        name: "http1-slow-body",
        attack_text: "sends a gRPC-Web message byte by byte over HTTP/1.1",
        expected_text: "ended at the limit of a message",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(http1_slow(arena, WEB, &[0, 0, 0, 0xff, 0, 1, 2, 3, 4])),
        ..USUAL
    },
];

/// The beginning of an HTTP/1.1 request.
const HEADERS: &str = "POST / HTTP/1.1\r\nHost: localhost\r\n";

/// The whole head of a request in gRPC-Web.
const WEB: &str = "POST /grpc.testing.TestService/UnaryCall HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/grpc-web+proto\r\nContent-Length: 60000\r\n\r\n";

/// Numbers that look random and are the same in each run: xorshift, Marsaglia (2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

/// Sends random bytes, after a beginning that may be right. The server closes as soon as it
/// knows that they are no frames; what looks like the beginning of something has its limit.
async fn random(arena: Arena, beginning: fn() -> Vec<u8>) {
    let life = move |arena: Arena| async move {
        let mut connection = arena.connect().await?;
        let seed = arena.tally.seen().connections;
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ seed);
        connection.send(&[beginning(), numbers.bytes(4096)].concat()).await?;
        connection.hold().await
    };
    arena.swarm(8, life).await;
}

/// Breaks one rule of RFC 9113 on each connection.
async fn faulty(arena: Arena) {
    let faults = faults();
    let life = move |arena: Arena| {
        let faults = faults.clone();
        async move {
            let number = usize::try_from(arena.tally.seen().connections).unwrap_or_default();
            let mut connection = arena.hello(&faults[number % faults.len()]).await?;
            connection.hold().await
        }
    };
    arena.swarm(8, life).await;
}

fn faults() -> Vec<Vec<u8>> {
    let end = flag::END_HEADERS | flag::END_STREAM;
    vec![
        // On the connection as a whole.
        frame(kind::DATA, 0, 0, b"x"),
        frame(kind::HEADERS, end, 0, &[0x83]),
        // On a stream that was never opened.
        data(7, b"x"),
        frame(kind::RST_STREAM, 0, 9, &[0; 4]),
        frame(kind::CONTINUATION, flag::END_HEADERS, 1, &[]),
        // A stream that only a server may open, and numbers that go back.
        whole_call(2, UNARY, &[]),
        [whole_call(9, UNARY, &[]), whole_call(3, UNARY, &[])].concat(),
        // Lengths that are wrong for their type, or too large for any.
        frame(kind::PING, 0, 0, &[0; 7]),
        frame(kind::SETTINGS, 0, 0, &[0; 5]),
        frame(kind::WINDOW_UPDATE, 0, 0, &[0; 3]),
        frame(kind::SETTINGS, flag::ACK, 0, &[0; 6]),
        head((1 << 24) - 1, kind::DATA, 0, 1).to_vec(),
        // Padding that is longer than the frame.
        [whole_call(1, UNARY, &[]), frame(kind::HEADERS, flag::PADDED | end, 3, &[200, 1])]
            .concat(),
        // A header block that cannot be decoded: an entry of the table that there is not.
        frame(kind::HEADERS, end, 1, &[0xff, 0xff, 0x7f]),
        // Settings out of their bounds.
        setting(4, u32::MAX),
        setting(5, 1),
    ]
}

/// Sends a call up to each of its bytes in turn. Half of the attackers leave at once, the
/// others wait to be closed.
async fn cut_call(arena: Arena) {
    let call = [PREFACE, &setting(2, 0), &whole_call(1, UNARY, &[8, 1])].concat();
    let life = move |arena: Arena| {
        let call = call.clone();
        async move {
            let number = usize::try_from(arena.tally.seen().connections).unwrap_or_default();
            let mut connection = arena.connect().await?;
            connection.send(&call[..number / 2 % call.len()]).await?;
            if number % 2 == 0 { connection.hold().await } else { Ok(()) }
        }
    };
    arena.swarm(200, life).await;
}

/// Sends what is no request, or more than one, depending on who reads it.
async fn http1(arena: Arena) {
    const REQUESTS: [&[u8]; 7] = [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\nHost a\n\n\0\0\0\0",
        b"GET /\x00\xff HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
    ];
    let life = |arena: Arena| async move {
        let number = usize::try_from(arena.tally.seen().connections).unwrap_or_default();
        let mut connection = arena.connect_http1().await?;
        connection.send(REQUESTS[number % REQUESTS.len()]).await?;
        connection.pause(Duration::from_millis(500)).await
    };
    arena.swarm(8, life).await;
}

/// Takes its time over an HTTP/1.1 request. Its connection is closed when the time for what it
/// has begun is over.
async fn http1_slow(arena: Arena, beginning: &'static str, rest: &'static [u8]) {
    let life = move |arena: Arena| async move {
        let mut connection = arena.connect_http1().await?;
        connection.send(beginning.as_bytes()).await?;
        connection.dribble(&rest.repeat(100), Duration::from_millis(100)).await
    };
    arena.swarm(200, life).await;
}
