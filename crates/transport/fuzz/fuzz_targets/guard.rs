//! The guard takes any head of a request without a panic, and what it says of the head is true:
//! each verdict is held against what a reader of the specification would see for himself.
//!
//! An input is one byte for the method, one for the version, and then lines `name: value`.

#![no_main]

use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Version};
use libfuzzer_sys::fuzz_target;
use transport::OtherRequests;
use transport::guard::{Kind, Passed, Refusal, check};

fuzz_target!(|input: &[u8]| {
    let [method, version, lines @ ..] = input else { return };
    let mut request = Request::new(());
    *request.method_mut() = method_of(*method);
    *request.version_mut() = version_of(*version);
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii_start();
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        request.headers_mut().append(name, value);
    }
    let (parts, ()) = request.into_parts();
    for others in [OtherRequests::Refuse, OtherRequests::PassOn] {
        match check(&parts, others) {
            Ok(passed) => hold_passed(&parts, others, passed),
            Err(refusal) => hold_refused(&parts, others, refusal),
        }
    }
});

fn method_of(byte: u8) -> Method {
    let known = [Method::POST, Method::GET, Method::OPTIONS, Method::CONNECT, Method::PUT];
    known.get(usize::from(byte)).cloned().unwrap_or(Method::POST)
}

fn version_of(byte: u8) -> Version {
    let known = [Version::HTTP_2, Version::HTTP_11, Version::HTTP_10, Version::HTTP_3];
    known.get(usize::from(byte)).copied().unwrap_or(Version::HTTP_2)
}

/// A request that passed has everything that it needs.
fn hold_passed(parts: &Parts, others: OtherRequests, passed: Passed) {
    if passed.kind == Kind::Json {
        let value = parts.headers["content-type"].as_bytes().to_ascii_lowercase();
        assert!(value.starts_with(b"application/json") || value.starts_with(b"application/proto"));
    }
    if matches!(passed.kind, Kind::Json | Kind::Other) {
        assert!(others == OtherRequests::PassOn || parts.method == Method::OPTIONS);
        assert_eq!(passed.timeout, None);
        return;
    }
    assert!(begins_as_grpc(parts));
    match passed.kind {
        Kind::Grpc => {
            assert_eq!(parts.method, Method::POST);
            assert!(parts.version >= Version::HTTP_2);
        }
        _ => assert!(parts.method == Method::POST || parts.method == Method::OPTIONS),
    }
    assert_eq!(Ok(passed.timeout), timeout(parts));
    assert!(parts.headers.iter().all(|(name, value)| is_fine(name, value)));
}

/// A request that was refused lacks what its refusal names.
fn hold_refused(parts: &Parts, others: OtherRequests, refusal: Refusal) {
    match refusal {
        Refusal::ContentType => assert_eq!(others, OtherRequests::Refuse),
        Refusal::Method => assert_ne!(parts.method, Method::POST),
        Refusal::Version => assert!(parts.version < Version::HTTP_2),
        Refusal::Timeout => assert_eq!(timeout(parts), Err(())),
        Refusal::BinaryMetadata => {
            assert!(!parts.headers.iter().all(|(name, value)| is_fine(name, value)));
        }
    }
    assert!(refusal.http_status().is_client_error() || refusal.http_status().is_server_error());
    assert!(!refusal.message().is_empty());
    if refusal != Refusal::ContentType {
        assert!(begins_as_grpc(parts));
    }
}

fn begins_as_grpc(parts: &Parts) -> bool {
    let value = parts.headers.get("content-type").map_or(&b""[..], HeaderValue::as_bytes);
    value.to_ascii_lowercase().starts_with(b"application/grpc")
}

/// `grpc-timeout` by the specification: `1*8DIGIT` and a unit.
fn timeout(parts: &Parts) -> Result<Option<Duration>, ()> {
    let Some(value) = parts.headers.get("grpc-timeout") else { return Ok(None) };
    let text = value.to_str().map_err(|_| ())?;
    let units = [
        ("H", 3_600_000_000_000_u128),
        ("M", 60_000_000_000),
        ("S", 1_000_000_000),
        ("m", 1_000_000),
        ("u", 1_000),
        ("n", 1),
    ];
    let found = units.iter().find_map(|(unit, nanos)| Some((text.strip_suffix(unit)?, nanos)));
    let (digits, nanos) = found.ok_or(())?;
    if digits.len() > 8 || digits.chars().any(|character| !character.is_ascii_digit()) {
        return Err(());
    }
    let nanos = digits.parse::<u128>().map_err(|_| ())? * nanos;
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Ok(Some(Duration::new(seconds as u64, rest as u32)))
}

/// Base64 of RFC 4648 in each part of a binary header: whole groups of four once what is missing
/// of the padding is added, and no rest that would be less than a byte.
fn is_fine(name: &HeaderName, value: &HeaderValue) -> bool {
    if !name.as_str().ends_with("-bin") {
        return true;
    }
    value.as_bytes().split(|byte| *byte == b',').all(|part| {
        let mut part = part.trim_ascii().to_vec();
        let is_padded = part.contains(&b'=');
        while !is_padded && part.len() % 4 != 0 {
            part.push(b'=');
        }
        let groups = part.chunks(4).count();
        part.chunks(4).enumerate().all(|(place, group)| {
            let digits = group.iter().take_while(|byte| is_digit(**byte)).count();
            let is_last = place + 1 == groups;
            let has_padding = group[digits..].iter().all(|byte| *byte == b'=');
            group.len() == 4 && has_padding && digits >= if is_last { 2 } else { 4 }
        })
    })
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/')
}
