//! Files that are meant to harm: they are refused with why, and take no more room than others.

use std::io::Write as _;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, StatusCode};

use crate::browser::{Browser, Page};
use crate::shop::Shop;
use crate::wire::{cookie, say, say_on};

const EDGE: &str = "----edge";

/// Bytes that bombs unpack to.
const UNPACKED: usize = 2 << 30;

/// What the process may grow by while it reads one: all tests of this program run in it.
const GROWTH_MAX: usize = 768 << 20;

/// A part of a form.
fn part(head: &str, body: &[u8]) -> Vec<u8> {
    let mut part =
        format!("--{EDGE}\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes();
    part.extend_from_slice(body);
    part.extend_from_slice(b"\r\n");
    part
}

/// Sends parts in their order.
async fn send(browser: &mut Browser, parts: &[Vec<u8>]) -> Page {
    let mut body = parts.concat();
    body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
    let kind = format!("multipart/form-data; boundary={EDGE}");
    browser.send(Method::POST, "/library/import", &kind, body.into()).await
}

/// A reader, and the part that shows that a form is theirs.
async fn reader(shop: &Shop) -> (Browser, Vec<u8>) {
    let mut reader = shop.reader("3").await;
    let token = reader.get("/library").await.found().field("token");
    (reader, part("name=\"token\"", token.as_bytes()))
}

/// The columns of a list, before what a bomb unpacks to.
const COLUMNS: &[u8] = b"Title,Author,ISBN,ISBN13,My Rating,Exclusive Shelf,Date Read,Date Added\n";

/// Rows, packed member after member.
fn gzip_bomb() -> Vec<u8> {
    let pack = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let rows = [[b'x'; 1023].as_slice(), b"\n"].concat().repeat(8 << 10);
    [pack(COLUMNS), pack(&rows).repeat(UNPACKED / rows.len())].concat()
}

/// One frame of blocks that say how often a byte is repeated: RFC 8878, 3.1.1.
fn zstd_bomb() -> Vec<u8> {
    const RAW: u32 = 0;
    const REPEATED: u32 = 1;
    /// A window of 128 KiB, as long as a block may be; no checksum, no size.
    const HEAD: [u8; 6] = [0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    let block = |kind: u32, size: usize, is_last: bool, bytes: &[u8]| {
        let size = u32::try_from(size).unwrap();
        [&(size << 3 | kind << 1 | u32::from(is_last)).to_le_bytes()[..3], bytes].concat()
    };
    let size = 128 << 10;
    let many = block(REPEATED, size, false, b"\n").repeat(UNPACKED / size);
    let columns = block(RAW, COLUMNS.len(), false, COLUMNS);
    [&HEAD[..], &columns, &many, &block(REPEATED, size, true, b"\n")].concat()
}

/// One frame that asks for a window of some terabytes.
fn zstd_window() -> Vec<u8> {
    vec![0x28, 0xb5, 0x2f, 0xfd, 0, 31 << 3, 1, 0, 0]
}

/// The most memory that this process has had since it was asked to forget, in bytes.
#[cfg(target_os = "linux")]
fn memory_peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_unpacks_to_gigabytes_is_refused_before_it_does() {
    let shop = Shop::demo().await;
    let (mut reader, token) = reader(&shop).await;
    for (bomb, why) in [
        (gzip_bomb(), "unpacked if it was packed"),
        (zstd_bomb(), "unpacked if it was packed"),
        (zstd_window(), "zstd data is damaged"),
    ] {
        // Five: the peak begins anew.
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory_peak();
        let file = part("name=\"file\"; filename=\"books.csv.gz\"", &bomb);
        let page = send(&mut reader, &[token.clone(), file]).await;
        let grown = memory_peak().saturating_sub(before);
        assert!(page.has(why) && !page.has("Done:"), "{}", page.text);
        assert!(grown < GROWTH_MAX, "{grown} bytes");
        assert!(reader.get("/").await.found().has("Reading as 3"));
    }
}

#[tokio::test]
async fn a_packed_form_is_not_unpacked() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    reader.headers.push(("content-encoding", "gzip".to_owned()));
    let kind = "application/x-www-form-urlencoded";
    let bomb = gzip_bomb()[..12 << 10].to_vec();
    let page = reader.send(Method::POST, "/acts", kind, bomb.into()).await;
    assert!(page.status.is_client_error(), "{}", page.status);
}

#[tokio::test]
async fn what_never_ends_is_ended_with_why() {
    let shop = Shop::demo().await;
    let (reader, token) = reader(&shop).await;
    let begin = format!(
        "POST /library/import HTTP/1.1\r\nHost: localhost\r\n{}Transfer-Encoding: chunked\r\n\
         Content-Type: multipart/form-data; boundary={EDGE}\r\n\r\n",
        cookie(&reader)
    );
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let file = part("name=\"file\"; filename=\"books.csv\"", b"Title,Author\n");
    // A file, heads of parts, and what comes before all parts.
    for first in [
        [token.clone(), file].concat(),
        format!("--{EDGE}\r\nContent-Disposition: ").into_bytes(),
        [token, format!("--{EDGE}\r\nX: ").into_bytes()].concat(),
        b"x".to_vec(),
    ] {
        let begin = [begin.as_bytes(), &chunk(&first)].concat();
        let asked = Instant::now();
        let (answer, taken) = say_on(&shop, &begin, &chunk(&[b'x'; 16 << 10])).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer:?} after {taken}");
        assert!(answer.contains("That is too much"), "{answer} after {taken}");
        assert!(taken < 64 << 20, "{taken} bytes were taken");
        assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    }
    shop.visitor().get("/").await.found();
}

