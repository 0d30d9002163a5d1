//! Trying how a reader is recommended to: explanations, drafts that count for nobody, and rules that
//! do once they are saved.

use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::rule_service_client::RuleServiceClient;
use api::v1::{ListRulesRequest, RecommendRequest, Rule};

use crate::browser::{Browser, Page};
use crate::shop::Shop;

/// The ids of the books of a shelf of the page, in their order.
fn shelf(page: &Page, heading: &str) -> Vec<String> {
    let books = page.section(heading).split("<li><a href=\"/books/").skip(1);
    books.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Sends the form of a page with a draft.
async fn press(browser: &mut Browser, page: &Page, button: &str, fields: &[(&str, &str)]) -> Page {
    let (token, draft) = (page.field("token"), page.field("draft"));
    let mut all = vec![
        ("token", token.as_str()),
        ("draft", &draft),
        ("user", "3"),
        ("count", "5"),
        ("do", button),
    ];
    all.extend(fields);
    browser.post("/console/try", &all).await.found()
}

fn pin<'a>(book: &'a str, place: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("rule_id", "window"),
        ("target", "book"),
        ("about", book),
        ("effect", "pin"),
        ("number", place),
    ]
}

async fn rules(shop: &Shop) -> Vec<Rule> {
    let mut rules = RuleServiceClient::new(shop.channel.clone());
    rules.list_rules(ListRulesRequest::default()).await.unwrap().into_inner().rules
}

/// What the service answers itself.
async fn recommended(shop: &Shop) -> Vec<String> {
    let request =
        RecommendRequest { user_id: "3".to_owned(), max_results: 5, ..RecommendRequest::default() };
    let mut service = RecommendationServiceClient::new(shop.channel.clone());
    let books = service.recommend(request).await.unwrap().into_inner().books;
    books.into_iter().map(|one| one.book.unwrap().id).collect()
}

/// A book that is neither on a shelf nor known to reader 3.
fn another(shelf: &[String]) -> String {
    let mut others = (20..=38).map(|book: u32| book.to_string());
    others.find(|book| !shelf.contains(book)).unwrap()
}

#[tokio::test]
async fn a_reader_is_chosen_and_their_shelf_explained() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console/try").await.found();
    assert!(page.has("<a href=\"/console/try?user=3\">3: 10 books</a>"), "{}", page.text);
    assert!(page.has("rel=\"next\" href=\"/console/try?after="), "{}", page.text);
    let page = bookseller.get("/console/try?user=3&count=5").await.found();
    assert_eq!(shelf(&page, "As it is"), recommended(&shop).await);
    for text in [
        "score ",
        "because you rated Book",
        "<caption>History with its weights</caption>",
        "<th scope=\"row\">Book 4</th><td>Rated ★★★★★</td>",
        "<caption>The best candidates by score</caption>",
        "<h3>Candidates</h3>",
        "The first 5 books to begin with.",
        "<h3>Pins</h3>",
    ] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    assert!(!page.has("With the draft</h2>"));
    // Nobody is no error.
    let page = bookseller.get("/console/try?user=nobody").await.found();
    assert!(page.has("Fallback: The user is not known"), "{}", page.text);
}

#[tokio::test]
async fn a_draft_changes_its_own_column_only() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console/try?user=3&count=5").await.found();
    let before = shelf(&page, "As it is");
    let pinned = another(&before);
    let calls = shop.faults.count_of_pages();
    let page = press(&mut bookseller, &page, "add", &pin(&pinned, "2")).await;
    // The rules, and one answer with both columns.
    assert_eq!(shop.faults.count_of_pages() - calls, 2);
    assert_eq!(shelf(&page, "As it is"), before);
    let after = shelf(&page, "With the draft");
    assert_eq!((&after[0], &after[1], &after[2]), (&before[0], &pinned, &before[1]));
    for text in ["new here", "down from place 2", "Gone: Book", "pinned to place 2"] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    let out =
        [("rule_id", "away"), ("target", "book"), ("about", before[0].as_str()), ("effect", "out")];
    let page = press(&mut bookseller, &page, "add", &out).await;
    let after = shelf(&page, "With the draft");
    assert!(!after.contains(&before[0]) && after[1] == pinned, "{after:?}");
    let page = press(&mut bookseller, &page, "drop 0", &[]).await;
    assert!(!shelf(&page, "With the draft").contains(&pinned));
    // Nothing of it counts.
    assert_eq!(rules(&shop).await, []);
    assert_eq!(recommended(&shop).await, before);
    assert_eq!(shelf(&bookseller.get("/console/try?user=3&count=5").await, "As it is"), before);
}

