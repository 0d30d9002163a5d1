//! What is not as it was written is refused, and nothing of it is stored.

use std::path::Path;

use server::backup::{BackupError, FileProblem};
use storage::Row;
use xxhash_rust::xxh3::xxh3_64;

use super::shops::{fill, made_up};
use super::{check, lines, new_store, pack, pack_bytes, put_back, rows, take};

/// A backup of a small shop, in a folder of its own.
async fn small() -> (Vec<String>, tempfile::TempDir) {
    let (store, folder) = new_store().await;
    fill(&store).await;
    let file = folder.path().join("shop.jsonl.gz");
    take(&store, &file).await.unwrap();
    (lines(&file), folder)
}

/// Lines with a last line that agrees with those before it, whatever they are.
fn sealed(lines: &[String]) -> Vec<String> {
    let (last, before) = lines.split_last().unwrap();
    let text: String = before.iter().map(|line| format!("{line}\n")).collect();
    let at = last.find("\"xxh3\":\"").unwrap() + 8;
    let sealed = format!("{}{:016x}{}", &last[..at], xxh3_64(text.as_bytes()), &last[at + 16..]);
    [before, &[sealed]].concat()
}

/// Where a file is refused, and why; by verifying and by restoring alike.
async fn refused(file: &Path) -> (u64, FileProblem) {
    let place = |error| match error {
        BackupError::File { line, problem, .. } => (line, problem),
        other => panic!("{other}"),
    };
    let verified = place(check(file).await.unwrap_err());
    let (store, _folder) = new_store().await;
    let empty = rows(&store).await;
    let restored = place(put_back(&store, file).await.unwrap_err());
    assert_eq!(rows(&store).await, empty, "something was stored");
    assert_eq!(verified.0, restored.0);
    assert_eq!(verified.1.to_string(), restored.1.to_string());
    verified
}

#[tokio::test]
async fn a_file_that_was_sealed_again_is_the_same_file() {
    let (lines, folder) = small().await;
    assert_eq!(sealed(&lines), lines);
    check(&pack(folder.path(), &lines)).await.unwrap();
}

#[tokio::test]
async fn a_file_cut_after_any_line_or_within_one_is_refused() {
    let (lines, folder) = small().await;
    for kept in 1..lines.len() {
        let (line, problem) = refused(&pack(folder.path(), &lines[..kept])).await;
        assert!(matches!(problem, FileProblem::Cut), "{problem}");
        assert_eq!(line, kept as u64 + 1);
        let half = &lines[kept][..lines[kept].floor_char_boundary(lines[kept].len() / 2)];
        let text = format!("{}\n{half}", lines[..kept].join("\n"));
        let (line, problem) = refused(&pack_bytes(folder.path(), text.as_bytes())).await;
        assert!(matches!(problem, FileProblem::Cut), "{problem}");
        assert_eq!(line, kept as u64 + 1);
    }
}

#[tokio::test]
async fn packed_data_cut_anywhere_is_refused() {
    let (lines, folder) = small().await;
    let packed = std::fs::read(pack(folder.path(), &lines)).unwrap();
    let file = folder.path().join("cut.jsonl.gz");
    for len in (0..packed.len()).step_by(5).chain(packed.len() - 9..packed.len()) {
        std::fs::write(&file, &packed[..len]).unwrap();
        let problem = refused(&file).await.1;
        assert!(matches!(problem, FileProblem::Cut | FileProblem::Foreign), "{len}: {problem}");
    }
}

