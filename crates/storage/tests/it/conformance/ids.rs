//! Ids become numbers, once, and numbers ids again.

use recommender::id::{FIRST_ASSIGNED, IdError, LAST_NUMBER};
use recommender::{ItemNumber, UserNumber};
use storage::{IdSpace, StoreError};

use crate::support::{Kind, book, rating};

async fn ids_get_numbers_in_the_order_of_their_arrival_and_keep_them(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let first = UserNumber(FIRST_ASSIGNED);
    let second = UserNumber(FIRST_ASSIGNED + 1);
    let users = writer.assign_users(&["ann", "17", "bob", "ann", "017"]).await.expect("ids");
    let third = UserNumber(FIRST_ASSIGNED + 2);
    assert_eq!(users, [first, UserNumber(17), second, first, third]);
    assert_eq!(writer.assign_users(&["bob"]).await.expect("an id"), [second]);
    // Books are numbered apart.
    assert_eq!(writer.assign_items(&["ann"]).await.expect("an id"), [ItemNumber(FIRST_ASSIGNED)]);
    writer.commit().await.expect("the commit succeeds");
    store.close().await;

    let store = place.open().await;
    assert_eq!(store.user_number("bob").await.expect("an id"), Some(second));
    assert_eq!(store.user_number("cem").await.expect("an id"), None);
    let mut writer = store.begin().await.expect("nobody else writes");
    let next = writer.assign_users(&["cem", "bob"]).await.expect("ids");
    assert_eq!(next, [UserNumber(FIRST_ASSIGNED + 3), second]);
}

async fn a_number_is_not_given_again_after_its_id_is_gone(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.assign_users(&["ann"]).await.expect("an id");
    writer.commit().await.expect("the commit succeeds");
    place.tamper("DELETE FROM assigned_ids").await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let users = writer.assign_users(&["bob", "ann"]).await.expect("ids");
    assert_eq!(users, [UserNumber(FIRST_ASSIGNED + 1), UserNumber(FIRST_ASSIGNED + 2)]);
}

async fn an_id_that_is_its_own_number_is_known_once_it_means_something(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    assert_eq!(store.user_number("17").await.expect("an id"), None);
    assert_eq!(store.item_number("7").await.expect("an id"), None);
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.append_events(&[rating(17, "a", 7)]).await.expect("it fits");
    writer.put_books(&[book(8, "Emma")]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(store.user_number("17").await.expect("an id"), Some(UserNumber(17)));
    assert_eq!(store.item_number("8").await.expect("an id"), Some(ItemNumber(8)));
    // Book 7 has an event, but nobody said what book it is.
    assert_eq!(store.item_number("7").await.expect("an id"), None);
}

async fn thousands_of_ids_go_there_and_back(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let ids: Vec<String> =
        (0..3_000).map(|index| format!("reader-{}", index * 7 % 3_000)).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut writer = store.begin().await.expect("nobody else writes");
    let numbers = writer.assign_users(&ids).await.expect("ids");
    assert_eq!(writer.assign_users(&ids).await.expect("ids"), numbers);
    writer.commit().await.expect("the commit succeeds");
    let back = store.user_ids(&numbers).await.expect("numbers");
    assert_eq!(back, ids.iter().map(|id| Some((*id).to_owned())).collect::<Vec<_>>());
}

async fn a_number_never_assigned_has_no_id(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let numbers = [0, 5, FIRST_ASSIGNED].map(ItemNumber);
    let ids = store.item_ids(&numbers).await.expect("numbers");
    assert_eq!(ids, [None, Some("5".to_owned()), None]);
}

async fn a_string_that_cannot_be_an_id_is_refused_and_assigns_nothing(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let refused = writer.assign_users(&["ann", ""]).await;
    assert!(matches!(refused, Err(StoreError::Id(IdError::Empty))));
    assert!(matches!(store.user_number("a\nb").await, Err(StoreError::Id(_))));
    // The writer goes on, and the number was not used up.
    let users = writer.assign_users(&["bob"]).await.expect("an id");
    assert_eq!(users, [UserNumber(FIRST_ASSIGNED)]);
}

async fn the_last_number_is_assigned_and_then_no_more(kind: Kind) {
    let (store, place) = kind.new_store().await;
    place.tamper("UPDATE id_sequences SET next_number = 2147483646").await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let refused = writer.assign_items(&["a", "b", "c"]).await.expect_err("one too many");
    let expected = "no numbers left for 3 new book ids, expected at most 2";
    assert_eq!(refused.to_string(), expected);
    let items = writer.assign_items(&["a", "b"]).await.expect("two fit");
    assert_eq!(items, [ItemNumber(LAST_NUMBER - 1), ItemNumber(LAST_NUMBER)]);
    let refused = writer.assign_items(&["c"]).await;
    let space = IdSpace::Book;
    assert!(
        matches!(refused, Err(StoreError::OutOfNumbers { space: found, wanted: 1, left: 0 }) if found == space)
    );
    writer.commit().await.expect("what was assigned is committed");
}

on_every_kind!(
    ids_get_numbers_in_the_order_of_their_arrival_and_keep_them,
    a_number_is_not_given_again_after_its_id_is_gone,
    an_id_that_is_its_own_number_is_known_once_it_means_something,
    thousands_of_ids_go_there_and_back,
    a_number_never_assigned_has_no_id,
    a_string_that_cannot_be_an_id_is_refused_and_assigns_nothing,
    the_last_number_is_assigned_and_then_no_more,
);
