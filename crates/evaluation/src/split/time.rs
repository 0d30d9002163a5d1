//! A split by time: everything before one moment is learnt from, everything from it on is
//! held out.
//!
//! Every user is cut at the same moment, so nothing of the future is learnt from; cutting each
//! user at their own last events would let one user's future teach another's present (Ji et
//! al. 2023, *A critical study on data leakage in recommender system offline evaluation*).

use std::cmp::Ordering;

use recommender::Interactions;

use super::{LeftOut, Split, entries};
use crate::lightgcn::Histories;

/// What users did in one span of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Period {
    /// The number of each user of `interactions`, ascending.
    pub users: Vec<u32>,
    /// Who liked what.
    pub interactions: Interactions,
    /// When, in milliseconds since 1970: a time for each entry, in the order of the entries.
    pub times_ms: Vec<i64>,
}

/// When the interactions of a split happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// The moment of the split, in milliseconds since 1970.
    pub moment_ms: i64,
    /// A time for each entry of [`Split::train`], in the order of the entries.
    pub train_ms: Vec<i64>,
    /// A time for each entry of [`Split::histories`], in the order of the entries.
    pub histories_ms: Vec<i64>,
}

/// The moment from which on a share of all times lies, or somewhat more if many are equal;
/// `None` if there are no times, or none before it.
#[must_use]
pub fn moment(mut times_ms: Vec<i64>, share: f64) -> Option<i64> {
    times_ms.sort_unstable();
    let place =
        times_ms.len().checked_sub(1)?.min((times_ms.len() as f64 * (1.0 - share)) as usize);
    let moment = times_ms[place];
    (times_ms[0] < moment).then_some(moment)
}

/// Splits at a moment: learns from `before`, and holds out what users of it liked in `after`,
/// with a value of at least `liked_min`, and did not have before.
///
/// `undated` interactions belong to neither. Users who are in `after` alone, and what users
/// had before already, are counted.
///
/// # Panics
///
/// If the periods have different catalogues, or not a time for each entry.
#[must_use]
pub fn by_time(
    before: Period,
    after: &Period,
    moment_ms: i64,
    liked_min: f32,
    undated: usize,
) -> Split {
    let items = before.interactions.item_count();
    assert_eq!(items, after.interactions.item_count(), "items of both periods");
    for period in [&before, after] {
        assert_eq!(period.users.len(), period.interactions.user_count(), "users of a period");
        assert_eq!(period.times_ms.len(), period.interactions.len(), "times of a period");
    }
    let mut left_out = LeftOut { undated, ..LeftOut::default() };
    let mut histories = Interactions::new(items);
    let mut held_out = Histories::new();
    let mut histories_ms = Vec::new();
    let mut rows = rows(&before).peekable();
    for (place, user) in after.users.iter().enumerate() {
        let liked = entries(&after.interactions, place).filter(|(_, value)| *value >= liked_min);
        let mut liked: Vec<u32> = liked.map(|(item, _)| item).collect();
        if liked.is_empty() {
            continue;
        }
        while rows.next_if(|row| row.user < *user).is_some() {}
        let Some(row) = rows.next_if(|row| row.user.cmp(user) == Ordering::Equal) else {
            left_out.users_unseen += 1;
            left_out.of_users_unseen += liked.len();
            continue;
        };
        let mut known = before.interactions.user(row.place).0.to_vec();
        known.sort_unstable();
        let all = liked.len();
        liked.retain(|item| known.binary_search(item).is_err());
        left_out.repeats += all - liked.len();
        if liked.is_empty() {
            continue;
        }
        liked.sort_unstable();
        held_out.push(liked);
        histories.push_user(entries(&before.interactions, row.place));
        histories_ms.extend_from_slice(row.times_ms);
    }
    let protocol = "global time: everything before one moment is learnt from, what users of that \
                    time liked for the first time after it is held out"
        .to_owned();
    drop(rows);
    let Period { interactions: train, times_ms: train_ms, .. } = before;
    let times = Some(Times { moment_ms, train_ms, histories_ms });
    Split { train, histories, held_out, protocol, left_out, times }
}

