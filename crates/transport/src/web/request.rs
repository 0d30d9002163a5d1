//! Request bodies: base64 becomes bytes as they come, all else passes.
//!
//! Invariant: at most three characters are kept between two chunks. What has arrived is
//! decoded at once, so that buffering stays where it is bounded: in the connection's window.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Status;

use super::BoxError;

/// Characters of base64 that make up to three bytes.
const QUANTUM: usize = 4;

pin_project! {
    /// The body of a request as the wrapped service gets it. Made by [`WebLayer`](super::WebLayer).
    #[derive(Debug)]
    pub struct WebRequestBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        /// As it comes.
        Plain { #[pin] body: B },
        /// Written as base64.
        Text { #[pin] body: B, left: Leftover },
    }
}

impl<B> WebRequestBody<B> {
    pub(super) fn plain(body: B) -> Self {
        Self { kind: Kind::Plain { body } }
    }

    pub(super) fn text(body: B) -> Self {
        Self { kind: Kind::Text { body, left: Leftover::default() } }
    }
}

impl<B> Body for WebRequestBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let (mut body, left) = match self.project().kind.project() {
            KindProjection::Plain { body } => return body.poll_frame(cx).map_err(Into::into),
            KindProjection::Text { body, left } => (body, left),
        };
        loop {
            let Some(frame) = ready!(body.as_mut().poll_frame(cx)) else {
                return Poll::Ready(left.end().err().map(|status| Err(status.into())));
            };
            let text = match frame.map_err(Into::into)?.into_data() {
                Ok(text) => text,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            };
            let bytes = left.decode(&text)?;
            if !bytes.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain { body } => body.is_end_stream(),
            Kind::Text { body, left } => body.is_end_stream() && left.len == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Plain { body } => body.size_hint(),
            Kind::Text { .. } => SizeHint::default(),
        }
    }
}

/// Characters that wait for the rest of their quantum.
#[derive(Debug, Default)]
pub(crate) struct Leftover {
    characters: [u8; QUANTUM],
    len: usize,
}

impl Leftover {
    /// Decodes all whole quanta, and keeps what is left.
    pub(crate) fn decode(&mut self, mut text: &[u8]) -> Result<Bytes, Status> {
        let mut bytes = Vec::with_capacity((self.len + text.len()) / QUANTUM * 3);
        if self.len > 0 {
            let (missing, rest) = text.split_at(text.len().min(QUANTUM - self.len));
            self.keep(missing);
            text = rest;
            if self.len < QUANTUM {
                return Ok(Bytes::new());
            }
            decode(&self.characters, &mut bytes)?;
            self.len = 0;
        }
        let (whole, rest) = text.split_at(text.len() - text.len() % QUANTUM);
        decode(whole, &mut bytes)?;
        self.keep(rest);
        Ok(bytes.into())
    }

    fn keep(&mut self, characters: &[u8]) {
        self.characters[self.len..][..characters.len()].copy_from_slice(characters);
        self.len += characters.len();
    }

    fn end(&mut self) -> Result<(), Status> {
        match std::mem::take(&mut self.len) {
            0 => Ok(()),
            _ => Err(malformed()),
        }
    }
}

/// Decodes whole quanta. Every quantum may be padded: a client that sends several messages
/// pads each of them, and concatenates.
fn decode(mut text: &[u8], bytes: &mut Vec<u8>) -> Result<(), Status> {
    while !text.is_empty() {
        let padding = text.iter().position(|character| *character == b'=');
        let end = padding.map_or(text.len(), |at| (at / QUANTUM + 1) * QUANTUM);
        let (segment, rest) = text.split_at(end);
        STANDARD.decode_vec(segment, bytes).map_err(|_| malformed())?;
        text = rest;
    }
    Ok(())
}

fn malformed() -> Status {
    Status::invalid_argument("the body is not base64")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_segment_may_be_padded() {
        assert_eq!(pieces(&[b"YWI=YQ==", b"YWJj"]).unwrap(), b"abaabc");
        assert_eq!(pieces(&[b"YW", b"I=Y", b"", b"Q", b"==YWJj"]).unwrap(), b"abaabc");
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for bad in
            [&b"YWJ"[..], b"YWJjY", b"YW=j", b"=", b"====", b"YW-j", b"YW j", b"\xff\xff\xff\xff"]
        {
            pieces(&[bad]).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn however_text_is_cut_it_means_the_same(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..5),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let text: String = messages.iter().map(|message| STANDARD.encode(message)).collect();
            let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            ends.push(text.len());
            ends.sort_unstable();
            let mut start = 0;
            let cut: Vec<_> = ends
                .iter()
                .map(|&end| &text.as_bytes()[std::mem::replace(&mut start, end)..end])
                .collect();
            prop_assert_eq!(pieces(&cut).unwrap(), messages.concat());
        }

        #[test]
        fn no_bytes_are_a_reason_to_panic(text in prop::collection::vec(any::<u8>(), 0..64)) {
            let (head, tail) = text.split_at(text.len() / 2);
            let _ = pieces(&[head, tail]);
        }
    }

    fn pieces(pieces: &[&[u8]]) -> Result<Vec<u8>, BoxError> {
        let mut left = Leftover::default();
        let mut bytes = Vec::new();
        for piece in pieces {
            bytes.extend(left.decode(piece)?);
        }
        left.end()?;
        Ok(bytes)
    }
}
