//! Calls that are right as HTTP/2 and wrong as gRPC.

use std::time::Duration;

use http::{Method, Request};

use crate::arena::Arena;
use crate::bombs::{gzip_zeros, zstd_zeros};
use crate::case::{Case, Expected, USUAL};
use crate::connection::Over;
use crate::frames::{UNARY, message, message_head};
use crate::requests::{Body, Polite, call, whole};

const INTERNAL: Expected = Expected::Answered(&["Internal"]);

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "gzip-bomb",
        attack_text: "sends messages of 1 MiB that gzip makes 160 MiB",
        expected_text: "RESOURCE_EXHAUSTED; nothing is unpacked beyond 4 MiB",
        expected: Expected::Answered(&["ResourceExhausted"]),
        memory_mib_max: 96,
        attack: |arena| Box::pin(ask_again(arena, gzip_bomb)),
        ..USUAL
    },
    Case {
        name: "zstd-bomb",
        attack_text: "sends messages of 32 kB that zstd makes 1 GiB",
        expected_text: "RESOURCE_EXHAUSTED; nothing is unpacked beyond 4 MiB",
        expected: Expected::Answered(&["ResourceExhausted"]),
        memory_mib_max: 96,
        attack: |arena| Box::pin(ask_again(arena, zstd_bomb)),
        ..USUAL
    },
    Case {
        name: "flag-without-encoding",
        attack_text: "marks a message as compressed and names no encoding",
        expected_text: "INTERNAL",
        expected: INTERNAL,
        attack: |arena| Box::pin(ask_again(arena, || flagged(1))),
        ..USUAL
    },
    Case {
        name: "flag-unknown",
        attack_text: "sets the compressed flag to 2 and to 255",
        expected_text: "INTERNAL",
        expected: INTERNAL,
        attack: |arena| {
            Box::pin(async {
                tokio::join!(
                    ask_again(arena.clone(), || flagged(2)),
                    ask_again(arena, || flagged(255))
                );
            })
        },
        ..USUAL
    },
    Case {
        name: "encoding-unknown",
        attack_text: "names an encoding that is not served",
        expected_text: "UNIMPLEMENTED",
        expected: Expected::Answered(&["Unimplemented"]),
        attack: |arena| Box::pin(ask_again(arena, || encoded(b"snappy", b"abc"))),
        ..USUAL
    },
    Case {
        name: "encoding-garbage",
        attack_text: "sends what gzip cannot unpack",
        expected_text: "INTERNAL",
        expected: INTERNAL,
        attack: |arena| Box::pin(ask_again(arena, || encoded(b"gzip", &[0x55; 200]))),
        ..USUAL
    },
    Case {
        name: "protobuf-garbage",
        attack_text: "sends a message that is no protobuf",
        expected_text: "INTERNAL",
        expected: INTERNAL,
        attack: |arena| Box::pin(ask_again(arena, || plain(&[0xff; 64]))),
        ..USUAL
    },
    Case {
        name: "utf8-field",
        attack_text: "sends a string that is not UTF-8",
        expected_text: "INTERNAL",
        expected: INTERNAL,
        // `response_status`, field 7, with its `message`, field 2.
        attack: |arena| Box::pin(ask_again(arena, || plain(&[0x3a, 4, 0x12, 2, 0xc3, 0x28]))),
        ..USUAL
    },
    Case {
        name: "utf8-header",
        attack_text: "sends metadata that is not ASCII, and binary metadata that is not base64",
        expected_text: "HTTP 400, INTERNAL; the connection goes on",
        expected: Expected::Answered(&["HTTP 400 Internal"]),
        attack: |arena| Box::pin(ask_again(arena, odd_metadata)),
        ..USUAL
    },
    Case {
        name: "wrong-method",
        attack_text: "sends GET",
        expected_text: "HTTP 405, INTERNAL",
        expected: Expected::Answered(&["HTTP 405 Internal"]),
        attack: |arena| Box::pin(ask_again(arena, get)),
        ..USUAL
    },
    Case {
        name: "wrong-content-type",
        attack_text: "sends `text/plain`",
        expected_text: "HTTP 415",
        expected: Expected::Answered(&["HTTP 415", "HTTP 415 InvalidArgument"]),
        attack: |arena| {
            Box::pin(ask_again(arena, || {
                call(UNARY, &[("content-type", b"text/plain")], whole(message(&[])))
            }))
        },
        ..USUAL
    },
    Case {
        name: "wrong-timeout",
        attack_text: "sends a `grpc-timeout` that is none",
        expected_text: "HTTP 400, INTERNAL",
        expected: Expected::Answered(&["HTTP 400 Internal"]),
        attack: |arena| {
            Box::pin(ask_again(arena, || {
                call(UNARY, &[("grpc-timeout", b"soon")], whole(message(&[])))
            }))
        },
        ..USUAL
    },
    Case {
        name: "wrong-path",
        attack_text: "calls methods that there are not",
        expected_text: "UNIMPLEMENTED",
        expected: Expected::Answered(&["Unimplemented"]),
        attack: |arena| {
            Box::pin(ask_again(arena, || call("/a/../b//%00", &[], whole(message(&[])))))
        },
        ..USUAL
    },
];

/// Makes the same odd call again and again, a hundred times a second on each of two
/// connections. The status says what is wrong, and the connection goes on.
async fn ask_again(arena: Arena, request: fn() -> Request<Body>) {
    let life = move |arena: Arena| async move {
        let mut polite = Polite::connect(&arena).await?;
        while !arena.is_over() {
            polite.ask(request()).await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err::<(), _>(Over::TimeUp)
    };
    arena.swarm(2, life).await;
}

fn plain(bytes: &[u8]) -> Request<Body> {
    call(UNARY, &[], whole(message(bytes)))
}

fn flagged(compressed: u8) -> Request<Body> {
    call(UNARY, &[], whole([&message_head(compressed, 3)[..], b"abc"].concat()))
}

fn encoded(encoding: &'static [u8], bytes: &[u8]) -> Request<Body> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let body = [&message_head(1, length)[..], bytes].concat();
    call(UNARY, &[("grpc-encoding", encoding)], whole(body))
}

fn gzip_bomb() -> Request<Body> {
    encoded(b"gzip", &gzip_zeros(160 << 20))
}

fn zstd_bomb() -> Request<Body> {
    encoded(b"zstd", &zstd_zeros(1 << 30))
}

fn odd_metadata() -> Request<Body> {
    let odd: [(_, &[u8]); 2] = [("x-latin", &[0xe9, 0xff, 0x80]), ("x-odd-bin", b"***")];
    call(UNARY, &odd, whole(message(&[])))
}

fn get() -> Request<Body> {
    let mut request = call(UNARY, &[], whole(Vec::new()));
    *request.method_mut() = Method::GET;
    request
}