struct Row<'a> {
    user: u32,
    place: usize,
    times_ms: &'a [i64],
}

/// The users of a period, each with the times of their entries.
fn rows(period: &Period) -> impl Iterator<Item = Row<'_>> {
    let mut begin = 0;
    period.users.iter().enumerate().map(move |(place, &user)| {
        let end = begin + period.interactions.user(place).0.len();
        let times_ms = &period.times_ms[begin..end];
        begin = end;
        Row { user, place, times_ms }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use proptest::prelude::*;

    const ITEMS: usize = 12;

    /// Events as `(user, item, time)`.
    fn period<'a>(events: impl Iterator<Item = &'a (u32, u32, i64)>) -> Period {
        let mut users: BTreeMap<u32, BTreeMap<u32, i64>> = BTreeMap::new();
        for &(user, item, time) in events {
            users.entry(user).or_default().insert(item, time);
        }
        let mut interactions = Interactions::new(ITEMS);
        let mut times_ms = Vec::new();
        for row in users.values() {
            interactions.push_user(row.keys().map(|item| (*item, 1.0)));
            times_ms.extend(row.values());
        }
        Period { users: users.into_keys().collect(), interactions, times_ms }
    }

    fn split(events: &[(u32, u32, i64)], moment: i64) -> Split {
        let before = period(events.iter().filter(|(_, _, time)| *time < moment));
        let after = period(events.iter().filter(|(_, _, time)| *time >= moment));
        by_time(before, &after, moment, 0.5, 0)
    }

    #[test]
    fn a_split_worked_out_by_hand() {
        let events = [
            (1, 0, 10),
            (1, 1, 20),
            (1, 0, 30),
            (1, 2, 30),
            (2, 0, 10),
            (3, 5, 40),
            (4, 1, 29),
            (4, 7, 31),
        ];
        let split = split(&events, 30);
        assert_eq!(split.train.user_count(), 3);
        // User 1 had item 0 before; user 2 did nothing later; user 3 is new.
        assert_eq!(split.held_out, [vec![2], vec![7]]);
        assert_eq!(split.histories.user(0).0, [0, 1]);
        let expected = LeftOut { undated: 0, users_unseen: 1, of_users_unseen: 1, repeats: 1 };
        assert_eq!(split.left_out, expected);
        let times = split.times.unwrap();
        assert_eq!(times.train_ms, [10, 20, 10, 29]);
        assert_eq!(times.histories_ms, [10, 20, 29]);
    }

    #[test]
    fn the_moment_leaves_the_share_behind_it() {
        assert_eq!(moment((0..10).rev().collect(), 0.2), Some(8));
        assert_eq!(moment(vec![1, 1, 2, 2, 2], 0.2), Some(2));
        assert_eq!(moment(vec![2, 2, 2], 0.2), None);
        assert_eq!(moment(vec![], 0.2), None);
    }

    proptest! {
        #[test]
        fn nothing_from_the_moment_on_is_learnt_from(
            events in prop::collection::vec((0_u32..9, 0..ITEMS as u32, 0_i64..50), 0..80),
            moment in 0_i64..50,
        ) {
            let split = split(&events, moment);
            let times = split.times.as_ref().unwrap();
            prop_assert!(times.train_ms.iter().all(|time| *time < moment));
            prop_assert_eq!(times.train_ms.len(), split.train.len());
            prop_assert_eq!(times.histories_ms.len(), split.histories.len());
            prop_assert_eq!(split.histories.user_count(), split.held_out.len());
            for (place, held_out) in split.held_out.iter().enumerate() {
                let (known, _) = split.histories.user(place);
                prop_assert!(!known.is_empty() && !held_out.is_empty());
                prop_assert!(known.iter().all(|item| held_out.binary_search(item).is_err()));
            }
            let later: BTreeSet<(u32, u32)> = events
                .iter()
                .filter(|(_, _, time)| *time >= moment)
                .map(|(user, item, _)| (*user, *item))
                .collect();
            let left_out = split.left_out;
            let accounted = split.held_out_count() + left_out.of_users_unseen + left_out.repeats;
            prop_assert_eq!(accounted, later.len());
        }
    }
}
