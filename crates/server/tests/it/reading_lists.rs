//! Reading lists that users send in.

use std::io::Write as _;
use std::time::Duration;

use api::v1::import_reading_list_response::Told;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    ImportReadingListRequest, ImportReadingListResponse, ReadingListReport, RecommendRequest,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::running::{self, Running};

const HEADER: &str = "Title,Author,ISBN,ISBN13,My Rating,Exclusive Shelf,Date Read,Date Added\n";

fn line(title: &str, author: &str, rating: &str, shelf: &str) -> String {
    format!("{title},{author},,,{rating},{shelf},,2026/01/02\n")
}

/// A list of four books: two that the shop has, one that it has not, and one that is not valid.
fn list() -> Vec<u8> {
    let lines = [
        line("Book 1", "Author 1", "5", "read"),
        line("Book 2", "Author 2", "0", "to-read"),
        line("Unheard of", "Nobody", "3", "read"),
        line("Book 3", "Author 3", "seven", "read"),
    ];
    format!("{HEADER}{}", lines.concat()).into_bytes()
}

/// Sends a list in pieces, and returns all that is told.
async fn send(
    running: &Running,
    user: &str,
    list: &[u8],
    piece: usize,
) -> Result<Vec<ImportReadingListResponse>, Status> {
    let first = ImportReadingListRequest { user_id: user.to_owned(), data: Vec::new() };
    let pieces: Vec<_> =
        std::iter::once(first)
            .chain(list.chunks(piece).map(|data| ImportReadingListRequest {
                user_id: String::new(),
                data: data.to_vec(),
            }))
            .collect();
    send_requests(running, pieces).await
}

async fn send_requests(
    running: &Running,
    requests: Vec<ImportReadingListRequest>,
) -> Result<Vec<ImportReadingListResponse>, Status> {
    let mut client = UserServiceClient::new(running.channel.clone());
    let mut answers = client.import_reading_list(stream::iter(requests)).await?.into_inner();
    let mut told = Vec::new();
    while let Some(answer) = answers.message().await? {
        told.push(answer);
    }
    Ok(told)
}

/// The report at the end; before it comes only progress.
fn report(told: Vec<ImportReadingListResponse>) -> ReadingListReport {
    let mut told: Vec<Told> = told.into_iter().map(|one| one.told.unwrap()).collect();
    let Some(Told::Report(report)) = told.pop() else { panic!("{told:?}") };
    assert!(told.iter().all(|one| matches!(one, Told::Progress(_))));
    report
}

#[tokio::test]
async fn a_list_is_imported_and_its_report_names_what_was_left_out() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let report = report(send(&running, "ann", &list(), 50).await.unwrap());
    // Read and rated; wished for.
    assert_eq!((report.line_count, report.stored_event_count), (4, 3));
    assert_eq!((report.repeated_event_count, report.refused_line_count), (0, 1));
    let refusal = &report.refusals[0];
    assert_eq!((refusal.line, refusal.column.as_str()), (5, "My Rating"));
    assert!(refusal.description.contains("seven"), "{}", refusal.description);
    let unmatched = &report.unmatched_books[0];
    assert_eq!((report.unmatched_line_count, unmatched.line), (1, 4));
    assert_eq!((unmatched.title.as_str(), unmatched.author.as_str()), ("Unheard of", "Nobody"));
    let request = RecommendRequest {
        user_id: "ann".to_owned(),
        max_results: 100,
        user_revision: report.user_revision,
        ..RecommendRequest::default()
    };
    let answer = running.v1().recommend(request).await.unwrap().into_inner();
    let ids: Vec<&str> =
        answer.books.iter().map(|one| one.book.as_ref().unwrap().id.as_str()).collect();
    assert!(!ids.contains(&"1") && !ids.contains(&"2") && ids.contains(&"3"), "{ids:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_list_that_is_sent_again_stores_nothing() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&list()).unwrap();
    let packed = encoder.finish().unwrap();
    for (list, stored, repeated) in [(list(), 3, 0), (list(), 0, 3), (packed, 0, 3)] {
        let report = report(send(&running, "ann", &list, 1 << 16).await.unwrap());
        assert_eq!((report.stored_event_count, report.repeated_event_count), (stored, repeated));
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_list_is_refused_and_stores_nothing() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(HEADER.as_bytes()).unwrap();
    for _ in 0..20 {
        encoder.write_all(&vec![b'\n'; 1 << 20]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    for (list, expected) in [
        (Vec::new(), "empty"),
        (b"PK\x03\x04 and more".to_vec(), "zip archive"),
        (b"name,age\nann,7\n".to_vec(), "Title"),
        (bomb, "longer than 10485760 bytes"),
        (vec![b'a'; (10 << 20) + 1], "10 MiB"),
    ] {
        let status = send(&running, "ann", &list, 1 << 19).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let violation = status.get_details_bad_request().unwrap().field_violations.remove(0);
        assert_eq!(violation.field, "data");
        assert!(violation.description.contains(expected), "{violation:?}");
    }
    let request = RecommendRequest { user_id: "ann".to_owned(), ..RecommendRequest::default() };
    let answer = running.v1().recommend(request).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), api::v1::Fallback::UnknownUser);
    running.stop().await;
}

#[tokio::test]
async fn a_list_says_whose_it_is_first_and_once() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let request = |user: &str| ImportReadingListRequest { user_id: user.to_owned(), data: list() };
    for requests in [vec![], vec![request("")], vec![request("ann"), request("bob")]] {
        let status = send_requests(&running, requests).await.unwrap_err();
        let violation = status.get_details_bad_request().unwrap().field_violations.remove(0);
        assert_eq!(violation.field, "user_id");
    }
    running.stop().await;
}

#[tokio::test]
async fn no_more_lists_of_one_client_are_received_at_once_than_there_is_room_for() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    // Clients that go take their connections with them: one that only stops to listen to a stream
    // leaves it open for as long as it may send.
    let clients = tokio::runtime::Runtime::new().unwrap();
    let (tell, mut received) = mpsc::channel(4);
    for _ in 0..4 {
        let first = ImportReadingListRequest { user_id: "ann".to_owned(), data: list() };
        // It never ends, and its pieces are empty.
        let goes_on = stream::repeat_with(ImportReadingListRequest::default).then(|piece| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            piece
        });
        let requests = stream::iter([first]).chain(goes_on);
        let endpoint = Endpoint::from_shared(running.address.clone()).unwrap();
        let tell = tell.clone();
        clients.spawn(async move {
            let mut client = UserServiceClient::new(endpoint.connect().await.unwrap());
            let mut answers = client.import_reading_list(requests).await.unwrap().into_inner();
            // Only who has a place is told of progress.
            let progress = answers.message().await.unwrap().unwrap();
            assert!(matches!(progress.told, Some(Told::Progress(_))));
            tell.send(()).await.unwrap();
            while let Ok(Some(_)) = answers.message().await {}
        });
    }
    for _ in 0..4 {
        received.recv().await.unwrap();
    }
    let status = send(&running, "bob", &list(), 1 << 16).await.unwrap_err();
    let reason = status.get_details_error_info().unwrap().reason;
    assert_eq!((status.code(), reason.as_str()), (Code::Unavailable, "READING_LISTS_LIMIT"));
    clients.shutdown_background();
    running::until(async || send(&running, "bob", &list(), 1 << 16).await.is_ok()).await;
    running.stop().await;
}
