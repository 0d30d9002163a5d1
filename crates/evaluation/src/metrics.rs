//! Metrics of ranked lists: Recall@k, NDCG@k and catalogue coverage.
//!
//! Binary relevance over the whole catalogue, as in He et al. (2020, *LightGCN*), section 4.1:
//! recall divides by the number of held-out items, and the ideal list of NDCG holds
//! `min(k, held-out items)` hits.

/// Recall and NDCG of one ranked list.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListQuality {
    /// Hits / held-out items.
    pub recall: f64,
    /// Discounted hits / discounted hits of an ideal list.
    pub ndcg: f64,
}

/// Judges one ranked list against the held-out items, which must be sorted.
///
/// `k` is how long a full list would be; `ranked` may be shorter.
#[must_use]
pub fn judge(ranked: &[u32], held_out: &[u32], k: usize) -> ListQuality {
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let hit = |item: &u32| held_out.binary_search(item).is_ok();
    let hits: Vec<usize> = (0..ranked.len().min(k)).filter(|place| hit(&ranked[*place])).collect();
    let gained: f64 = hits.iter().map(|place| gain(*place)).sum();
    let ideal: f64 = (0..held_out.len().min(k)).map(gain).sum();
    ListQuality { recall: hits.len() as f64 / held_out.len() as f64, ndcg: gained / ideal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_judged_by_hand() {
        // Hits at places 1 and 3 of four held-out items; the ideal list has three places.
        let quality = judge(&[5, 9, 7], &[1, 5, 7, 8], 3);
        assert_eq!(quality.recall, 0.5);
        let expected = (1.0 + 0.5) / (1.0 + 1.0 / 3.0_f64.log2() + 0.5);
        assert!((quality.ndcg - expected).abs() < 1e-12);
    }

    #[test]
    fn a_perfect_list_has_ndcg_one_and_an_empty_list_zero() {
        assert_eq!(judge(&[3, 1], &[1, 3], 20), ListQuality { recall: 1.0, ndcg: 1.0 });
        assert_eq!(judge(&[], &[1, 3], 20), ListQuality { recall: 0.0, ndcg: 0.0 });
    }
}
