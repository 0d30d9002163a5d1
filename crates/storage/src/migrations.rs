//! What tests of both databases ask of their lists of migrations.

use std::fs;
use std::path::Path;

/// Checks that a list, of version, name and text, has every file in a folder of `migrations`, and
/// all versions from 1 to the newest.
pub(crate) fn check_listed(database: &str, migrations: &[(i64, &str, &str)], newest: i64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let mut files: Vec<(String, String)> = fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it lists").path())
        .map(|path| {
            let name = path.file_name().expect("an entry has a name").to_string_lossy();
            (name.into_owned(), fs::read_to_string(&path).expect("it reads"))
        })
        .collect();
    files.sort_unstable();
    let listed: Vec<(String, String)> = migrations
        .iter()
        .map(|(version, name, text)| (format!("{version:04}_{name}.sql"), (*text).to_owned()))
        .collect();
    assert_eq!(listed, files);
    let versions: Vec<i64> = migrations.iter().map(|(version, ..)| *version).collect();
    assert_eq!(versions, (1..=newest).collect::<Vec<_>>());
}
