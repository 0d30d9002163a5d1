//! Segments: users by the length of their history, items by their popularity.
//!
//! A mean over all users can hide that new ones are served badly. The bounds are ours.

use serde::Serialize;

use super::exposure::share;
use recommender::quality::ListQuality;

/// Of each segment of users its name, how long their histories are, and the longest.
pub const USER_SEGMENTS: [(&str, &str, usize); 5] = [
    ("unknown", "none", 0),
    ("cold", "1–5", 5),
    ("few", "6–20", 20),
    ("middle", "21–100", 100),
    ("heavy", "over 100", usize::MAX),
];

/// The name of each segment of items: each takes a third of the training interactions, from
/// the most popular item to those that nobody has.
pub const ITEM_SEGMENTS: [&str; 3] = ["head", "torso", "tail"];

/// Users with histories of similar length.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UserSegment {
    /// What it is called.
    pub name: &'static str,
    /// How many items their histories have.
    pub history: &'static str,
    /// How many tested users it has.
    pub users: usize,
    /// Their mean recall.
    pub recall: f64,
    /// Their mean NDCG.
    pub ndcg: f64,
}

/// Items of similar popularity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ItemSegment {
    /// What it is called.
    pub name: &'static str,
    /// How many items it has.
    pub items: usize,
    /// How often its items were to be found.
    pub held_out: usize,
    /// The share of these that were found, over all users together.
    pub recall: f64,
}

/// The means of each segment of users that has any.
#[must_use]
pub fn of_users(qualities: &[ListQuality], history_lens: &[usize]) -> Vec<UserSegment> {
    let mut shortest = 0;
    let mut segments = Vec::new();
    for (name, history, longest) in USER_SEGMENTS {
        let is_in = |len: usize| (shortest..=longest).contains(&len);
        let those = || qualities.iter().zip(history_lens).filter(|(_, len)| is_in(**len));
        let users = those().count();
        let mean = |of: fn(&ListQuality) -> f64| {
            those().map(|(quality, _)| of(quality)).sum::<f64>() / users as f64
        };
        if users > 0 {
            let (recall, ndcg) = (mean(|quality| quality.recall), mean(|quality| quality.ndcg));
            segments.push(UserSegment { name, history, users, recall, ndcg });
        }
        shortest = longest.saturating_add(1);
    }
    segments
}

/// The place of each item's segment in [`ITEM_SEGMENTS`], by its number of training users.
#[must_use]
pub fn item_segments(item_users: &[u32]) -> Vec<u8> {
    let mut order: Vec<usize> = (0..item_users.len()).collect();
    order.sort_by_key(|item| std::cmp::Reverse(item_users[*item]));
    let total: u64 = item_users.iter().map(|users| u64::from(*users)).sum();
    let mut segments = vec![2; item_users.len()];
    let mut before = 0;
    for item in order {
        if item_users[item] == 0 {
            break;
        }
        // One that somebody has begins before the last interaction, so this is 0, 1 or 2.
        segments[item] = (before * 3 / total) as u8;
        before += u64::from(item_users[item]);
    }
    segments
}

/// What was found of each segment of items; `segments` as [`item_segments`] says.
#[must_use]
pub fn of_items(
    lists: &[Vec<u32>],
    held_out: &[Vec<u32>],
    segments: &[u8],
    k: usize,
) -> Vec<ItemSegment> {
    let mut found = [0_usize; 3];
    let mut wanted = [0_usize; 3];
    for (list, held_out) in lists.iter().zip(held_out) {
        for item in held_out {
            wanted[usize::from(segments[*item as usize])] += 1;
        }
        for item in list.iter().take(k).filter(|item| held_out.binary_search(item).is_ok()) {
            found[usize::from(segments[*item as usize])] += 1;
        }
    }
    let of = |(place, name): (usize, &'static str)| ItemSegment {
        name,
        items: segments.iter().filter(|segment| usize::from(**segment) == place).count(),
        held_out: wanted[place],
        recall: share(found[place] as f64, wanted[place] as f64),
    };
    ITEM_SEGMENTS.into_iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_told_apart_by_the_length_of_their_history() {
        let quality = |recall| ListQuality { recall, ndcg: recall / 2.0, ..ListQuality::default() };
        let qualities = [0.2, 0.4, 0.6, 0.8, 1.0].map(quality);
        let segments = of_users(&qualities, &[5, 1, 6, 100, 101]);
        let found: Vec<_> =
            segments.iter().map(|segment| (segment.name, segment.users, segment.ndcg)).collect();
        let expected = [("cold", 2, 0.15), ("few", 1, 0.3), ("middle", 1, 0.4), ("heavy", 1, 0.5)];
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0, found.1), (expected.0, expected.1));
            assert!((found.2 - expected.2).abs() < 1e-12);
        }
        assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn each_segment_of_items_takes_about_a_third_of_the_interactions() {
        assert_eq!(item_segments(&[1, 6, 3, 2, 0]), [2, 0, 1, 2, 2]);
        assert_eq!(item_segments(&[0, 0]), [2, 2]);
        assert_eq!(item_segments(&[]), [0_u8; 0]);
    }

    #[test]
    fn what_is_found_of_items_is_counted_by_hand() {
        let segments =
            of_items(&[vec![0, 2, 1], vec![1]], &[vec![0, 1], vec![0, 2]], &[0, 1, 2], 2);
        let found: Vec<_> =
            segments.iter().map(|segment| (segment.held_out, segment.recall)).collect();
        assert_eq!(found, [(2, 0.5), (1, 0.0), (1, 0.0)]);
    }
}
