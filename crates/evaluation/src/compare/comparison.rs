//! Both sides, and how alike they are over all users.

use std::collections::HashSet;

use serde::Serialize;

use crate::compare::{Answer, Likeness, Side};
use crate::load::{Report, Summary};
use crate::markup::count;
use crate::metrics::bootstrap::{Interval, Resampled};

/// How many users are shown of those whose lists are least alike.
const LEAST_ALIKE: usize = 5;

/// Users by the overlap of their lists: the names of the groups of [`Comparison::spread`].
pub const SPREAD: [&str; 5] =
    ["nothing in common", "up to a third", "up to two thirds", "more", "the same books"];

/// What lists are compared by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How long lists are at most.
    pub k: usize,
    /// The persistence of [`Likeness::rbo`], above 0 and below 1.
    pub p: f64,
    /// Seed of the intervals.
    pub seed: u64,
}

/// Everything about both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How long lists are at most.
    pub k: usize,
    /// The persistence of rank-biased overlap.
    pub p: f64,
    /// How many users were asked for.
    pub users: usize,
    /// The shop's own.
    pub old: SideSummary,
    /// What would take its place.
    pub new: SideSummary,
    /// Users who have books from both sides. All figures below are about them.
    pub compared: usize,
    /// Books in both lists, as a part of the longer one.
    pub overlap: Option<Mean>,
    /// Books in both lists, as a part of those in either.
    pub jaccard: Option<Mean>,
    /// Rank-biased overlap.
    pub rbo: Option<Mean>,
    /// How many users have an overlap of 0, up to 1/3, up to 2/3, below 1, and 1.
    pub spread: [usize; 5],
    /// The users whose lists are least alike, at most five, the least alike first; none whose are
    /// the same.
    pub least_alike: Vec<Pair>,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SideSummary {
    /// Where it is from: an address, or a file.
    pub source: String,
    /// Users with one book at least.
    pub with_books: usize,
    /// Users with an answer without books.
    pub empty: usize,
    /// Users without a good answer.
    pub missing: usize,
    /// Answers that the service called a fallback; `None` where it does not tell.
    pub fallbacks: Option<usize>,
    /// Different books in all lists.
    pub different_books: usize,
    /// How the calls went; `None` of a file.
    pub load: Option<Report>,
}

/// A mean over users.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// What holds it in 95 % of resamples of the users.
    pub interval: Interval,
}

/// Both lists of one user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The user's id.
    pub user: String,
    /// Their rank-biased overlap.
    pub rbo: f64,
    /// The old list.
    pub old: Vec<String>,
    /// The new one.
    pub new: Vec<String>,
}

impl Comparison {
    /// Compares two sides that were asked for these users, in this order. The intervals are drawn
    /// on the current rayon pool.
    #[must_use]
    pub fn new(users: &[String], old: Side, new: Side, options: &Options) -> Self {
        let books = |answer: &Option<Answer>| {
            answer.as_ref().map(|it| it.books.clone()).filter(|books| !books.is_empty())
        };
        let pairs: Vec<(Pair, Likeness)> = users
            .iter()
            .zip(old.answers.iter().zip(&new.answers))
            .filter_map(|(user, (old, new))| {
                let (old, new) = (books(old)?, books(new)?);
                let likeness = Likeness::of(&old, &new, options.p);
                Some((Pair { user: user.clone(), rbo: likeness.rbo, old, new }, likeness))
            })
            .collect();
        let figures: [fn(&Likeness) -> f64; 3] = [|it| it.overlap, |it| it.jaccard, |it| it.rbo];
        let series =
            figures.map(|figure| pairs.iter().map(|(_, likeness)| figure(likeness)).collect());
        let resampled = Resampled::new(&series, options.seed);
        let [overlap, jaccard, rbo] = [0, 1, 2].map(|place: usize| {
            let values: &Vec<f64> = &series[place];
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (!values.is_empty()).then(|| Mean { mean, interval: resampled.of_mean(place) })
        });
        Self {
            k: options.k,
            p: options.p,
            users: users.len(),
            old: SideSummary::new(old),
            new: SideSummary::new(new),
            compared: pairs.len(),
            overlap,
            jaccard,
            rbo,
            spread: spread(&series[0]),
            least_alike: least_alike(pairs),
        }
    }

    /// What there is to say of both sides, a row for each figure: its name, the old one's, the new
    /// one's.
    pub fn figures(&self) -> impl Iterator<Item = [String; 3]> {
        let both = self.old.figures().into_iter().zip(self.new.figures());
        both.map(|((name, old), (_, new))| [name.to_owned(), old, new])
    }
}

