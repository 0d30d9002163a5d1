//! The `grpc-timeout` header: up to eight digits and a unit.

use std::time::Duration;

use http::HeaderMap;

const DIGITS_MAX: usize = 8;

/// A `grpc-timeout` header that does not follow the [specification].
///
/// [specification]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed grpc-timeout: expected up to eight digits and one of H, M, S, m, u, n")]
pub struct MalformedTimeout;

/// How long the client of a request waits, by its `grpc-timeout` header; `None` if it does not
/// say.
///
/// Zero is let through, as grpc-go does, because older grpc-java clients send it.
///
/// # Errors
///
/// [`MalformedTimeout`]
pub fn grpc_timeout(headers: &HeaderMap) -> Result<Option<Duration>, MalformedTimeout> {
    headers.get("grpc-timeout").map(|value| parse(value.as_bytes())).transpose()
}

fn parse(value: &[u8]) -> Result<Duration, MalformedTimeout> {
    let (unit, digits) = value.split_last().ok_or(MalformedTimeout)?;
    if digits.is_empty() || digits.len() > DIGITS_MAX {
        return Err(MalformedTimeout);
    }
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(MalformedTimeout);
        }
        number = number * 10 + u64::from(digit - b'0');
    }
    Ok(match unit {
        b'H' => Duration::from_secs(number * 60 * 60),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return Err(MalformedTimeout),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_understood() {
        for (value, expected) in [
            ("2H", Duration::from_secs(7_200)),
            ("3M", Duration::from_secs(180)),
            ("0S", Duration::ZERO),
            ("99999999S", Duration::from_secs(99_999_999)),
            ("00000100m", Duration::from_millis(100)),
            ("5u", Duration::from_micros(5)),
            ("7n", Duration::from_nanos(7)),
        ] {
            assert_eq!(parse(value.as_bytes()), Ok(expected), "{value}");
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        for value in ["", "S", "1", "1s", "1 S", "-1S", "+1S", "1.5S", "100000000S", "1SS"] {
            assert_eq!(parse(value.as_bytes()), Err(MalformedTimeout), "{value}");
        }
    }
}
