//! A browser without scripts: follows redirects, keeps cookies, sends the forms of a page.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A visitor's browser.
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Sent with each request.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Bytes of its body, packed if it was.
    pub(crate) bytes: usize,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let base = base.to_owned();
        Self { client, base, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// A page, whatever its status.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let mut page = self.send(Method::GET, path, "", Bytes::new()).await;
        for _ in 0..5 {
            let Some(next) = page.leads_to() else { return page };
            page = self.send(Method::GET, &next, "", Bytes::new()).await;
        }
        panic!("no end of redirects at {path}");
    }

    /// Sends fields, and follows to the page that they lead to.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.post_only(path, fields).await;
        match answer.leads_to() {
            Some(next) => self.get(&next).await,
            None => answer,
        }
    }

    /// Sends fields, and stays with the answer.
    pub(crate) async fn post_only(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let kind = "application/x-www-form-urlencoded";
        self.send(Method::POST, path, kind, pairs.join("&").into()).await
    }

    /// Sends a file with a token before it.
    pub(crate) async fn upload(&mut self, path: &str, token: &str, file: &[u8]) -> Page {
        const EDGE: &str = "----edge";
        let mut body = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n--{EDGE}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"books.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{EDGE}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={EDGE}");
        self.send(Method::POST, path, &kind, body.into()).await
    }

    /// One request.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: Bytes,
    ) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = self.client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: parts.status, headers: parts.headers, text, bytes: bytes.len() }
    }
}

impl Page {
    /// Where a redirect leads.
    pub(crate) fn leads_to(&self) -> Option<String> {
        let location = self.headers.get(LOCATION)?.to_str().unwrap();
        Some(location.to_owned())
    }

    pub(crate) fn found(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Holds the page to tell that something worked.
    #[track_caller]
    pub(crate) fn tells_done(&self, text: &str) {
        self.tells("notice", text);
    }

    /// Holds the page to tell that something did not work.
    #[track_caller]
    pub(crate) fn tells_failed(&self, text: &str) {
        self.tells("notice failed", text);
    }

    #[track_caller]
    fn tells(&self, class: &str, text: &str) {
        let start = format!("<div class=\"{class}\" id=\"notice\"");
        let notice = self.text.split_once(&start).map(|(_, rest)| rest);
        let notice = notice.and_then(|rest| rest.split("</main>").next()).unwrap_or_default();
        assert!(notice.contains(text), "no {text:?} in a {class} of {}", self.text);
    }

    /// The value of the first hidden field of a name.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.text.split_once(&start).unwrap_or_else(|| panic!("no {name}"));
        rest.split('"').next().unwrap().to_owned()
    }

    /// The part of the page from a heading to the end of its section.
    pub(crate) fn section(&self, heading: &str) -> &str {
        let start = format!("<h2>{heading}</h2>");
        let found = self.text.split_once(&start);
        let (_, rest) = found.unwrap_or_else(|| panic!("no {heading} in {}", self.text));
        rest.split("</section>").next().unwrap()
    }

    /// The ids of the books that an act is offered for, in their order.
    pub(crate) fn books(&self, act: &str) -> Vec<String> {
        ids(&self.text, act)
    }
}

/// The ids of the books that a part of a page offers an act for.
pub(crate) fn ids(part: &str, act: &str) -> Vec<String> {
    let start = format!("name=\"do\" value=\"{act} ");
    let parts = part.split(&start).skip(1);
    parts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}