#[tokio::test]
async fn what_is_announced_as_too_long_is_not_waited_for() {
    let shop = Shop::demo().await;
    let (reader, _) = reader(&shop).await;
    let request = format!(
        "POST /library/import HTTP/1.1\r\nHost: localhost\r\n{}Content-Length: 10000000000\r\n\
         Content-Type: multipart/form-data; boundary={EDGE}\r\nConnection: close\r\n\r\n",
        cookie(&reader)
    );
    let answer = say(&shop, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("That is too much"), "{answer}");
}

#[tokio::test]
async fn odd_forms_are_refused_with_why_and_hand_nothing_on() {
    let shop = Shop::demo().await;
    let (mut reader, token) = reader(&shop).await;
    let file = part("name=\"file\"; filename=\"books.csv\"", b"Title,Author\nDune,Frank Herbert\n");
    let small = part("name=\"x\"", b"");
    let head = format!("name=\"file\"; filename=\"{}\"", "x".repeat(8 << 20));
    let many_heads = format!("name=\"file\"{}", "\r\nX: y".repeat(1000));
    let check = async |reader: &mut Browser, parts: &[Vec<u8>], status: StatusCode, why: &str| {
        let asked = Instant::now();
        let page = send(reader, parts).await;
        assert_eq!(page.status, status, "{why}: {}", page.text);
        assert!(page.has(why), "no {why:?} in {}", page.text);
        assert!(asked.elapsed() < Duration::from_secs(10), "{why}: {:?}", asked.elapsed());
    };
    let (bad, unread) = (StatusCode::BAD_REQUEST, "The form could not be read");
    let many = vec![small; 100_000].concat();
    check(&mut reader, &[token.clone(), many.clone(), file.clone()], bad, unread).await;
    let (large, much) = (StatusCode::PAYLOAD_TOO_LARGE, "That is too much");
    check(&mut reader, &[token.clone(), part(&head, b"x")], large, much).await;
    check(&mut reader, &[token.clone(), part(&many_heads, b"x")], bad, unread).await;
    check(&mut reader, std::slice::from_ref(&token), bad, unread).await;
    // Whose it is comes first.
    let (forbidden, expired) = (StatusCode::FORBIDDEN, "This page was open for too long");
    check(&mut reader, &[file.clone(), token.clone()], forbidden, expired).await;
    check(&mut reader, &[many, token, file], forbidden, expired).await;
    let imported = shop.events("3", api::v1::EventKind::Finish).await;
    assert!(imported.is_empty(), "{imported:?}");
    reader.get("/").await.found();
}
