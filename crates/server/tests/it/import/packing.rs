//! Packed files, whatever their names, and packed files that are cut or changed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::scratch::{Scratch, counts};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

/// Far more than fits into one buffer, of rows that do not pack well.
fn events() -> String {
    let row =
        |row: u64| format!("{},{}\n", row % 997, row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40);
    std::iter::once("user,book\n".to_owned()).chain((1..40_000).map(row)).collect()
}

#[tokio::test]
async fn packed_files_are_read_whatever_they_are_called() {
    let scratch = Scratch::new().await;
    let report =
        scratch.strict(scratch.csv(gzip("book,title\n1,A\n"), zstd(&events()))).await.unwrap();
    assert_eq!(report.files[1].rows_read, 39_999);
    let report =
        scratch.strict(scratch.csv("book,title\r\n1,A\r\n", gzip(&events()))).await.unwrap();
    assert_eq!(counts(&report), [[0, 1, 0, 0], [0, 39_999, 0, 0]]);
}

#[tokio::test]
async fn a_cut_file_is_refused() {
    for packed in [gzip(&events()), zstd(&events())] {
        let scratch = Scratch::new().await;
        let cut = &packed[..packed.len() / 2];
        let message = scratch.refused(scratch.csv("book,title\n1,A\n", cut)).await;
        assert!(message.starts_with("shop_events.csv"), "{message}");
        assert!(message.contains(&format!("data is cut after {} bytes", cut.len())), "{message}");
    }
}

#[tokio::test]
async fn a_cut_file_can_be_kept_up_to_the_cut() {
    let packed = gzip(&events());
    let scratch = Scratch::new().await;
    let source = scratch.csv("book,title\n1,A\n", &packed[..packed.len() / 2]);
    let report = scratch.keep_going(source).await.unwrap();
    let [stored, repeated, _, refused] = counts(&report)[1];
    assert_eq!(stored + repeated + refused, report.files[1].rows_read);
    assert!(stored > 5_000 && refused == 1, "{stored} {refused}");
    assert_eq!(scratch.store.counts().await.unwrap().events, stored);
}

#[tokio::test]
async fn a_changed_file_is_refused() {
    let scratch = Scratch::new().await;
    let mut packed = gzip("user,book\n1,1\n");
    let checksum = packed.len() - 6;
    packed[checksum] ^= 0x40;
    assert_eq!(
        scratch.refused(scratch.csv("book,title\n1,A\n", &packed)).await,
        format!(
            "shop_events.csv, line 3: gzip data is damaged within the first {} bytes: corrupt gzip stream does not have a matching checksum",
            packed.len()
        )
    );
}
