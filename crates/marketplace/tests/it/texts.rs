//! Texts that others bring in, wherever a page shows one: they are text and nothing else.

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::{Book, UpsertBooksRequest};
use http::Method;

use crate::browser::{Browser, Page};
use crate::shop::Shop;

/// Ends an attribute and an element, and begins others: as long as an id may be.
const TRAP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;";

/// The same without a space, for what may have none.
const TIGHT: &str = "\"'><script>alert(1)</script><img/src=x/onerror=alert(2)>";

/// How a page writes its beginning.
const WRITTEN: &str = "&#34;&#39;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#60;img";

/// Where pictures may be loaded from.
const COVERS: &str = "https://covers.example";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Holds a page to have no trap as anything but text.
fn harmless(page: &Page, whence: &str) {
    for evil in ["<script>alert", "<img src=x", "<img/src=x", "\"'>", "javascript:alert"] {
        assert!(!page.has(evil), "{evil:?} by {whence}: {}", page.text);
    }
    assert!(page.status.as_u16() < 500, "{whence}: {}", page.status);
    // Nothing runs even if it were there.
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';"), "{whence}: {policy}");
}

/// Holds a page to show the trap as text.
fn shown(page: &Page, whence: &str) {
    harmless(page, whence);
    assert!(page.has(WRITTEN), "{whence} is not shown: {}", page.text);
}

/// A book of which everything is a trap that may be one.
fn book(id: &str, cover: &str) -> Book {
    Book {
        id: id.to_owned(),
        title: format!("Unheard-of {TRAP}"),
        authors: vec![TRAP.to_owned()],
        language: "x-script".to_owned(),
        categories: vec!["mystery".to_owned()],
        series: TRAP.to_owned(),
        volume: Some(1.0),
        work_id: TRAP.to_owned(),
        publisher: TRAP.to_owned(),
        cover_uri: cover.to_owned(),
        ..Book::default()
    }
}

/// A shop with books that are traps.
async fn trapped() -> Shop {
    let shop = Shop::with(|settings| {
        settings.sign_in = marketplace::settings::SignIn::Demo;
        settings.cover_origins = vec![COVERS.to_owned()];
    })
    .await;
    let books = vec![
        book(TRAP, &format!("{COVERS}/{TIGHT}")),
        book("trap-2", "javascript:alert(1)"),
        book("trap-3", &format!("{COVERS}.evil.example/x\"")),
    ];
    let mut catalog = CatalogServiceClient::new(shop.channel.clone());
    catalog.upsert_books(UpsertBooksRequest { books }).await.unwrap();
    shop
}