#[tokio::test]
async fn a_filter_is_tried_beside_the_shelf_as_it_is() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console/try?user=3&count=5").await.found();
    let before = shelf(&page, "As it is");
    assert!(before.iter().any(|book| book.parse::<u32>().unwrap() % 2 == 1), "{before:?}");
    let filter = [("no_categories", "mystery, poetry")];
    let calls = shop.faults.count_of_pages();
    let page = press(&mut bookseller, &page, "preview", &filter).await;
    // An answer has one filter, so each column is one.
    assert_eq!(shop.faults.count_of_pages() - calls, 3);
    assert_eq!(shelf(&page, "As it is"), before);
    let after = shelf(&page, "With the draft");
    assert!(after.len() == 5 && after.iter().all(|book| book.parse::<u32>().unwrap() % 2 == 0));
    assert_eq!(page.field("no_categories"), "mystery, poetry");
}

#[tokio::test]
async fn what_is_saved_counts_until_it_is_deleted() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console/try?user=3&count=5").await.found();
    let before = shelf(&page, "As it is");
    let pinned = another(&before);
    let page = press(&mut bookseller, &page, "add", &pin(&pinned, "1")).await;
    let page = press(&mut bookseller, &page, "save", &[]).await;
    page.tells_done("Rule changes that now count: 1.");
    assert!(!page.has("With the draft</h2>"));
    assert_eq!(rules(&shop).await[0].rule_id, "window");
    assert_eq!(recommended(&shop).await[0], pinned);
    assert_eq!(shelf(&page, "As it is")[0], pinned);
    // To change a rule begins with what it is.
    let page = press(&mut bookseller, &page, "edit window", &[]).await;
    assert_eq!((page.field("about"), page.field("number")), (pinned.clone(), "1".to_owned()));
    let page = press(&mut bookseller, &page, "delete window", &[]).await;
    assert!(page.has("window: deleted"), "{}", page.text);
    assert_eq!(shelf(&page, "With the draft"), before);
    assert_eq!(recommended(&shop).await[0], pinned);
    press(&mut bookseller, &page, "save", &[]).await;
    assert_eq!(rules(&shop).await, []);
    assert_eq!(recommended(&shop).await, before);
}

#[tokio::test]
async fn what_is_no_rule_is_refused_with_what_is_wrong() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console/try?user=3&count=5").await.found();
    let refused = press(&mut bookseller, &page, "add", &pin("7", "first")).await;
    assert!(refused.has("A rule needs a name"), "{}", refused.text);
    assert_eq!(refused.field("number"), "first");
    let page = press(&mut bookseller, &page, "add", &pin("7", "101")).await;
    assert!(page.has("The service does not take this: "), "{}", page.text);
    assert!(page.has("draft_rules.rules[0].pin.place"), "{}", page.text);
    let page = press(&mut bookseller, &page, "save", &[]).await;
    assert!(page.has("Not all was saved: "), "{}", page.text);
    assert_eq!(rules(&shop).await, []);
}

#[tokio::test]
async fn nothing_in_a_draft_is_more_than_text() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let trap = "<script>alert(1)</script>\"><img src=x>";
    let path = "/console/try?user=%3Cscript%3Ealert(1)%3C/script%3E";
    assert!(!bookseller.get(path).await.has("<script>alert"));
    let page = bookseller.get("/console/try?user=3").await.found();
    let rule = [
        ("rule_id", trap),
        ("target", "author"),
        ("about", trap),
        ("effect", "last"),
        ("languages", trap),
    ];
    let page = press(&mut bookseller, &page, "add", &rule).await;
    assert!(page.has("In the draft") && page.has("&#60;script&#62;"), "{}", page.text);
    assert!(!page.has("<script>alert") && !page.has("<img src=x"), "{}", page.text);
}
