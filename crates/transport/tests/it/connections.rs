//! How many connections there are, how long they live, and why they end.

use std::convert::Infallible;
use std::num::{NonZeroU32, NonZeroUsize};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use transport::{Ending, OtherRequests, RequestBody, Settings};

use crate::frames::{
    DUPLEX, PREFACE, call, call_block, code, data, frame, head, kind, last_data, message, reset,
    stream,
};
use crate::support::{
    Wire, ask, executor, millis, settings, start, start_service, start_testing, until, within,
};
use crate::testing::{ResponseParameters, StreamingOutputCallRequest};

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A message that asks for one answer of so many bytes.
pub(crate) fn asking_for(size: i32) -> Vec<u8> {
    let asked = ResponseParameters { size, ..ResponseParameters::default() };
    let request =
        StreamingOutputCallRequest { response_parameters: vec![asked], ..Default::default() };
    message(&request.encode_to_vec())
}

#[tokio::test]
async fn a_silent_connection_makes_room_for_a_new_one() {
    let running = start(Settings { connections_max: TWO, ..settings() });
    let _silent = [Wire::silent(running.address()).await, Wire::silent(running.address()).await];
    running.has_connections(2).await;
    let channel = running.channel().await;
    assert_eq!(ask(&channel, 1, 0).await.unwrap(), "for 1");
    running.ended(Ending::Displaced, 1).await;
    running.has_connections(2).await;
    assert_eq!(running.server.ended(Ending::NoRoom), 0);
}

#[tokio::test]
async fn a_connection_is_refused_when_all_others_are_busy() {
    let running = start_testing(Settings { connections_max: TWO, ..settings() });
    let mut busy = Vec::new();
    for count in 1..=2 {
        busy.push(Wire::open(running.address(), &call(1, DUPLEX)).await);
        running.has_streams(count).await;
    }
    assert_eq!(Wire::silent(running.address()).await.rest().await, []);
    running.ended(Ending::NoRoom, 1).await;
    for wire in &mut busy {
        wire.say(&data(1, &asking_for(3))).await;
        wire.next_of(kind::DATA).await;
    }
}

#[tokio::test]
async fn a_peer_without_a_preface_and_a_first_frame_is_closed() {
    let running = start(Settings { preface_timeout: millis(50), ..settings() });
    for (count, said) in (1..).zip([&b""[..], b"PRI", PREFACE, &[PREFACE, &[0; 5][..]].concat()]) {
        let mut wire = Wire::silent(running.address()).await;
        wire.say(said).await;
        wire.rest().await;
        running.ended(Ending::PrefaceTimeout, count).await;
    }
}

#[tokio::test]
async fn a_frame_or_a_block_of_headers_that_does_not_end_is_not_waited_for() {
    let running = start(Settings { header_timeout: millis(50), ..settings() });
    let block = frame(kind::HEADERS, 0, 1, &call_block(DUPLEX));
    let block_goes_on = [block.clone(), frame(kind::CONTINUATION, 0, 1, &[])].concat();
    let half_a_head = head(100, kind::SETTINGS, 0, 0)[..5].to_vec();
    let half_a_frame = head(6, kind::SETTINGS, 0, 0).to_vec();
    for (count, said) in (1..).zip([block, block_goes_on, half_a_head, half_a_frame]) {
        Wire::open(running.address(), &said).await.rest().await;
        running.ended(Ending::HeaderTimeout, count).await;
    }
}

