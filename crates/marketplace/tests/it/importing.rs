//! A reader's books from elsewhere: uploaded, told step by step, and on the shelves.

use http::StatusCode;
use tonic::Code;

use crate::faults::Fault;
use crate::shop::Shop;

const LIST: &str = "Title,Author,ISBN,ISBN13,My Rating,Exclusive Shelf,Date Read,Date Added
Book 1,Author 1,,,5,read,,2026/01/02
Book 2,Author 2,,,0,to-read,,2026/01/02
<script>alert(1)</script>,Nobody,,,3,read,,2026/01/02
Book 3,Author 3,,,\"<img src=x>\",read,,2026/01/02
";

#[tokio::test]
async fn a_file_is_imported_with_a_report_and_counts_at_once() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("from elsewhere").await;
    let token = reader.get("/library").await.found().field("token");
    let page = reader.upload("/library/import", &token, LIST.as_bytes()).await.found();
    for text in [
        "Done: 3 new entries. Here before: 0.",
        "1 line is of a book that we do not have:",
        "line 4: &#60;script&#62;alert(1)&#60;/script&#62;, Nobody",
        "1 line could not be read:",
        "line 5: My Rating",
        "</html>",
    ] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    assert!(!page.has("<script>alert") && !page.has("<img src=x"), "{}", page.text);
    let (_, rest) = page.text.split_once("href=\"/?seen=").unwrap();
    let seen = rest.split('"').next().unwrap();
    let home = reader.get(&format!("/?seen={seen}")).await.found();
    assert!(home.has("because you rated Book 1"), "{}", home.text);
    let again = reader.upload("/library/import", &token, LIST.as_bytes()).await.found();
    assert!(again.has("Done: 0 new entries. Here before: 3."), "{}", again.text);
}

#[tokio::test]
async fn a_file_that_comes_in_many_pieces_is_imported_whole() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("from elsewhere").await;
    let token = reader.get("/library").await.found().field("token");
    let strange = format!("{},Nobody,,,3,read,,2026/01/02\n", "Unheard-of".repeat(50));
    let (columns, rest) = LIST.split_once('\n').unwrap();
    let list = format!("{columns}\n{}{rest}", strange.repeat(4000));
    assert!(list.len() > 2 << 20, "{}", list.len());
    let page = reader.upload("/library/import", &token, list.as_bytes()).await.found();
    assert!(page.has("Done: 3 new entries. Here before: 0."), "{}", page.text);
    assert!(page.has("4001 lines are of books that we do not have:"), "{}", page.text);
}

#[tokio::test]
async fn what_is_no_list_is_refused_with_why() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let token = reader.get("/library").await.found().field("token");
    let page = reader.upload("/library/import", &token, b"no,list\n1,2\n").await;
    assert_eq!(page.status, StatusCode::OK, "the page began before the file was read");
    assert!(
        page.has("The file was not imported: data: no column for &#34;Title&#34;"),
        "{}",
        page.text
    );
    assert!(!page.has("Done:"));
    let empty = reader.upload("/library/import", &token, b"").await;
    assert_eq!(empty.status, StatusCode::BAD_REQUEST, "{}", empty.text);
    let stranger = shop.visitor().upload("/library/import", &token, b"x").await;
    assert_eq!(stranger.leads_to().as_deref(), Some("/library"));
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_now_can_be_later() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("from elsewhere").await;
    let token = reader.get("/library").await.found().field("token");
    for code in [Code::Unavailable, Code::ResourceExhausted] {
        shop.faults.set("ImportReadingList", Fault::Refused(code));
        let page = reader.upload("/library/import", &token, LIST.as_bytes()).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{code:?}");
        assert!(page.has("Your file cannot be imported right now"), "{code:?}: {}", page.text);
    }
    shop.faults.end();
    let page = reader.upload("/library/import", &token, LIST.as_bytes()).await.found();
    assert!(page.has("Done: 3 new entries. Here before: 0."), "{}", page.text);
}
