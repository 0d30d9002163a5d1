//! The attacks, by family.

mod crowds;
mod floods;
mod garbage;
mod handshakes;
mod headers;
mod lengths;
mod messages;
mod readers;
mod resets;
mod slow;

use crate::case::{Case, USUAL};

/// All cases, in the order in which they run.
pub(crate) fn cases() -> Vec<Case> {
    let none = Case { name: "none", expected_text: "what is measured without an attack", ..USUAL };
    let families = [
        &[none][..],
        resets::CASES,
        floods::CASES,
        headers::CASES,
        slow::CASES,
        readers::CASES,
        lengths::CASES,
        messages::CASES,
        garbage::CASES,
        crowds::CASES,
        handshakes::CASES,
    ];
    families.concat()
}
