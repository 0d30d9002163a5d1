//! Messages that are too long, never end, lie, or are not read.

use std::num::NonZeroUsize;

use h2::client::Builder;
use prost::Message as _;
use tonic::Code;
use transport::{Ending, Settings};

use crate::bombs::{gzip_zeros, zstd_zeros};
use crate::connections::asking_for;
use crate::frames::{DUPLEX, UNARY, initial_window, kind, message, message_head, whole_call};
use crate::support::{Client, Wire, grpc, millis, settings, start_testing, until};
use crate::testing::{
    Payload, SimpleRequest, StreamingInputCallRequest, StreamingInputCallResponse,
};

const UPLOAD: &str = "/grpc.testing.TestService/StreamingInputCall";

/// A limit on bytes.
fn bytes(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// A message of an upload with so many bytes of payload.
fn upload(count: usize) -> Vec<u8> {
    let payload = Some(Payload { body: vec![7; count], ..Payload::default() });
    message(&StreamingInputCallRequest { payload, ..Default::default() }.encode_to_vec())
}

/// How many bytes of payload the server has read.
fn uploaded(body: &[u8]) -> usize {
    let answer = StreamingInputCallResponse::decode(&body[5..]).unwrap();
    answer.aggregated_payload_size.try_into().unwrap()
}

#[tokio::test]
async fn a_message_is_refused_by_its_announced_length() {
    let running = start_testing(Settings { message_bytes_max: bytes(1000), ..settings() });
    let client = Client::connect(running.address()).await;
    for path in [UNARY, UPLOAD, DUPLEX] {
        let mut call = client.begin(grpc(path)).await;
        call.say(message_head(0, 1001).to_vec());
        assert_eq!(call.answer().await.unwrap().code(), Code::ResourceExhausted, "{path}");
    }
    let fits = client.ask(grpc(UPLOAD), upload(900)).await;
    assert_eq!((fits.code(), uploaded(&fits.body)), (Code::Ok, 900));
}

#[tokio::test]
async fn a_message_that_is_begun_and_not_ended_is_not_waited_for() {
    let running = start_testing(Settings { message_timeout: millis(50), ..settings() });
    let client = Client::connect(running.address()).await;
    let (head, part) = (message_head(0, 100), &upload(100)[..50]);
    for begun in [&head[..1], &head[..], part] {
        let mut call = client.begin(grpc(UPLOAD)).await;
        call.say(begun.to_vec());
        let code = call.answer().await.unwrap().code();
        assert_eq!(code, Code::DeadlineExceeded, "{} bytes", begun.len());
    }
    until(|| running.server.figures().unfinished_bytes == 0).await;
}

#[tokio::test]
async fn whoever_fills_the_room_for_unfinished_messages_loses_it_to_others() {
    let running = start_testing(Settings { unfinished_bytes_max: bytes(100_000), ..settings() });
    let held = || running.server.figures().unfinished_bytes;
    let greedy = Client::connect(running.address()).await;
    let mut greedy_calls = Vec::new();
    for count in 1..=10 {
        let mut call = greedy.begin(grpc(UPLOAD)).await;
        call.say(message_head(0, 9_000).to_vec());
        until(|| held() == count * 9_000).await;
        greedy_calls.push(call);
    }
    let good = Client::connect(running.address()).await;
    let message = upload(50_000);
    let (begin, rest) = message.split_at(1000);
    let mut call = good.begin(grpc(UPLOAD)).await;
    call.say(begin.to_vec());
    for call in greedy_calls.drain(..5) {
        assert_eq!(call.answer().await.unwrap().code(), Code::ResourceExhausted);
    }
    call.send.send_data(rest.to_vec().into(), true).unwrap();
    let answer = call.answer().await.unwrap();
    assert_eq!((answer.code(), uploaded(&answer.body)), (Code::Ok, 50_000));
    until(|| held() == 45_000).await;
    drop((greedy_calls, greedy));
    until(|| held() == 0).await;
}

#[tokio::test]
async fn a_message_with_an_unknown_flag_is_refused() {
    let running = start_testing(settings());
    let client = Client::connect(running.address()).await;
    for path in [UNARY, UPLOAD, DUPLEX] {
        let answer = client.ask(grpc(path), message_head(2, 0).to_vec()).await;
        assert_eq!(answer.code(), Code::Internal, "{path}");
    }
}

#[tokio::test]
async fn a_small_message_that_unpacks_to_a_large_one_is_refused() {
    const UNPACKED: usize = 64 << 20;
    let running = start_testing(settings());
    let client = Client::connect(running.address()).await;
    for (encoding, bomb) in [("gzip", gzip_zeros(UNPACKED)), ("zstd", zstd_zeros(UNPACKED))] {
        assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
        let mut request = grpc(UNARY);
        request.headers_mut().insert("grpc-encoding", encoding.parse().unwrap());
        let length = u32::try_from(bomb.len()).unwrap();
        let packed = [&message_head(1, length)[..], &bomb].concat();
        let answer = client.ask(request, packed).await;
        assert_eq!(answer.code(), Code::ResourceExhausted, "{encoding}");
    }
}

#[tokio::test]
async fn a_stream_that_its_reader_leaves_unread_is_reset_and_the_connection_lives() {
    let running = start_testing(Settings { reader_timeout: millis(200), ..settings() });
    let windows =
        Builder::new().initial_window_size(1000).initial_connection_window_size(1 << 20).clone();
    let client = Client::connect_with(running.address(), &windows).await;
    let mut call = client.begin(grpc(DUPLEX)).await;
    call.say(asking_for(200_000));
    let error = call.open().await.unwrap().unread().await;
    assert!(error.is_reset(), "{error}");
    running.has_streams(0).await;
    let small = SimpleRequest { response_size: 500, ..SimpleRequest::default() };
    let answer = client.ask(grpc(UNARY), message(&small.encode_to_vec())).await;
    assert_eq!(answer.code(), Code::Ok);
    assert_eq!(running.server.figures().accepted, 1);
}

#[tokio::test]
async fn a_peer_that_takes_none_of_its_answers_is_closed() {
    let running = start_testing(Settings { reader_timeout: millis(200), ..settings() });
    let small = SimpleRequest { response_size: 100, ..SimpleRequest::default() };
    let call = whole_call(1, UNARY, &small.encode_to_vec());
    let wire = Wire::open(running.address(), &[initial_window(1), call].concat()).await;
    let frames = wire.rest().await;
    assert!(!frames.iter().any(|frame| frame.ends_stream()), "{frames:?}");
    let bytes = frames.iter().filter(|frame| frame.kind == kind::DATA);
    assert_eq!(bytes.map(|frame| frame.payload.len()).sum::<usize>(), 1);
    running.ended(Ending::ReaderTimeout, 1).await;
}

#[tokio::test]
async fn a_stream_of_equal_messages_that_is_always_within_one_goes_on() {
    const PIECES: usize = 13;
    let running = start_testing(Settings { message_timeout: millis(1000), ..settings() });
    let client = Client::connect(running.address()).await;
    let mut call = client.begin(grpc(UPLOAD)).await;
    let message = upload(100);
    let (begin, end) = message.split_at(60);
    call.say(begin.to_vec());
    for _ in 0..PIECES {
        // For longer than a message may take, each piece ends one and begins the next.
        tokio::time::sleep(millis(100)).await;
        call.say([end, begin].concat());
    }
    call.send.send_data(end.to_vec().into(), true).unwrap();
    let answer = call.answer().await.unwrap();
    assert_eq!((answer.code(), uploaded(&answer.body)), (Code::Ok, 100 * (PIECES + 1)));
}
