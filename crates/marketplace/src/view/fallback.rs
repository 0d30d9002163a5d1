//! Why an answer was less than what was asked for, in words.

use api::v1::Fallback;

use crate::language::Words;

/// Why; `None` if it was no less.
pub(crate) fn fallback(fallback: Fallback, words: &Words) -> Option<&str> {
    let texts = &words.console;
    Some(match fallback {
        Fallback::UnknownUser => &texts.fallback_unknown_user,
        Fallback::NoHistory => &texts.fallback_no_history,
        Fallback::NoModel => &texts.fallback_no_model,
        Fallback::StoreUnavailable => &texts.fallback_store,
        Fallback::NoNeighbours => &texts.fallback_no_neighbours,
        Fallback::NoTrend => &texts.fallback_no_trend,
        Fallback::Unspecified => return None,
    })
}
