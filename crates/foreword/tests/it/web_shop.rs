//! The web shop in a real browser: `foreword demo` with Chromium in front of it. What is done there
//! is written in JavaScript, in `crates/marketplace/tests/browser`.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::needs;
use crate::shop;

/// One browser at a time: each keeps a core busy.
static BROWSER: Mutex<()> = Mutex::new(());

/// Opens a shop, runs a script against it, and closes the shop.
fn play(test: &str, script: &str) {
    let Some((chromium, packages)) = needs::browser(test) else { return };
    let _turn = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let program = shop::own();
    let demo = program.start_with(
        "demo --listen 127.0.0.1:0",
        &[("FOREWORD_MARKETPLACE__LISTEN", r#"["127.0.0.1:0"]"#)],
    );
    let line = demo.read_until("The shop is open: ").pop().unwrap();
    let url = line.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    let folder = needs::repository().join("crates/marketplace/tests/browser");
    let status = Command::new("node")
        .args(["--test", script])
        .current_dir(folder)
        .env("SHOP_URL", url)
        .env("CHROMIUM", chromium)
        .env("PACKAGES", packages)
        .status();
    assert!(status.unwrap().success(), "{script} failed: see above");
    assert_eq!(demo.end_with("-TERM"), 0);
}

#[test]
fn a_shopper_finds_acts_and_changes_their_mind() {
    play("a_shopper_finds_acts_and_changes_their_mind", "shopper.test.mjs");
}

#[test]
fn the_bookseller_sees_tries_and_switches() {
    play("the_bookseller_sees_tries_and_switches", "bookseller.test.mjs");
}

#[test]
fn pages_are_accessible_still_and_light() {
    play("pages_are_accessible_still_and_light", "looks.test.mjs");
}

#[test]
fn the_shop_works_without_scripts() {
    play("the_shop_works_without_scripts", "plain.test.mjs");
}
