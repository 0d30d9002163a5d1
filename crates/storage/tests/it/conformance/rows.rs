//! The rows of a store are everything that is in its tables.

use std::collections::BTreeSet;

use storage::{Book, Row, RowKind, Store};

use crate::support::{Kind, Place, book};

/// Tables that are no rows, and why.
const LEFT_OUT: [(&str, &str); 8] = [
    ("_sqlx_migrations", "of the schema, which the program makes"),
    ("migrations", "of the schema, which the program makes"),
    ("application", "of the schema, which the program makes"),
    ("book_words", "made of the books"),
    ("touched_users", "made of the users, and only of the latest"),
    ("stock_changes", "only for what is sent again within minutes"),
    ("models", "trained again"),
    ("model_chunks", "trained again"),
];

fn table(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Shop => "shops",
        RowKind::Sequence => "id_sequences",
        RowKind::Id => "assigned_ids",
        RowKind::Book => "books",
        RowKind::DeletedBook => "deleted_books",
        RowKind::User => "users",
        RowKind::MergedUser => "merged_users",
        RowKind::Event => "events",
        RowKind::Impression => "impressions",
        RowKind::Rule => "rules",
        RowKind::ApiKey => "api_keys",
    }
}

async fn every_table_is_rows_of_a_kind_or_left_out_for_a_reason(kind: Kind) {
    let (_store, place) = kind.new_store().await;
    let tables = kind.sql(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
        "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = 'foreword'",
    );
    let tables: BTreeSet<String> = place.texts(tables).await.into_iter().collect();
    let kept: BTreeSet<String> =
        RowKind::ALL.into_iter().map(|kind| table(kind).to_owned()).collect();
    assert!(tables.is_superset(&kept), "{tables:?}");
    for table in &tables - &kept {
        assert!(
            LEFT_OUT.iter().any(|(name, _)| *name == table),
            "{table} is in no backup: make it a kind of row, or say why not"
        );
    }
}

/// Puts all rows of a store into another.
async fn copy(from: &Store, into: &Store) {
    let mut reading = from.begin_reading().await.expect("it reads");
    let mut restoring = into.begin_restoring().await.expect("it is empty");
    loop {
        let rows: Vec<Row> = reading.next_rows(100).await.expect("it reads");
        if rows.is_empty() {
            break;
        }
        restoring.put(&rows).await.expect("they are rows of a store");
    }
    restoring.commit().await.expect("the commit succeeds");
}

/// Each column of the table of books, and what it has.
async fn columns(kind: Kind, place: &Place) -> Vec<(String, Vec<String>)> {
    let names = kind.sql(
        "SELECT name FROM pragma_table_info('books') ORDER BY name",
        "SELECT column_name::text FROM information_schema.columns
         WHERE table_schema = 'foreword' AND table_name = 'books' ORDER BY 1",
    );
    let mut columns = Vec::new();
    for name in place.texts(names).await {
        let query =
            format!("SELECT coalesce(CAST({name} AS text), 'nothing') FROM books ORDER BY number");
        let values = place.texts(&query).await;
        columns.push((name, values));
    }
    columns
}

async fn every_column_of_a_book_comes_back(kind: Kind) {
    let (first, first_place) = kind.new_store().await;
    let mut writer = first.begin().await.expect("nobody else writes");
    let whole = Book { cover_url: Some("https://covers/1.jpg".to_owned()), ..book(1, "Dune") };
    writer.put_books(&[whole]).await.expect("the books fit");
    writer.commit().await.expect("the commit succeeds");
    let before = columns(kind, &first_place).await;
    assert!(before.len() >= 18, "{before:?}");
    for (name, values) in &before {
        assert!(*values != ["nothing"], "the book of this test has no {name}");
    }
    let (second, second_place) = kind.new_store().await;
    copy(&first, &second).await;
    assert_eq!(columns(kind, &second_place).await, before);
}

on_every_kind!(
    every_table_is_rows_of_a_kind_or_left_out_for_a_reason,
    every_column_of_a_book_comes_back,
);
