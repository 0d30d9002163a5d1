//! What attackers send, and what they get.

use api::v1::model_service_client::ModelServiceClient;
use api::v1::rule_service_client::RuleServiceClient;
use api::v1::{EventKind, ListModelsRequest, ListRulesRequest, Model, Rule, StoredEvent};
use http::{Method, StatusCode};

use crate::browser::{Browser, Page};
use crate::routes::routes;
use crate::shop::Shop;
use crate::signing_in::{signed_as, with_single_sign_on};
use crate::wire::{get, say};

/// What each form does if it is taken; a form that is not here is sent with its token only.
const FIELDS: [(&str, &str, &str); 7] = [
    ("/acts", "do", "dismiss 9"),
    ("/preferences", "theme", "dark"),
    ("/sign-in", "reader", "4"),
    ("/library/forget", "sure", "yes"),
    ("/console/try", "do", "preview"),
    ("/console/models/activate", "version", "1"),
    ("/console/models/roll-back", "version", "1"),
];

/// Sends a form; a file, where that is what an address takes.
async fn send_form(browser: &mut Browser, path: &str, token: Option<&str>) -> Page {
    if path == "/library/import" {
        return browser.upload(path, token.unwrap_or_default(), b"Book Id,Title\n").await;
    }
    let own = FIELDS.iter().find(|(of, ..)| *of == path).map(|(_, name, value)| (*name, *value));
    let token = token.map(|token| ("token", token));
    let fields: Vec<_> =
        [("page", "x"), ("back", "/")].into_iter().chain(token).chain(own).collect();
    browser.post_only(path, &fields).await
}

