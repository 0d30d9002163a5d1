//! What all lists of a model show together: how much of the catalogue, how well known, how
//! unequally.
//!
//! A model can find more again and still show everybody the same few items; these say so.

use serde::Serialize;

/// The points of a Lorenz curve, from the item shown least to the one shown most.
const CURVE_POINTS: usize = 50;

/// What the lists of a model show.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exposure {
    /// Catalogue coverage, 0 to 1: the share of all items that are in at least one list.
    /// After Ge, Delgado-Battenfeld and Jannach (2010, *Beyond accuracy*).
    pub coverage: f64,
    /// Mean self-information in bits, −log₂ p(i): the mean over all items shown, where p(i) is
    /// the share of training users who have the item. One that nobody has counts as if one
    /// had. After Vargas and Castells (2011, *Rank and relevance in novelty and diversity
    /// metrics*), without discount.
    pub novelty: f64,
    /// Average recommendation popularity: the mean over the lists of the mean number of
    /// training users of their items. After Abdollahpouri, Burke and Mobasher (2019, *Managing
    /// popularity bias in recommender systems with personalized re-ranking*).
    pub popularity: f64,
    /// The Gini coefficient of how often each item is shown: 0 if all items are shown equally
    /// often, near 1 if a few take all places. As in Abdollahpouri (2019, *Popularity bias in
    /// ranking and recommendation*); formula of Shani and Gunawardana (2011, *Evaluating
    /// recommendation systems*).
    pub gini: f64,
    /// The Lorenz curve: at the n-th point, the share of all places that the least shown
    /// n / 50 of the items take. From 0 to 1.
    pub lorenz: Vec<f64>,
}

/// Measures what lists show. `item_users` is the number of training users of each item,
/// `users` the number of training users who have any; only `k` places of a list count.
#[must_use]
pub fn measure(lists: &[Vec<u32>], item_users: &[u32], users: usize, k: usize) -> Exposure {
    let mut shown = vec![0_u64; item_users.len()];
    let (mut bits, mut places) = (0.0, 0_u64);
    let (mut popularity, mut filled) = (0.0, 0_u64);
    for list in lists.iter().map(|list| &list[..list.len().min(k)]) {
        let mut popularity_of_list = 0.0;
        for item in list.iter().map(|item| *item as usize) {
            shown[item] += 1;
            places += 1;
            let known_by = f64::from(item_users[item].max(1)) / users.max(1) as f64;
            bits -= known_by.log2();
            popularity_of_list += f64::from(item_users[item]);
        }
        if !list.is_empty() {
            filled += 1;
            popularity += popularity_of_list / list.len() as f64;
        }
    }
    let covered = shown.iter().filter(|count| **count > 0).count();
    shown.sort_unstable();
    Exposure {
        coverage: share(covered as f64, shown.len() as f64),
        novelty: share(bits, places as f64),
        popularity: share(popularity, filled as f64),
        gini: gini(&shown),
        lorenz: lorenz(&shown),
    }
}

/// A part of a whole; of nothing, 0.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Of ascending counts; 0 if all are.
fn gini(counts: &[u64]) -> f64 {
    let n = counts.len() as f64;
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    let weighted = counts
        .iter()
        .zip(1_u64..)
        .map(|(count, place)| (2.0 * place as f64 - n - 1.0) * *count as f64);
    share(weighted.sum(), n * total)
}

/// Of ascending counts; a straight line if all are 0.
fn lorenz(counts: &[u64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for count in counts {
        sums.push(sums[sums.len() - 1] + *count as f64);
    }
    let total = sums[counts.len()];
    let at = |point: usize| {
        let share_of_items = point as f64 / CURVE_POINTS as f64;
        let place = counts.len() as f64 * share_of_items;
        let below = (place as usize).min(counts.len());
        let above = (below + 1).min(counts.len());
        let sum = sums[below] + (sums[above] - sums[below]) * place.fract();
        if total == 0.0 { share_of_items } else { sum / total }
    };
    (0..=CURVE_POINTS).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_exposure_worked_out_by_hand() {
        // Four users; items 0, 1, 2, 3 are known by 4, 2, 1, 0 of them.
        let lists = [vec![0, 1], vec![0, 3], vec![]];
        let exposure = measure(&lists, &[4, 2, 1, 0], 4, 2);
        assert_eq!(exposure.coverage, 0.75);
        // 0 + 1 bit, 0 + 2 bits, over four places.
        assert_eq!(exposure.novelty, 0.75);
        // (3 + 2) / 2 lists that show something.
        assert_eq!(exposure.popularity, 2.5);
        // Shown 0, 1, 1, 2 times: (−3·0 − 1·1 + 1·1 + 3·2) / (4 · 4).
        assert_eq!(exposure.gini, 0.375);
        assert_eq!(
            (exposure.lorenz[0], exposure.lorenz[25], exposure.lorenz[50]),
            (0.0, 0.25, 1.0)
        );
    }

    #[test]
    fn places_beyond_k_do_not_count() {
        assert_eq!(measure(&[vec![0, 1]], &[1, 1], 1, 1), measure(&[vec![0]], &[1, 1], 1, 1));
    }

    #[test]
    fn lists_that_show_nothing_are_measured_too() {
        let exposure = measure(&[vec![]], &[1, 1], 1, 5);
        assert_eq!((exposure.coverage, exposure.novelty, exposure.popularity), (0.0, 0.0, 0.0));
        assert_eq!(measure(&[], &[], 0, 5).gini, 0.0);
    }

    proptest! {
        #[test]
        fn coverage_inequality_and_novelty_stay_in_their_bounds(
            mut lists in prop::collection::vec(prop::collection::btree_set(0_u32..20, 0..8), 1..20)
                .prop_map(|lists| lists.into_iter().map(Vec::from_iter).collect::<Vec<_>>()),
            item_users in prop::collection::vec(0_u32..30, 20),
        ) {
            let exposure = measure(&lists, &item_users, 30, 8);
            prop_assert!((0.0..=1.0).contains(&exposure.coverage));
            prop_assert!((0.0..1.0).contains(&exposure.gini));
            prop_assert!((0.0..=30.0_f64.log2() + 1e-12).contains(&exposure.novelty));
            prop_assert!(exposure.popularity <= 30.0);
            prop_assert!(exposure.lorenz.is_sorted());
            let even = |(point, share): (usize, &f64)| *share <= point as f64 / 50.0 + 1e-12;
            prop_assert!(exposure.lorenz.iter().enumerate().all(even));
            // The order of the users says nothing about what is shown.
            lists.reverse();
            let reversed = measure(&lists, &item_users, 30, 8);
            prop_assert_eq!(reversed.lorenz, exposure.lorenz);
            prop_assert!((reversed.novelty - exposure.novelty).abs() < 1e-9);
        }
    }
}