impl SideSummary {
    fn new(side: Side) -> Self {
        let answers = || side.answers.iter().flatten();
        let with_books = answers().filter(|answer| !answer.books.is_empty()).count();
        let fallbacks = answers().filter(|answer| answer.fallback).count();
        Self {
            with_books,
            empty: answers().count() - with_books,
            missing: side.answers.len() - answers().count(),
            fallbacks: side.tells_fallbacks.then_some(fallbacks),
            different_books: answers().flat_map(|it| &it.books).collect::<HashSet<_>>().len(),
            source: side.source,
            load: side.load,
        }
    }

    fn figures(&self) -> [(&'static str, String); 10] {
        let unknown = || "–".to_owned();
        let latency = |figure: fn(&Summary) -> f64| {
            let load = self.load.as_ref();
            load.map_or_else(unknown, |load| format!("{:.2} ms", figure(&load.latency) / 1e3))
        };
        [
            ("where", self.source.clone()),
            ("readers with books", count(self.with_books)),
            ("readers with an empty answer", count(self.empty)),
            ("readers without a good answer", count(self.missing)),
            ("fallbacks", self.fallbacks.map_or_else(unknown, count)),
            ("different books", count(self.different_books)),
            ("latency p50", latency(|it| it.p50_us)),
            ("latency p90", latency(|it| it.p90_us)),
            ("latency p99", latency(|it| it.p99_us)),
            ("latency max", latency(|it| it.max_us)),
        ]
    }
}

fn spread(overlaps: &[f64]) -> [usize; 5] {
    let mut spread = [0; 5];
    for &overlap in overlaps {
        // Thirds of lists of three are thirds.
        let group = match overlap {
            0.0 => 0,
            1.0 => 4,
            it if it <= 1.0 / 3.0 => 1,
            it if it <= 2.0 / 3.0 => 2,
            _ => 3,
        };
        spread[group] += 1;
    }
    spread
}

fn least_alike(pairs: Vec<(Pair, Likeness)>) -> Vec<Pair> {
    let pairs = pairs.into_iter().map(|(pair, _)| pair);
    let mut pairs: Vec<Pair> = pairs.filter(|pair| pair.old != pair.new).collect();
    // Stable: of those that are as little alike, the first that were asked for.
    pairs.sort_by(|a, b| a.rbo.total_cmp(&b.rbo));
    pairs.truncate(LEAST_ALIKE);
    pairs
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn side(lists: &[Option<&str>]) -> Side {
        let answer = |list: &Option<&str>| {
            let books = list.as_ref()?.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            Some(Answer { fallback: books.len() == 1, books })
        };
        Side {
            source: "a & b".to_owned(),
            answers: lists.iter().map(answer).collect(),
            tells_fallbacks: true,
            load: None,
        }
    }

    pub(in crate::compare) fn sample() -> Comparison {
        let users = ["ann", "bob", "cid", "<dan>", "eve"].map(str::to_owned);
        let old = side(&[Some("a b"), Some("a b"), Some("a b"), None, Some("c")]);
        let new = side(&[Some("a b"), Some("b d"), Some("c d"), Some("a"), Some("")]);
        Comparison::new(&users, old, new, &Options { k: 2, p: 0.9, seed: 7 })
    }

    #[test]
    fn users_with_books_from_both_sides_are_compared() {
        let found = sample();
        assert_eq!((found.users, found.compared), (5, 3));
        let mean = |mean: Option<Mean>| (mean.unwrap().mean * 1e6).round() / 1e6;
        // Overlaps 1, 1/2 and 0; Jaccard 1, 1/3 and 0.
        assert_eq!((mean(found.overlap), mean(found.jaccard)), (0.5, 0.444_444));
        assert_eq!(found.spread, [1, 0, 1, 0, 1]);
        let least: Vec<&str> = found.least_alike.iter().map(|pair| &*pair.user).collect();
        assert_eq!(least, ["cid", "bob"]);
        let SideSummary { with_books, empty, missing, fallbacks, different_books, .. } = found.new;
        assert_eq!((with_books, empty, missing), (4, 1, 0));
        assert_eq!((fallbacks, different_books), (Some(1), 4));
        assert_eq!((found.old.with_books, found.old.missing), (4, 1));
        let interval = found.overlap.unwrap().interval;
        assert!(interval.low < 0.5 && interval.high > 0.5);
    }

    #[test]
    fn figures_are_rows_of_both_sides() {
        let found: Vec<[String; 3]> = sample().figures().collect();
        let row = |name| found.iter().find(|row| row[0] == name).unwrap();
        assert_eq!(row("readers without a good answer")[1..], ["1", "0"]);
        assert_eq!(row("different books")[1..], ["3", "4"]);
        assert_eq!(row("latency max")[1..], ["–", "–"]);
    }

    #[test]
    fn without_users_there_are_no_means() {
        let found = Comparison::new(&[], side(&[]), side(&[]), &Options { k: 2, p: 0.9, seed: 7 });
        assert_eq!((found.overlap, found.rbo, found.compared), (None, None, 0));
    }
}
