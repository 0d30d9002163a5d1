//! The shape of a load: how many connections, and how many calls in flight on each.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Connections × streams, written as `8x8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shape {
    pub(crate) connections: usize,
    pub(crate) streams: usize,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|number| (1..=1000).contains(number));
        text.split_once('x')
            .and_then(|(connections, streams)| {
                Some(Self { connections: number(connections)?, streams: number(streams)? })
            })
            .ok_or_else(|| format!("{text:?} is no shape such as 8x8, of 1 to 1000"))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.connections, self.streams)
    }
}
