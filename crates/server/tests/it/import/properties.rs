//! Whatever the bytes: an import ends, and one that fails leaves the store as it was.

use proptest::prelude::*;

use super::scratch::Scratch;

/// Anything at all, or something that comes close to a file.
fn contents(header: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let cells = "[a1-5,\"\r\n;é .:-]{0,120}".prop_map(String::into_bytes);
    let tail = prop_oneof![cells, proptest::collection::vec(any::<u8>(), 0..120)];
    let magic = prop_oneof![
        4 => Just(header.as_bytes().to_vec()),
        1 => Just(b"\x1f\x8b\x08\0".to_vec()),
        1 => Just(b"\x28\xb5\x2f\xfd".to_vec()),
        1 => Just(Vec::new()),
    ];
    (magic, tail).prop_map(|(magic, tail)| [magic, tail].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn arbitrary_bytes_are_imported_or_refused_and_never_half(
        books in contents("book,title\n1,"),
        events in contents("user,book,rating\na,1,5\n"),
        keep_going: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scratch = Scratch::new().await;
            let before = scratch.state().await;
            let source = scratch.csv(&books, &events);
            let result = if keep_going { scratch.keep_going(source).await } else { scratch.strict(source).await };
            match result {
                Ok(report) => {
                    assert!(report.committed && (keep_going || report.refused() == 0));
                    let stored: u64 = report.files.iter().map(|file| file.stored).sum();
                    let counts = scratch.store.counts().await.unwrap();
                    assert_eq!(stored, counts.books + counts.events);
                }
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    assert_eq!(scratch.state().await, before);
                }
            }
        });
    }
}
