//! A web shop in front of the service.

use std::net::SocketAddr;
use std::time::Duration;

use super::certificates::HOST;
use super::deployment::Deployment;
use super::http::{Answer, get, post};
use crate::process::{Process, until};
use crate::program::Program;

/// The longest that a visitor waits; a page is promised within less.
const VISITOR_LIMIT: Duration = Duration::from_secs(10);

/// A web shop.
pub(super) struct Storefront {
    pub(super) address: SocketAddr,
    _process: Process,
}

impl Storefront {
    /// Opens one, and waits until it knows its categories.
    pub(super) async fn open(deployment: &Deployment) -> Self {
        let address = super::deployment::free_address();
        let mut command = Program::new().command("marketplace");
        let settings = [
            ("LISTEN", format!("[\"{address}\"]")),
            ("RECOMMENDATIONS", format!("https://{HOST}:{}", deployment.port)),
            ("NAME_SERVERS", format!("[\"{}\"]", deployment.names.address())),
            ("SIGN_IN", "demo".to_owned()),
            ("COOKIE_KEY", "a key for tests, of more than 32 bytes".to_owned()),
            ("TLS__AUTHORITIES", deployment.file("ca.pem")),
            ("TLS__CLIENT_CERTIFICATE", deployment.file("client.pem")),
            ("TLS__CLIENT_KEY", deployment.file("client.key")),
        ];
        for (name, value) in settings {
            command.env(format!("FOREWORD_MARKETPLACE__{name}"), value);
        }
        let shop = Self { address, _process: Process::start(&mut command) };
        until("the shop to open", async || shop.is_fresh().await).await;
        shop
    }

    /// Its home page, for somebody who has just come.
    pub(super) async fn home(&self) -> Answer {
        get(self.address, "/", "accept-language: en\r\n", VISITOR_LIMIT).await
    }

    /// A page, with the cookies of [`Storefront::sign_in_as_bookseller`].
    pub(super) async fn page(&self, path: &str, cookies: &str) -> Answer {
        get(self.address, path, &format!("cookie: {cookies}\r\n"), VISITOR_LIMIT).await
    }

    /// Signs the bookseller of a demo in; the cookies.
    pub(super) async fn sign_in_as_bookseller(&self) -> String {
        let form = get(self.address, "/sign-in", "", VISITOR_LIMIT).await;
        let cookies = cookies(&form.text);
        let (_, token) = form.text.split_once("name=\"token\" value=\"").unwrap();
        let body = format!("role=admin&token={}", token.split_once('"').unwrap().0);
        let headers = format!("cookie: {cookies}\r\norigin: http://{}\r\n", self.address);
        let answer = post(self.address, "/sign-in", &headers, &body, VISITOR_LIMIT).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        self::cookies(&answer.text)
    }

    /// Whether its home page is that of the service, and not what is remembered.
    pub(super) async fn is_fresh(&self) -> bool {
        let home = self.home().await;
        home.status == 200 && !home.text.contains("taking a break")
    }
}

/// The cookies that an answer sets, as a browser sends them.
fn cookies(answer: &str) -> String {
    let set = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let pairs: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
    pairs.join("; ")
}
