//! Pages of a web shop, as signed-in readers ask for them.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service as _, ServiceExt as _};

use super::Outcome;
use super::client::Target;
use super::{Arrivals, Plan};

/// Pages are no longer than this unpacked.
const PAGE_BYTES_MAX: u64 = 4 << 20;

/// Readers of a demo shop, signed in, who ask for its home page over HTTP/2 in turn.
#[derive(Debug)]
pub struct Pages {
    /// The cookie of each.
    cookies: Vec<HeaderValue>,
}

/// Why nobody could be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The shop cannot be reached.
    #[error("{0}")]
    Connect(#[from] super::client::ConnectError),
    /// It does not answer.
    #[error("the shop does not answer: {0}")]
    Answer(#[from] Status),
    /// It answers as no demo shop does.
    #[error("cannot sign in as reader {reader}: {problem}; is it a demo's shop?")]
    Unexpected {
        /// The reader.
        reader: u32,
        /// What was found.
        problem: String,
    },
}

impl Pages {
    /// Signs in the readers from 1 on.
    ///
    /// # Errors
    ///
    /// [`SignInError`] of the first who cannot.
    pub async fn sign_in(target: &Target, readers: u32) -> Result<Self, SignInError> {
        let plan = Plan::new(Arrivals::Closed { in_flight: std::num::NonZeroUsize::MIN });
        let mut channel = target.connect(&plan).await?.swap_remove(0);
        let mut cookies = Vec::with_capacity(readers as usize);
        for reader in 1..=readers {
            cookies.push(sign_in(&mut channel, reader).await?);
        }
        Ok(Self { cookies })
    }

    /// Asks for the home page of one of the readers. It is good if it is one, with books on it, and
    /// is not one that was remembered because the service is slow or away.
    pub async fn ask(&self, mut channel: Channel, number: u64) -> Outcome {
        let cookie = &self.cookies[number as usize % self.cookies.len()];
        let mut request = get("/");
        request.headers_mut().insert(COOKIE, cookie.clone());
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        match send(&mut channel, request).await {
            Ok(page) => judge(&page),
            Err(status) => Outcome::of(&status),
        }
    }
}

async fn sign_in(channel: &mut Channel, reader: u32) -> Result<HeaderValue, SignInError> {
    let unexpected =
        |problem: &str| SignInError::Unexpected { reader, problem: problem.to_owned() };
    let page = send(channel, get("/sign-in")).await?;
    let cookie = cookie(&page).ok_or_else(|| unexpected("there is no cookie"))?;
    let text = String::from_utf8_lossy(page.body());
    let token =
        text.split_once("name=\"token\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (token, _) = token.ok_or_else(|| unexpected("there is no form"))?;
    let form = format!("token={token}&reader={reader}");
    let mut request = get("/sign-in");
    *request.method_mut() = http::Method::POST;
    *request.body_mut() = Body::new(http_body_util::Full::new(Bytes::from(form)));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, kind);
    request.headers_mut().insert(COOKIE, cookie);
    let answer = send(channel, request).await?;
    if answer.status() != StatusCode::SEE_OTHER {
        return Err(unexpected(&format!("it answers {}", answer.status())));
    }
    self::cookie(&answer).ok_or_else(|| unexpected("there is no cookie"))
}

fn get(path: &'static str) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static(path);
    request
}

async fn send(channel: &mut Channel, request: Request<Body>) -> Result<Response<Bytes>, Status> {
    let broken = |error: tonic::transport::Error| Status::from_error(error.into());
    let answer = channel.ready().await.map_err(broken)?.call(request).await.map_err(broken)?;
    let (parts, body) = answer.into_parts();
    Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
}

/// The cookie that an answer sets, as it is to be sent back.
fn cookie(answer: &Response<Bytes>) -> Option<HeaderValue> {
    let set = answer.headers().get(SET_COOKIE)?.to_str().ok()?;
    HeaderValue::from_str(set.split(';').next()?).ok()
}

fn judge(page: &Response<Bytes>) -> Outcome {
    if page.status() != StatusCode::OK {
        return Outcome::WrongContent(page.status().to_string());
    }
    let mut text = String::new();
    let is_packed = page.headers().contains_key(CONTENT_ENCODING);
    let read = match is_packed {
        true => GzDecoder::new(&page.body()[..]).take(PAGE_BYTES_MAX).read_to_string(&mut text),
        false => (&page.body()[..]).take(PAGE_BYTES_MAX).read_to_string(&mut text),
    };
    match read {
        Err(error) => Outcome::WrongContent(error.to_string()),
        Ok(_) if text.contains("class=\"away\"") => {
            Outcome::WrongContent("a page that was remembered".to_owned())
        }
        Ok(_) if !text.contains("class=\"cover\"") => {
            Outcome::WrongContent("a page without books".to_owned())
        }
        Ok(_) => Outcome::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(status: StatusCode, text: &'static str) -> Response<Bytes> {
        let mut page = Response::new(Bytes::from_static(text.as_bytes()));
        *page.status_mut() = status;
        page
    }

    #[test]
    fn a_page_has_to_be_of_this_moment() {
        let is_good = |status, text| judge(&page(status, text)).is_good();
        assert!(is_good(StatusCode::OK, "<link rel=\"icon\"><a class=\"cover\">Dune</a>"));
        assert!(!is_good(StatusCode::OK, "<p class=\"away\">…</p><a class=\"cover\">Dune</a>"));
        assert!(!is_good(StatusCode::OK, "<link rel=\"icon\"><p>Nothing</p>"));
        assert!(!is_good(StatusCode::SERVICE_UNAVAILABLE, "<a class=\"cover\">Dune</a>"));
    }
}
