//! The checker: histories by hand, then correct ones by chance, then correct ones with a flaw.

mod by_hand;
mod flaws;
mod simulation;

use proptest::prelude::*;
use testbed::checker::{History, StoredEvent, check};

use simulation::simulate;

/// Where a clean report was expected, what was found.
fn assert_clean(history: &History, stored: &[StoredEvent]) {
    let report = check(history, stored);
    assert!(report.is_clean(), "{report}\nof\n{}", text(history));
}

fn text(history: &History) -> String {
    history.operations().iter().map(|operation| format!("{operation}\n")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_a_correct_store_does_is_never_called_wrong(
        choices in prop::collection::vec(any::<u32>(), 0..500),
    ) {
        let (history, stored) = simulate(&choices);
        assert_clean(&history, &stored);
    }
}