#[tokio::test]
async fn headers_of_http_1_that_do_not_end_are_not_waited_for() {
    let running = start(Settings { header_timeout: millis(50), ..settings() });
    let mut socket = TcpStream::connect(running.address()).await.unwrap();
    socket.write_all(b"POST /call HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    within(socket.read_to_end(&mut Vec::new())).await.unwrap();
    running.ended(Ending::HeaderTimeout, 1).await;
}

#[tokio::test]
async fn an_idle_connection_is_told_to_go_and_closed() {
    let running = start(Settings { idle_timeout: millis(50), ..settings() });
    let mut wire = Wire::open(running.address(), &[]).await;
    assert_eq!(wire.next_of(kind::GOAWAY).await.goaway_code(), 0);
    wire.rest().await;
    running.ended(Ending::Idle, 1).await;
}

#[tokio::test]
async fn an_old_connection_is_told_to_go_and_its_calls_finish() {
    let running = start_testing(Settings { age_max: millis(100), ..settings() });
    let mut wire = Wire::open(running.address(), &call(1, DUPLEX)).await;
    assert_eq!(wire.next_of(kind::GOAWAY).await.goaway_code(), 0);
    wire.say(&data(1, &asking_for(3))).await;
    let answer = wire.next_of(kind::DATA).await;
    assert!(answer.payload.len() > 3, "{answer:?}");
    wire.say(&last_data(1, &[])).await;
    let rest = wire.rest().await;
    assert!(rest.iter().any(|frame| frame.stream == 1 && frame.ends_stream()), "{rest:?}");
    running.ended(Ending::Old, 1).await;
}

#[tokio::test]
async fn a_peer_that_does_not_go_is_closed_after_the_grace() {
    let limits = Settings { age_max: millis(50), age_grace: millis(50), ..settings() };
    let running = start_testing(limits);
    let wire = Wire::open(running.address(), &call(1, DUPLEX)).await;
    let frames = wire.rest().await;
    assert!(frames.iter().any(|frame| frame.kind == kind::GOAWAY), "{frames:?}");
    running.ended(Ending::Old, 1).await;
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_closed_and_one_that_does_stays() {
    let limits =
        Settings { keepalive_interval: millis(50), keepalive_timeout: millis(2000), ..settings() };
    let running = start_testing(limits);
    let dead = Wire::open(running.address(), &[]).await.deaf();
    let mut alive = Wire::open(running.address(), &[]).await;
    let living = tokio::spawn(async move {
        for _ in 0..10 {
            alive.next_of(kind::PING).await;
        }
        alive
    });
    dead.rest().await;
    running.ended(Ending::KeepaliveTimeout, 1).await;
    running.has_connections(1).await;
    let mut alive = living.await.unwrap();
    alive.say(&[call(1, DUPLEX), data(1, &asking_for(3))].concat()).await;
    alive.next_of(kind::DATA).await;
}

#[tokio::test]
async fn a_flood_of_frames_that_bring_nothing_is_told_to_calm_down() {
    let control_frames_per_second = NonZeroU32::new(10).unwrap();
    let running = start(Settings { control_frames_per_second, ..settings() });
    let ping = frame(kind::PING, 0, 0, &[0; 8]);
    let floods = [ping, frame(kind::SETTINGS, 0, 0, &[]), frame(kind::UNKNOWN, 0, 0, &[])];
    for (count, flood) in (1..).zip(floods) {
        let mut wire = Wire::open(running.address(), &flood.repeat(150)).await;
        let goaway = wire.next_of(kind::GOAWAY).await;
        assert_eq!(goaway.goaway_code(), code::ENHANCE_YOUR_CALM);
        wire.rest().await;
        running.ended(Ending::Flood, count).await;
    }
}

#[tokio::test]
async fn a_flood_of_resets_is_told_to_calm_down() {
    let running = start_testing(Settings { resets_per_second: NonZeroU32::MIN, ..settings() });
    let pairs = (0..15)
        .map(stream)
        .map(|stream| [call(stream, DUPLEX), reset(stream, code::CANCEL)].concat());
    let mut wire = Wire::open(running.address(), &pairs.collect::<Vec<_>>().concat()).await;
    let goaway = wire.next_of(kind::GOAWAY).await;
    assert_eq!((goaway.goaway_code(), goaway.number(0)), (code::ENHANCE_YOUR_CALM, 21));
    wire.rest().await;
    running.ended(Ending::Flood, 1).await;
}

#[tokio::test]
async fn peers_are_told_how_many_streams_they_may_open_and_more_are_refused() {
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    const REFUSED_STREAM: u32 = 7;
    let limits = Settings { streams_per_connection_max: NonZeroU32::new(7).unwrap(), ..settings() };
    let running = start_testing(limits);
    let calls: Vec<u8> = (0..8).flat_map(|number| call(stream(number), DUPLEX)).collect();
    let mut wire = Wire::open(running.address(), &calls).await;
    let told = wire.next_of(kind::SETTINGS).await.payload;
    let wanted = [&MAX_CONCURRENT_STREAMS.to_be_bytes()[..], &7_u32.to_be_bytes()].concat();
    assert!(told.chunks(6).any(|setting| setting == wanted), "{told:?}");
    let refused = wire.next_of(kind::RST_STREAM).await;
    assert_eq!((refused.stream, refused.number(0)), (stream(7), REFUSED_STREAM));
    running.has_streams(7).await;
}

#[tokio::test]
async fn two_loops_get_one_of_two_connections_each() {
    let limits = Settings {
        loops: TWO,
        other_requests: OtherRequests::PassOn,
        ..Settings::for_this_machine()
    };
    let service = tower::service_fn(|_: Request<RequestBody>| async {
        let name = std::thread::current().name().unwrap().to_owned();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(name)))
    });
    let running = start_service(limits, None, executor(), service);
    let mut sockets = Vec::new();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(running.address()).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(10).any(|part| part == b"transport-") || answer.ends_with(b"-") {
            assert_ne!(within(socket.read_buf(&mut answer)).await.unwrap(), 0);
        }
        answers.push(char::from(*answer.last().unwrap()));
        sockets.push(socket);
    }
    answers.sort_unstable();
    assert_eq!(answers, ['0', '1']);
    drop(sockets);
    until(|| running.server.figures().connections == 0).await;
    assert_eq!(running.server.figures().accepted, 2);
}