#[tokio::test]
async fn a_flipped_bit_of_the_file_is_refused_wherever_it_is() {
    let (lines, folder) = small().await;
    let packed = std::fs::read(pack(folder.path(), &lines)).unwrap();
    let file = folder.path().join("flipped.jsonl.gz");
    // The head of a gzip file has a time and a system in it, which say nothing of the data.
    for place in (10..packed.len()).step_by(3) {
        let mut flipped = packed.clone();
        flipped[place] ^= 1 << (place % 8);
        std::fs::write(&file, &flipped).unwrap();
        match check(&file).await {
            Err(BackupError::File { .. }) => {}
            // The last byte of the packed data may have bits that say nothing.
            Ok(_) => assert_eq!(super::lines(&file), lines, "byte {place}"),
            other => panic!("byte {place}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_character_changed_in_any_line_is_refused() {
    let (lines, folder) = small().await;
    for place in 0..lines.len() {
        let digit = lines[place].rfind(|letter: char| letter.is_ascii_digit());
        let Some(at) = digit else { continue };
        let mut changed = lines.clone();
        let other = if &lines[place][at..=at] == "7" { "6" } else { "7" };
        changed[place].replace_range(at..=at, other);
        refused(&pack(folder.path(), &changed)).await;
    }
}

#[tokio::test]
async fn lines_in_another_order_are_refused_even_if_the_checksum_agrees() {
    let (lines, folder) = small().await;
    for first in 1..lines.len() - 2 {
        let mut swapped = lines.clone();
        swapped.swap(first, first + 1);
        let (line, problem) = refused(&pack(folder.path(), &sealed(&swapped))).await;
        assert!(matches!(problem, FileProblem::Row(_)), "{problem}");
        assert!(line <= first as u64 + 2, "{line} {first}");
    }
    let mut doubled = lines.clone();
    doubled.insert(5, lines[5].clone());
    let (line, _) = refused(&pack(folder.path(), &sealed(&doubled))).await;
    assert_eq!(line, 7);
}

#[tokio::test]
async fn a_line_left_out_is_refused_even_if_the_checksum_agrees() {
    let (lines, folder) = small().await;
    for place in 1..lines.len() - 1 {
        let mut without = lines.clone();
        without.remove(place);
        let (_, problem) = refused(&pack(folder.path(), &sealed(&without))).await;
        assert!(matches!(problem, FileProblem::Counts { .. } | FileProblem::Row(_)), "{problem}");
    }
}

/// A change of the only place with this text, sealed again; returns where it is refused, and how.
async fn changed(from: &str, to: &str) -> String {
    let (lines, folder) = small().await;
    let place = lines.iter().position(|line| line.contains(from)).expect(from);
    let mut changed = lines.clone();
    changed[place] = lines[place].replacen(from, to, 1);
    let (line, problem) = refused(&pack(folder.path(), &sealed(&changed))).await;
    assert_eq!(line, place as u64 + 1, "{problem}");
    problem.to_string()
}

#[tokio::test]
async fn what_this_program_never_writes_is_refused_with_the_reason() {
    for (from, to, reason) in [
        ("\"format\":1", "\"format\":2", "a newer version of this program"),
        ("\"foreword backup\"", "\"forward backup\"", "something else than a backup"),
        ("\"title\":\"Dune\"", "\"title\":\"\"", "title of book"),
        ("\"title\":\"Dune\"", "\"title\":\"Dune\",\"colour\":\"red\"", "unknown field `colour`"),
        ("\"EVENT_KIND_RATING\"", "\"EVENT_KIND_SHRUG\"", "kind is \"EVENT_KIND_SHRUG\""),
        ("\"rating\":1.0", "\"rating\":1.2", "rating is \"1.2\""),
        ("\"rating\":1.0,", "", "has no rating"),
        ("{\"shop\":", "{\"shopp\":", "unknown variant `shopp`"),
        ("\"event_time\":\"2023", "\"event_time\":\"20x3", "RFC 3339"),
        ("\"id\":\"ann\"", "\"id\":\"7\"", "expected to be its own"),
        ("\"secret_sha256\":\"", "\"secret_sha256\":\"0", "64 hexadecimal digits"),
        ("\"impression\":3", "\"impression\":4", "found 3 impression rows, expected 4"),
    ] {
        let found = changed(from, to).await;
        assert!(found.contains(reason), "{from} to {to}: {found}");
    }
}

#[tokio::test]
async fn more_than_the_backup_is_refused() {
    let (lines, folder) = small().await;
    let longer = [lines.as_slice(), &["{}".to_owned()]].concat();
    let (line, problem) = refused(&pack(folder.path(), &longer)).await;
    assert!(matches!(problem, FileProblem::Trailing), "{problem}");
    assert_eq!(line, lines.len() as u64);
    let file = pack(folder.path(), &lines);
    let followed = [std::fs::read(&file).unwrap(), b"more".to_vec()].concat();
    std::fs::write(&file, followed).unwrap();
    refused(&file).await;
    let long = format!("{}\n{{\"{}", lines[0], " ".repeat(1 << 20));
    let (line, problem) = refused(&pack_bytes(folder.path(), long.as_bytes())).await;
    assert!(matches!(problem, FileProblem::Long { .. }), "{problem}");
    assert_eq!(line, 2);
}

#[tokio::test]
async fn files_of_others_are_told_from_backups() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    for bytes in [&b""[..], b"{\"header\":{}}\n", b"SQLite format 3\0", &[0xff; 999]] {
        std::fs::write(&plain, bytes).unwrap();
        let (line, problem) = refused(&plain).await;
        assert!(matches!(problem, FileProblem::Foreign), "{problem}");
        assert_eq!(line, 1);
        let (_, problem) = refused(&pack_bytes(folder.path(), bytes)).await;
        assert!(matches!(problem, FileProblem::Foreign), "{problem}");
    }
}

#[tokio::test]
async fn rows_that_only_the_database_can_refuse_name_their_lines() {
    let mut made_up = made_up(3);
    made_up.truncate(1);
    let (store, _folder) = new_store().await;
    let mut restoring = store.begin_restoring().await.unwrap();
    restoring.put(&made_up).await.unwrap();
    // Half a shop is never committed.
    assert!(restoring.commit().await.is_err());
    assert!(matches!(rows(&store).await[0], Row::Shop(_)));

    let (lines, folder) = small().await;
    let place = lines.iter().position(|line| line.contains("\"id\":\"bob\"")).unwrap();
    let mut twice = lines.clone();
    twice[place] = lines[place].replace("bob", "ann");
    let file = pack(folder.path(), &sealed(&twice));
    let (store, _folder) = new_store().await;
    let empty = rows(&store).await;
    let Err(BackupError::Rows { first, last, .. }) = put_back(&store, &file).await else {
        panic!("an id has two numbers")
    };
    assert!((first..=last).contains(&(place as u64 + 1)), "{first} {last} {place}");
    assert_eq!(rows(&store).await, empty);
}
