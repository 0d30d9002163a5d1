//! The models that are measured, behind one trait.

mod item_knn;
mod popularity;
mod served;

pub(crate) use item_knn::ItemKnn;
pub(crate) use popularity::Popularity;
pub(crate) use served::Served;

use recommender::Interactions;
use recommender::model::Liked;
use recommender::watch::{Cancelled, Watch};

use crate::run::Options;

/// A model that ranks the items a user does not have yet.
///
/// Invariant: the same input gives the same lists, whatever the number of threads; equal
/// scores are ordered by item.
pub(crate) trait Ranker: Sized + Sync {
    /// What the report calls it.
    const NAME: &'static str;

    /// Working memory of a thread.
    type Memory: Default + Send;

    /// Learns from interactions, on the current rayon pool.
    fn fit(train: &Interactions, options: &Options, watch: &Watch<'_>) -> Result<Self, Cancelled>;

    /// The best items for a history, best first: at most `k`, and none of the history.
    fn rank(&self, history: &[Liked], k: usize, memory: &mut Self::Memory) -> Vec<u32>;
}

/// What a user is known by, as the engine takes it, in place of what `history` held.
pub(crate) fn fold_in(histories: &Interactions, user: usize, history: &mut Vec<Liked>) {
    let (items, weights) = histories.user(user);
    history.clear();
    let liked = items.iter().zip(weights);
    history.extend(liked.map(|(&item, &weight)| Liked { item, weight }));
}

/// The conformance suite.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plain_ridge;

    fn interactions(rows: &[&[(u32, f32)]]) -> Interactions {
        let mut interactions = Interactions::new(6);
        rows.iter().for_each(|row| interactions.push_user(row.iter().copied()));
        interactions
    }

    fn options() -> Options {
        Options { item_knn_neighbours: 10, ..Options::new(plain_ridge()) }
    }

    fn fit<R: Ranker>(train: &Interactions) -> R {
        R::fit(train, &options(), &Watch::IGNORE).unwrap()
    }

    fn rank<R: Ranker>(ranker: &R, history: &[(u32, f32)], k: usize) -> Vec<u32> {
        let liked = history.iter().map(|&(item, weight)| Liked { item, weight });
        ranker.rank(&liked.collect::<Vec<_>>(), k, &mut R::Memory::default())
    }

    fn conforms<R: Ranker>() {
        let rows: [&[(u32, f32)]; 4] = [
            &[(0, 1.0), (1, 1.0), (2, 0.5)],
            &[(2, 1.0), (0, 2.0)],
            &[(1, 1.0), (3, 1.0), (4, 1.0)],
            &[],
        ];
        let train = interactions(&rows);
        let ranker: R = fit(&train);
        let mut memory = R::Memory::default();
        for row in rows {
            let history: Vec<Liked> =
                row.iter().map(|&(item, weight)| Liked { item, weight }).collect();
            let all = ranker.rank(&history, 20, &mut memory);
            for (place, item) in all.iter().enumerate() {
                assert!((*item as usize) < train.item_count(), "{}", R::NAME);
                assert!(!all[..place].contains(item), "{} repeats {item}", R::NAME);
                assert!(!row.iter().any(|(known, _)| known == item), "{} {item}", R::NAME);
            }
            for k in 0..=all.len() {
                let fewer = ranker.rank(&history, k, &mut memory);
                assert_eq!(fewer, all[..k], "{}", R::NAME);
            }
        }
    }

    #[test]
    fn all_rankers_conform() {
        conforms::<Served>();
        conforms::<Popularity>();
        conforms::<ItemKnn>();
    }

    #[test]
    fn popularity_is_worked_out_by_hand() {
        // Sums: 0: 1, 1: 3, 2: 3, 3: 2, 4: 0, 5: 0.
        let train = interactions(&[&[(0, 1.0), (2, 3.0)], &[(1, 3.0)], &[(3, 2.0)]]);
        let popularity: Popularity = fit(&train);
        assert_eq!(rank(&popularity, &[], 4), [1, 2, 3, 0]);
        assert_eq!(rank(&popularity, &[(0, 1.0), (2, 3.0)], 2), [1, 3]);
    }

    #[test]
    fn item_knn_is_worked_out_by_hand() {
        // Users of 0: a, b; of 1: a, b, c; of 2: a; of 3: c. Cosines: 01: 2/√6 = .816,
        // 02: 1/√2 = .707, 12: 1/√3 = .577, 13: 1/√3 = .577, 03 and 23: 0.
        let a: &[(u32, f32)] = &[(0, 1.0), (1, 1.0), (2, 1.0)];
        let train = interactions(&[a, &[(0, 1.0), (1, 1.0)], &[(1, 1.0), (3, 1.0)]]);
        let knn: ItemKnn = fit(&train);
        assert_eq!(rank(&knn, &[(0, 1.0)], 9), [1, 2]);
        // 2 and 3 tie: the lower number comes first.
        assert_eq!(rank(&knn, &[(1, 1.0)], 9), [0, 2, 3]);
        // 0: .707, 1: .577 + .577 = 1.155.
        assert_eq!(rank(&knn, &[(2, 1.0), (3, 1.0)], 9), [1, 0]);
        // A heavier 2 turns the order of 0 (2 × .707) and 1 (2 × .577 + .1 × .577).
        assert_eq!(rank(&knn, &[(2, 2.0), (3, 0.1)], 9), [0, 1]);
    }

    #[test]
    fn item_knn_asks_only_the_nearest_neighbours() {
        let a: &[(u32, f32)] = &[(0, 1.0), (1, 1.0), (2, 1.0)];
        let train = interactions(&[a, &[(0, 1.0), (1, 1.0)], &[(1, 1.0), (3, 1.0)]]);
        let one = Options { item_knn_neighbours: 1, ..options() };
        let knn = ItemKnn::fit(&train, &one, &Watch::IGNORE).unwrap();
        assert_eq!(rank(&knn, &[(0, 1.0)], 9), [1]);
    }

    #[test]
    fn what_is_served_is_personal_first_and_filled_up_by_popularity() {
        let train = interactions(&[
            &[(0, 1.0), (1, 1.0)],
            &[(0, 1.0), (1, 1.0)],
            &[(2, 1.0), (3, 1.0)],
            &[(2, 1.0), (3, 1.0)],
            &[(2, 1.0), (4, 1.0)],
        ]);
        let served: Served = fit(&train);
        // 1 goes with 0; then by number of users: 2 (3), 3 (2), 4 (1), 5 (0).
        assert_eq!(rank(&served, &[(0, 1.0)], 20), [1, 2, 3, 4, 5]);
        assert_eq!(rank(&served, &[], 3), [2, 0, 1]);
    }
}