/// All that forms can change of what the service holds: what a reader did, other than what was shown
/// and looked at, which pages tell by themselves; the stock of a book; models and rules.
async fn held(shop: &Shop) -> (usize, Option<u32>, Vec<Model>, Vec<Rule>) {
    let done = shop.stored("3").await.unwrap_or_default();
    let by_form = |event: &StoredEvent| {
        let kind = event.event.as_ref().map(|event| event.kind());
        !matches!(kind, Some(EventKind::View | EventKind::Impression))
    };
    let done = done.iter().filter(|event| by_form(event)).count();
    let mut models = ModelServiceClient::new(shop.channel.clone());
    let models = models.list_models(ListModelsRequest {}).await.unwrap().into_inner();
    let mut rules = RuleServiceClient::new(shop.channel.clone());
    let rules = rules.list_rules(ListRulesRequest::default()).await.unwrap().into_inner();
    let told = |model: Model| Model { trained_on: None, ..model };
    (done, shop.stock("7").await, models.models.into_iter().map(told).collect(), rules.rules)
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let shop = Shop::demo().await;
    let strangers = [
        shop.visitor().get("/").await.field("token"),
        shop.reader("3").await.get("/").await.field("token"),
        shop.bookseller().await.get("/").await.field("token"),
    ];
    let bad = ["", "AAAA", &strangers[0], &strangers[1], &strangers[2]];
    let forms = routes().into_iter().filter(|route| route.is_form);
    for path in forms.map(|route| route.path) {
        let mut browser = match path.starts_with("/console") {
            true => shop.bookseller().await,
            false => shop.reader("3").await,
        };
        let own = browser.get("/").await.field("token");
        let cookies = browser.cookies.clone();
        let before = held(&shop).await;
        for token in bad.into_iter().map(Some).chain([None]) {
            let page = send_form(&mut browser, &path, token).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}, {token:?}: {}", page.text);
            assert!(page.has("This page was open for too long"), "{path}: {}", page.text);
        }
        assert_eq!(browser.cookies, cookies, "{path} began another session");
        assert_eq!(held(&shop).await, before, "{path} did something");
        // It was for the token alone.
        let page = send_form(&mut browser, &path, Some(&own)).await;
        assert_ne!(page.status, StatusCode::FORBIDDEN, "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_is_signed_in() {
    let shop = Shop::demo().await;
    let mut attacker = shop.visitor();
    attacker.get("/").await.found();
    let mut victim = shop.visitor();
    victim.cookies = attacker.cookies.clone();
    let token = victim.get("/sign-in").await.field("token");
    victim.post("/sign-in", &[("token", &token), ("reader", "3")]).await.found();
    assert!(victim.get("/").await.has("Reading as 3"));
    assert!(!attacker.get("/").await.has("Reading as"));
    // Neither does the attacker's token act for the victim.
    let theirs = attacker.get("/").await.field("token");
    let fields = [("token", theirs.as_str()), ("theme", "dark"), ("back", "/")];
    assert_eq!(victim.post_only("/preferences", &fields).await.status, StatusCode::FORBIDDEN);
    // Nor is what was planted anybody's after they have left.
    let before = victim.cookies.clone();
    let token = victim.get("/").await.field("token");
    victim.post("/sign-out", &[("token", &token)]).await.found();
    assert_ne!(victim.cookies, before);
    assert!(!victim.get("/").await.has("Reading as"));
}

#[tokio::test]
async fn a_session_that_was_planted_becomes_no_booksellers() {
    let shop = Shop::demo().await;
    for mut attacker in [shop.visitor(), shop.reader("3").await] {
        let token = attacker.get("/").await.found().field("token");
        let mut victim = shop.visitor();
        victim.cookies = attacker.cookies.clone();
        victim.post("/sign-in", &[("token", &token), ("role", "admin")]).await.found();
        assert!(victim.get("/console?live=off").await.found().has("You are the bookseller"));
        assert_eq!(attacker.get("/console").await.status, StatusCode::FORBIDDEN);
        let fields = [("token", token.as_str()), ("version", "1")];
        let page = victim.post_only("/console/models/activate", &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.text);
        assert!(page.has("This page was open for too long"), "{}", page.text);
    }
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_that_of_whom_a_header_names() {
    let shop = Shop::with(with_single_sign_on).await;
    let mut attacker = shop.visitor();
    let token = attacker.get("/books/11").await.found().field("token");
    for role in ["reader", "admin"] {
        let mut victim = shop.visitor();
        victim.cookies = attacker.cookies.clone();
        victim.headers.push(("x-shop-reader", signed_as("3", role, 60)));
        assert!(victim.get("/").await.found().has("Reading as 3"));
        let fields = [("token", token.as_str()), ("theme", "dark")];
        let page = victim.post_only("/preferences", &fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{role}: {}", page.text);
        // What was signed for one is nothing without the header.
        attacker.cookies = victim.cookies.clone();
        assert!(!attacker.get("/").await.found().has("Reading as"), "{role}");
        assert_eq!(attacker.get("/console").await.status, StatusCode::FORBIDDEN, "{role}");
    }
}

#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    for back in [
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "https:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\r\n/evil.example",
        " //evil.example",
        "@evil.example",
        ".evil.example",
        "javascript:x",
        "data:text/html,x",
        "",
    ] {
        let token = visitor.get("/").await.field("token");
        let fields = [("token", token.as_str()), ("theme", "dark"), ("back", back)];
        let answer = visitor.post_only("/preferences", &fields).await;
        assert_eq!(answer.leads_to().as_deref(), Some("/"), "{back:?}");
        let fields = [("token", &*token), ("page", "x"), ("do", "want 9"), ("back", back)];
        let answer = visitor.post_only("/acts", &fields).await;
        assert_eq!(answer.leads_to().as_deref(), Some("/"), "{back:?}");
    }
    // What is asked for comes back in forms.
    for path in ["//evil.example/x", "/%5cevil.example", "/..//evil.example", "/;@evil.example"] {
        let page = visitor.get(path).await;
        let back = page.field("back");
        assert!(back.starts_with('/') && !back.starts_with("//"), "{path}: {back}");
        assert!(!page.has("href=\"//evil") && !page.has("action=\"//evil"), "{path}");
    }
}

#[tokio::test]
async fn no_host_that_a_request_names_is_led_to() {
    let host = "evil.example";
    let (demo, shop) = (Shop::demo().await, Shop::with(|_| {}).await);
    for shop in [&demo, &shop] {
        let visitor = shop.visitor();
        let (_, here) = shop.url.split_once("://").unwrap();
        let mut lines = Vec::new();
        for (target, host) in [
            ("/categories/mystery", host),
            ("http://evil.example/categories/mystery", here),
            ("http://evil.example/categories/mystery", host),
            ("http://evil.example//evil.example/x", here),
            ("//evil.example/x", here),
            ("http://evil.example@localhost/", here),
        ] {
            let answer = say(shop, get(target, host, &visitor).as_bytes()).await;
            let (head, page) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
            assert!(!head.contains("evil.example"), "{target}, {host}: {head}");
            for link in ["href", "action", "src", "hx-get", "content"] {
                assert!(!page.contains(&format!("{link}=\"http")), "{target}, {host}: {page}");
                assert!(!page.contains(&format!("{link}=\"//")), "{target}, {host}: {page}");
            }
            lines.push(head.lines().next().unwrap_or_default().to_owned());
        }
        // A demo is for this machine's names.
        let expected = if std::ptr::eq(shop, &raw const demo) { "421" } else { "200" };
        assert!(lines[0].contains(expected) && lines[2].contains(expected), "{lines:?}");
    }
}

#[tokio::test]
async fn there_are_no_files_to_be_had() {
    const UP: [&str; 9] = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "..%5c",
        "..\\",
        "..%c0%af",
        "....//",
    ];
    let shop = Shop::demo().await;
    let visitor = shop.visitor();
    let (_, host) = shop.url.split_once("://").unwrap();
    let deep = |up: &str, file: &str| format!("{}{file}", up.repeat(12));
    for folder in ["/assets/", "/covers/", "/books/", "/categories/", "/"] {
        for up in UP {
            for file in ["etc/passwd", "proc/self/environ", "Cargo.toml", "etc/passwd%00.css"] {
                let target = format!("{folder}{}", deep(up, file));
                let answer = say(&shop, get(&target, host, &visitor).as_bytes()).await;
                let status = answer.get(9..12).unwrap_or_default();
                assert!(
                    matches!(status, "404" | "400"),
                    "{target}: {}",
                    answer.lines().next().unwrap()
                );
                for secret in ["root:", "PATH=", "[package]"] {
                    assert!(!answer.contains(secret), "{target}: {answer}");
                }
            }
        }
    }
    // A dot that is written otherwise leads nowhere else, but to what has its name.
    for path in ["/assets/%2e", "/assets/", "/assets", "/covers/", "/books/", "/.git/config"] {
        assert_eq!(shop.visitor().get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_the_shop_goes_on() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let token = reader.get("/library").await.field("token");
    let page = reader.upload("/library/import", &token, &vec![b'x'; 11 << 20]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", page.text);
    let long = "x".repeat(64 << 10);
    let fields = [("token", token.as_str()), ("do", long.as_str())];
    let page = reader.post_only("/acts", &fields).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", page.text);
    let long = "x".repeat(4 << 10);
    assert_eq!(reader.get(&format!("/search?q={long}")).await.status, StatusCode::OK);
    reader.get("/").await.found();
}

#[tokio::test]
async fn forms_that_nobody_has_are_refused_with_what_is_wrong() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let token = reader.get("/").await.field("token");
    for (r#do, expected) in [
        ("", "do"),
        ("steal 9", "do"),
        ("want", "do"),
        ("rate 9", "stars"),
        ("want 9\u{1}", "do"),
        ("undo-want 9", "event"),
    ] {
        let fields = [("token", token.as_str()), ("page", "x"), ("do", r#do)];
        let page = reader.post_only("/acts", &fields).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text);
        assert!(page.has(&format!("than expected: {expected}")), "{}", page.text);
    }
    let kinds = [("text/plain", "x"), ("application/x-www-form-urlencoded", "%FF=%FF&&=")];
    for (kind, body) in kinds {
        let page = reader.send(Method::POST, "/acts", kind, body.into()).await;
        assert!(page.status.is_client_error(), "{kind}: {}", page.status);
        assert!(page.has("To the start page"));
    }
}

#[tokio::test]
async fn every_answer_says_what_a_browser_may_do() {
    let shop = Shop::with(|settings| settings.behind_tls = true).await;
    let mut visitor = shop.visitor();
    for path in ["/", "/nothing", "/books/9", "/covers/9", "/healthz", "/acts"] {
        let page = visitor.get(path).await;
        let header = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert!(header("strict-transport-security").starts_with("max-age="), "{path}");
        assert!(!page.has(" style=\"") && !page.has(" onclick="), "{path}");
    }
    assert!(visitor.cookies.contains_key("__Host-foreword"));
}
