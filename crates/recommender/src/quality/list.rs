//! Metrics of one ranked list: recall, NDCG, reciprocal rank, hit.
//!
//! Binary relevance over the whole catalogue, as in He et al. (2020, *LightGCN*), section 4.1:
//! recall divides by the number of held-out items, and the ideal list of NDCG (Järvelin and
//! Kekäläinen 2002, *Cumulated gain-based evaluation of IR techniques*) holds
//! `min(k, held-out items)` hits. Reciprocal rank after Voorhees (1999, *The TREC-8 question
//! answering track report*), hits as in Deshpande and Karypis (2004, *Item-based top-N
//! recommendation algorithms*).

/// What counts as liked, and so may be held out: a clear yes.
pub const LIKED_MIN: f32 = 0.5;

/// What one ranked list is worth; each 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListQuality {
    /// Hits / held-out items.
    pub recall: f64,
    /// Discounted hits / discounted hits of an ideal list.
    pub ndcg: f64,
    /// 1 / place of the first hit, counted from 1; 0 without a hit.
    pub reciprocal_rank: f64,
    /// 1 if there is a hit, else 0.
    pub hit: f64,
}

/// Judges one ranked list against the held-out items, which must be sorted and not empty.
///
/// `k` is how long a full list would be; `ranked` may be shorter, and what is beyond `k` is
/// not looked at.
#[must_use]
pub fn judge(ranked: &[u32], held_out: &[u32], k: usize) -> ListQuality {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let hit = |item: &u32| held_out.binary_search(item).is_ok();
    let hits: Vec<usize> = (0..ranked.len().min(k)).filter(|place| hit(&ranked[*place])).collect();
    // Not `sum`, which makes −0 of nothing.
    let gained = hits.iter().fold(0.0, |gained, place| gained + gain(*place));
    let ideal: f64 = (0..held_out.len().min(k)).map(gain).sum();
    ListQuality {
        recall: hits.len() as f64 / held_out.len() as f64,
        ndcg: gained / ideal,
        reciprocal_rank: hits.first().map_or(0.0, |place| 1.0 / (place + 1) as f64),
        hit: if hits.is_empty() { 0.0 } else { 1.0 },
    }
}

impl ListQuality {
    /// The means of many lists, added up in their order; of none, the default.
    #[must_use]
    pub fn mean(lists: &[Self]) -> Self {
        let count = lists.len().max(1) as f64;
        // Not `sum`, which makes −0 of nothing.
        let mean =
            |of: fn(&Self) -> f64| lists.iter().map(of).fold(0.0, |sum, one| sum + one) / count;
        Self {
            recall: mean(|list| list.recall),
            ndcg: mean(|list| list.ndcg),
            reciprocal_rank: mean(|list| list.reciprocal_rank),
            hit: mean(|list| list.hit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_judged_by_hand() {
        // Hits at places 1 and 3 of four held-out items; the ideal list has three places.
        let quality = judge(&[5, 9, 7], &[1, 5, 7, 8], 3);
        assert_eq!((quality.recall, quality.reciprocal_rank, quality.hit), (0.5, 1.0, 1.0));
        let expected = (1.0 + 0.5) / (1.0 + 1.0 / 3.0_f64.log2() + 0.5);
        assert!((quality.ndcg - expected).abs() < 1e-12);
        assert_eq!(judge(&[9, 6, 7], &[1, 7], 3).reciprocal_rank, 1.0 / 3.0);
        assert_eq!(judge(&[9, 6, 7], &[1, 7], 2), ListQuality::default());
    }

    #[test]
    fn a_perfect_list_has_one_of_everything_and_an_empty_list_nothing() {
        let perfect = ListQuality { recall: 1.0, ndcg: 1.0, reciprocal_rank: 1.0, hit: 1.0 };
        assert_eq!(judge(&[3, 1], &[1, 3], 20), perfect);
        assert_eq!(judge(&[], &[1, 3], 20), ListQuality::default());
    }

    proptest! {
        #[test]
        fn everything_is_between_zero_and_one_and_a_longer_list_finds_no_less(
            ranked in Just((0_u32..30).collect::<Vec<_>>()).prop_shuffle(),
            held_out in prop::collection::btree_set(0_u32..30, 1..20),
            k in 1_usize..29,
        ) {
            let held_out: Vec<u32> = held_out.into_iter().collect();
            let [short, long] = [k, k + 1].map(|k| judge(&ranked, &held_out, k));
            for value in [short.recall, short.ndcg, short.reciprocal_rank, short.hit] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{value}");
            }
            prop_assert!(short.recall <= long.recall && short.hit <= long.hit);
            prop_assert!(short.reciprocal_rank <= long.reciprocal_rank);
            prop_assert_eq!(short.hit > 0.0, short.recall > 0.0);
            prop_assert_eq!(short.hit > 0.0, short.ndcg > 0.0);
        }
    }
}