#[tokio::test]
async fn what_the_catalogue_says_is_text() {
    let shop = trapped().await;
    let mut reader = shop.reader(TRAP).await;
    let id = encoded(TRAP);
    let mut found = String::new();
    // The catalogue is looked at twice a second.
    for _ in 0..200 {
        let page = reader.get("/search?q=unheard").await.found();
        harmless(&page, "a search");
        found = page.text;
        if found.contains(WRITTEN) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(found.contains(WRITTEN), "{found}");
    for path in [
        format!("/books/{id}"),
        "/books/trap-2".to_owned(),
        "/books/trap-3".to_owned(),
        format!("/books/{id}?from={}", encoded(TIGHT)),
        "/categories/mystery?order=title".to_owned(),
    ] {
        let page = reader.get(&path).await.found();
        shown(&page, &path);
        // Of other addresses than those that are set, none is loaded, and none is led to.
        assert!(!page.has("evil.example") && !page.has("src=\"javascript:"), "{path}");
    }
    for book in [id.as_str(), "trap-2"] {
        let cover = reader.get(&format!("/covers/{book}")).await.found();
        assert_eq!(cover.headers["content-type"], "image/svg+xml");
        harmless(&cover, "a cover");
    }
    // What was done is told with the title, here and in the library.
    for act in ["want", "buy", "finish", "dismiss"] {
        let page = reader.get(&format!("/books/{id}")).await.found();
        let (token, form) = (page.field("token"), page.field("page"));
        let button = format!("{act} {TRAP}");
        let fields =
            [("token", &*token), ("page", &form), ("do", &button), ("back", "/"), ("from", TIGHT)];
        shown(&reader.post("/acts", &fields).await.found(), act);
    }
    shown(&reader.get("/library").await.found(), "the library");
    let data = reader.get("/library/data").await.found();
    assert_eq!(data.headers["content-type"], "application/x-ndjson; charset=utf-8");
    assert_eq!(data.headers["x-content-type-options"], "nosniff");
    for line in data.text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[tokio::test]
async fn what_a_visitor_says_is_text() {
    let shop = trapped().await;
    let (mut reader, trap, tight) = (shop.reader(TRAP).await, encoded(TRAP), encoded(TIGHT));
    for path in ["/", "/library", "/sign-in", "/library/forget"] {
        shown(&reader.get(path).await.found(), path);
    }
    shown(&reader.get(&format!("/search?q={trap}")).await.found(), "a search");
    for path in [
        format!("/search?q=book&after={trap}"),
        format!("/books/9?from={tight}"),
        format!("/categories/{trap}"),
        format!("/categories/mystery?order={trap}&language={trap}&sold_out={trap}&after={trap}"),
        format!("/library?show={trap}&after={trap}"),
        format!("/sign-in?after={trap}"),
        format!("/?seen={trap}"),
        format!("/{trap}?{trap}={trap}"),
        format!("/assets/{trap}"),
        format!("/covers/{trap}?v={trap}"),
    ] {
        harmless(&reader.get(&path).await, &path);
    }
    let page = reader.get("/books/9").await.found();
    let (token, form) = (page.field("token"), page.field("page"));
    let whole = [
        ("page", &*form),
        ("do", "rate 9"),
        ("stars", "4"),
        ("from", ""),
        ("event", ""),
        ("back", "/"),
    ];
    for name in ["page", "do", "stars", "from", "event", "back"] {
        for trap in [TRAP, TIGHT] {
            let mut fields = vec![("token", &*token)];
            fields.extend(
                whole.map(|(field, value)| (field, if field == name { trap } else { value })),
            );
            harmless(&reader.post("/acts", &fields).await, name);
        }
    }
    let undo = format!("undo-want {TRAP}");
    let fields = [("token", &*token), ("page", &form), ("do", &undo), ("event", TIGHT)];
    harmless(&reader.post("/acts", &fields).await, "what was never done");
    let fields = [("token", &*token), ("language", TRAP), ("theme", TRAP), ("back", TRAP)];
    harmless(&reader.post("/preferences", &fields).await, "preferences");
    // What a form is refused with may quote it.
    let kind = "application/x-www-form-urlencoded";
    let body = format!("{trap}=1&token={token}&token={trap}");
    harmless(&reader.send(Method::POST, "/acts", kind, body.into()).await, "a field");
    for header in ["accept-language", "user-agent", "referer", "hx-current-url", "hx-request"] {
        reader.headers.push((header, TIGHT.to_owned()));
    }
    harmless(&reader.get("/search?q=book").await, "headers");
}

/// Sends a file under a name.
async fn upload(browser: &mut Browser, token: &str, name: &str, file: &str) -> Page {
    let head = "Content-Disposition: form-data; name=";
    let body = format!(
        "--e\r\n{head}\"token\"\r\n\r\n{token}\r\n--e\r\n{head}\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/csv\r\n\r\n{file}\r\n--e--\r\n"
    );
    let kind = "multipart/form-data; boundary=e";
    browser.send(Method::POST, "/library/import", kind, body.into()).await
}

#[tokio::test]
async fn what_a_file_says_is_text() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader(TRAP).await;
    let token = reader.get("/library").await.found().field("token");
    let quoted = TRAP.replace('"', "\"\"");
    let name = TRAP.replace('"', "%22");
    let columns = "Title,Author,ISBN,ISBN13,My Rating,Exclusive Shelf,Date Read,Date Added";
    for (what, row) in [
        ("a title", format!("\"{quoted}\",Nobody,,,3,read,,2026/01/02")),
        ("an author", format!("Unheard-of,\"{quoted}\",,,3,read,,2026/01/02")),
        ("stars", format!("Book 3,Author 3,,,\"{quoted}\",read,,2026/01/02")),
        ("a shelf", format!("Book 3,Author 3,,,3,\"{quoted}\",,2026/01/02")),
        ("a day", format!("Book 3,Author 3,,,3,read,,\"{quoted}\"")),
        ("an ISBN", format!("Book 3,Author 3,\"{quoted}\",\"{quoted}\",3,read,,2026/01/02")),
    ] {
        let page = upload(&mut reader, &token, &name, &format!("{columns}\n{row}\n")).await.found();
        match what {
            "a title" | "an author" => shown(&page, what),
            _ => harmless(&page, what),
        }
    }
    let file = format!("\"{quoted}\",Author\nx,y\n");
    harmless(&upload(&mut reader, &token, &name, &file).await, "a column");
    harmless(&upload(&mut reader, &token, &name, TRAP).await, "what is no table");
    harmless(&upload(&mut reader, TRAP, &name, &file).await, "a token");
}

/// Sends the form of the bookseller's draft, with a reader whose name is a trap.
async fn press(browser: &mut Browser, page: &Page, button: &str, fields: &[(&str, &str)]) -> Page {
    let (token, draft) = (page.field("token"), page.field("draft"));
    let mut all = vec![("token", &*token), ("draft", &draft), ("user", TRAP), ("do", button)];
    all.extend(fields);
    browser.post("/console/try", &all).await.found()
}

#[tokio::test]
async fn what_a_bookseller_says_is_text() {
    let shop = trapped().await;
    shop.reader(TRAP).await.get("/books/9").await.found();
    shop.has_events(TRAP, api::v1::EventKind::View, 1).await;
    let (mut bookseller, trap) = (shop.bookseller().await, encoded(TRAP));
    let page = bookseller.get(&format!("/console/try?user={trap}")).await.found();
    shown(&page, "a reader");
    let list = format!("/console/try?after={trap}&count={trap}");
    harmless(&bookseller.get(&list).await, "a page of readers");
    for field in ["any_categories", "no_categories", "languages", "sold_out"] {
        let path = format!("/console/try?user=3&{field}={trap}");
        harmless(&bookseller.get(&path).await.found(), field);
        harmless(&press(&mut bookseller, &page, "preview", &[(field, TRAP)]).await, field);
    }
    // A rule about each thing, in a draft and stored.
    let mut page = page;
    for target in ["book", "author", "series"] {
        let id = format!("{}{}", &TRAP[..48], target);
        let rule = [
            ("rule_id", &*id),
            ("target", target),
            ("about", TRAP),
            ("effect", "boost"),
            ("number", "2"),
        ];
        page = press(&mut bookseller, &page, "add", &rule).await;
        shown(&page, target);
        assert!(page.has("name=\"do\" value=\"save\""), "{target}: {}", page.text);
    }
    let stored = press(&mut bookseller, &page, "save", &[]).await;
    shown(&stored, "what is saved");
    stored.tells_done("Rule changes that now count: 3.");
    let id = format!("{}book", &TRAP[..48]);
    for button in ["edit", "delete"] {
        let page = press(&mut bookseller, &stored, &format!("{button} {id}"), &[]).await;
        shown(&page, button);
    }
    for field in ["rule_id", "target", "about", "effect", "number"] {
        let rule = [
            ("rule_id", "a"),
            ("target", "book"),
            ("about", "9"),
            ("effect", "pin"),
            ("number", "1"),
        ];
        let rule = rule.map(|(name, value)| (name, if name == field { TRAP } else { value }));
        for button in ["add", TRAP] {
            harmless(&press(&mut bookseller, &stored, button, &rule).await, field);
        }
    }
    // A draft that somebody made up.
    let token = stored.field("token");
    for draft in [TRAP, "!", &made_up_draft()] {
        let fields = [("token", &*token), ("user", "3"), ("draft", draft), ("do", "preview")];
        harmless(&bookseller.post("/console/try", &fields).await.found(), "a draft");
    }
    for path in ["/console/models/activate", "/console/models/roll-back"] {
        let fields = [("token", &*token), ("version", TRAP)];
        harmless(&bookseller.post(path, &fields).await.found(), path);
    }
    for path in ["/console/acceptance?since=", "/console?live=off&x=", "/console/stalls?x="] {
        harmless(&bookseller.get(&format!("{path}{trap}")).await.found(), path);
    }
}

/// A draft as forms have them, with a trap in each of its texts.
fn made_up_draft() -> String {
    use base64::Engine as _;
    let rule = serde_json::json!({
        "rule_id": TRAP, "target": TRAP, "about": TRAP, "effect": TRAP, "number": TRAP,
    });
    let draft = serde_json::json!([{ "Put": rule }, { "Delete": { "rule": TIGHT } }]);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(draft.to_string())
}
