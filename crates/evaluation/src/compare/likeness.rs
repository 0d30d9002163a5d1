//! How alike two ranked lists are.

use std::collections::HashSet;

/// Three figures of two lists, each from 0 (nothing in common) to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Likeness {
    /// Books that are in both, as a part of the longer list.
    pub overlap: f64,
    /// Books that are in both, as a part of those in either (Jaccard 1901).
    pub jaccard: f64,
    /// Rank-biased overlap, extrapolated from what was seen: agreement at the top counts most
    /// (Webber, Moffat and Zobel 2010, *A similarity measure for indefinite rankings*, equation 32).
    pub rbo: f64,
}

impl Likeness {
    /// Of two lists, each without repetitions. `p`, above 0 and below 1, is how much further down
    /// one looks: with 0.9, the first ten places have 86 % of the weight (section 5).
    ///
    /// ```
    /// use evaluation::compare::Likeness;
    ///
    /// let [a, b] = [["dune", "emma", "ulysses"], ["dune", "ulysses", "emma"]];
    /// let likeness = Likeness::of(&a, &b, 0.9);
    /// assert_eq!((likeness.overlap, likeness.jaccard), (1.0, 1.0));
    /// assert!((likeness.rbo - 0.955).abs() < 1e-9);
    /// ```
    #[must_use]
    pub fn of<S: AsRef<str>>(one: &[S], other: &[S], p: f64) -> Self {
        let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
        if short.is_empty() {
            return Self::default();
        }
        let common = commons(short, long);
        let all = common[long.len()];
        Self {
            overlap: all / long.len() as f64,
            jaccard: all / ((short.len() + long.len()) as f64 - all),
            rbo: rbo(&common, short.len(), p),
        }
    }
}

/// How many books the first `d` of both lists have in common, for each `d` up to the longer one's
/// length. `X_d` in the paper.
fn commons<S: AsRef<str>>(short: &[S], long: &[S]) -> Vec<f64> {
    let (mut of_short, mut of_long) = (HashSet::new(), HashSet::new());
    let mut common = 0_u32;
    let mut commons = vec![0.0];
    for (place, next) in long.iter().map(AsRef::as_ref).enumerate() {
        of_long.insert(next);
        common += u32::from(of_short.contains(next));
        if let Some(next) = short.get(place).map(AsRef::as_ref) {
            of_short.insert(next);
            common += u32::from(of_long.contains(next));
        }
        commons.push(f64::from(common));
    }
    commons
}

/// Equation 32; `x[d]` are common books at depth `d`, `s` and `l` the lengths.
fn rbo(x: &[f64], s: usize, p: f64) -> f64 {
    let l = x.len() - 1;
    let (mut sum, mut weight) = (0.0, 1.0);
    for (d, common) in x.iter().enumerate().skip(1) {
        weight *= p;
        let beyond = d.saturating_sub(s) as f64 / (s * d) as f64;
        sum += (common / d as f64 + x[s] * beyond) * weight;
    }
    (1.0 - p) / p * sum + ((x[l] - x[s]) / l as f64 + x[s] / s as f64) * weight
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(one: &str, other: &str, expected: [f64; 3]) {
        let [one, other]: [Vec<&str>; 2] =
            [one, other].map(|list| list.split_whitespace().collect());
        for (a, b) in [(&one, &other), (&other, &one)] {
            let Likeness { overlap, jaccard, rbo } = Likeness::of(a, b, 0.9);
            for (found, expected) in [overlap, jaccard, rbo].into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-9, "{a:?} {b:?}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn lists_worked_out_by_hand() {
        check("a b c", "a b c", [1.0, 1.0, 1.0]);
        check("a b c", "d e f", [0.0, 0.0, 0.0]);
        check("", "a", [0.0, 0.0, 0.0]);
        // At depths 1 to 3, 1, 1/2 and 1 are in common: (0.9 + 0.405 + 0.729) / 9 + 0.729.
        check("a b c", "a c b", [1.0, 1.0, 0.955]);
        // The short one ends at depth 1: 0.5 · 0.81 / 9 + 0.5 · 0.81.
        check("a", "b a", [0.5, 0.5, 0.45]);
        // Beyond its end, the short one is taken to go on as it began: 1 at depth 1, then
        // 1/2 + 1/2: (0.9 + 0.81) / 9 + 0.81.
        check("a", "a b", [0.5, 0.5, 1.0]);
    }

    proptest! {
        #[test]
        fn figures_are_shares_and_the_same_from_both_sides(
            one in proptest::collection::hash_set(0..20_u8, 0..12),
            other in proptest::collection::hash_set(0..20_u8, 0..12),
            p in 0.01..0.99,
        ) {
            let [one, other] = [one, other]
                .map(|list| list.iter().map(ToString::to_string).collect::<Vec<String>>());
            let likeness = Likeness::of(&one, &other, p);
            prop_assert_eq!(likeness, Likeness::of(&other, &one, p));
            for figure in [likeness.overlap, likeness.jaccard, likeness.rbo] {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&figure), "{figure}");
            }
        }
    }
}
