//! What attackers send, and what they get.

use http::{Method, StatusCode};

use crate::shop::Shop;

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let strangers = shop.visitor().get("/").await.field("token");
    for token in ["", "AAAA", &strangers] {
        for (path, more) in [
            ("/acts", ("do", "dismiss 9")),
            ("/preferences", ("theme", "dark")),
            ("/sign-in", ("reader", "4")),
            ("/sign-out", ("x", "y")),
            ("/library/forget", ("sure", "yes")),
        ] {
            let fields = [("token", token), ("page", "x"), ("back", "/"), more];
            let page = reader.post_only(path, &fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}: {}", page.text);
            assert!(page.has("This page was open for too long"));
        }
        let page = reader.upload("/library/import", token, b"Book Id,Title\n").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert!(reader.get("/").await.has("Reading as 3"));
}

#[tokio::test]
async fn no_text_is_more_than_text() {
    let shop = Shop::demo().await;
    let trap = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let mut reader = shop.reader(trap).await;
    let encoded: String = trap.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let paths = [
        "/".to_owned(),
        "/library".to_owned(),
        "/library/forget".to_owned(),
        "/sign-in".to_owned(),
        "/books/4".to_owned(),
        "/books/6".to_owned(),
        "/search?q=script".to_owned(),
        "/categories/science-fiction".to_owned(),
        format!("/search?q={encoded}"),
        format!("/books/{encoded}"),
        format!("/books/9?from={encoded}"),
        format!("/categories/{encoded}"),
        format!("/categories/mystery?order={encoded}&language={encoded}&after={encoded}"),
        format!("/library?show={encoded}&after={encoded}"),
        format!("/{encoded}"),
    ];
    for path in paths {
        let page = reader.get(&path).await;
        assert!(page.status.as_u16() < 500, "{path}: {}", page.status);
        for evil in ["<script>alert", "<img src=x", "\"'><"] {
            assert!(!page.has(evil), "{path}: {}", page.text);
        }
    }
    for book in ["4", "6"] {
        let cover = reader.get(&format!("/covers/{book}")).await.found();
        assert!(!cover.has("<script"), "{}", cover.text);
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
}

#[tokio::test]
async fn nobody_is_led_to_another_host() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    let token = visitor.get("/").await.field("token");
    for back in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", ""] {
        let fields = [("token", token.as_str()), ("theme", "dark"), ("back", back)];
        let answer = visitor.post_only("/preferences", &fields).await;
        assert_eq!(answer.leads_to().as_deref(), Some("/"), "{back}");
    }
    // What is asked for comes back in forms.
    let page = visitor.get("//evil.example/x").await;
    assert_eq!(page.field("back"), "/");
}

#[tokio::test]
async fn there_are_no_files_to_be_had() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    for path in [
        "/assets/../settings.toml",
        "/assets/..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/x",
        "/covers/..%2F..%2Fetc%2Fpasswd",
        "/books/..%2F..%2Fetc%2Fpasswd",
    ] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!page.has("root:"));
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
