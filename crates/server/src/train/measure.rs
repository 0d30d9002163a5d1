//! Measuring: how well a model ranks what came after all that it was learnt from.
//!
//! Everybody is cut at the same moment, and what happened from it on is not looked at before lists
//! are judged (Ji et al. 2023, *A critical study on data leakage in recommender system offline
//! evaluation*). What is measured is not the new model, which learns from everything, but one of the
//! same settings. It is over before that is learnt, so that it takes time rather than memory: three
//! readings of the events and a fit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use recommender::Model;
use recommender::learn::Learnt;
use recommender::model::Liked;
use recommender::quality::{BareShop, LIKED_MIN, ListQuality, judge};
use recommender::shelf::Workspace;
use recommender::watch::Cancelled;
use storage::Store;

use super::lessons::{Lessons, Span, read_lessons, read_lessons_of};
use super::quality::Quality;
use super::{TrainError, learn_from, pool};
use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::progress::{Progress, Stages};
use crate::settings::Settings;

/// The share of all dated likes that is held back; at most twice as much, where many have one time.
const SHARE: f64 = 0.1;

/// The most readers that are judged, evenly of all.
const READERS_MAX: usize = 5_000;

/// Books of a judged list.
const BOOKS: usize = 10;

/// Measures what a model of these settings is worth in this shop; `None` if its likes cannot be cut in
/// two by time, or no reader has some on both sides.
pub(super) async fn measure(
    store: &Store,
    settings: &Settings,
    progress: &Arc<dyn Progress>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Option<Quality>, TrainError> {
    let lessons = read_lessons(store, settings, &**progress, cancelled).await?;
    let Some(moment) = moment(liked_ms(&lessons)) else { return Ok(None) };
    drop(lessons);
    let read = async |span| read_lessons_of(span, store, settings, &**progress, cancelled).await;
    let before = read(Span::Until(moment)).await?;
    let Some(held_back) = HeldBack::new(before, &read(Span::From(moment)).await?) else {
        return Ok(None);
    };
    let (settings, progress, cancelled) =
        (settings.clone(), Arc::clone(progress), Arc::clone(cancelled));
    let work = move || {
        pool(&settings)?.install(|| {
            let Lessons { interactions, features, .. } = &held_back.before;
            let task = "measuring: ";
            let learnt =
                learn_from(interactions, features, &settings, task, &*progress, &cancelled)?;
            Ok(Some(held_back.judge(learnt, &*progress, &cancelled)?))
        })
    };
    blocking(work).await
}

/// When what is clearly liked was liked, where that is known.
fn liked_ms(lessons: &Lessons) -> Vec<i64> {
    let mut times_ms = Vec::with_capacity(lessons.interactions.len());
    let liked = lessons.dated().filter(|(_, weight, _)| *weight >= LIKED_MIN);
    times_ms.extend(liked.filter_map(|(.., time_ms)| time_ms));
    times_ms
}

/// The moment from which on about [`SHARE`] of all times lies; `None` if there is none with times
/// before it, and with some but at most twice that share from it on.
fn moment(mut times_ms: Vec<i64>) -> Option<i64> {
    times_ms.sort_unstable();
    let count = times_ms.len();
    let wanted = times_ms.get((count as f64 * (1.0 - SHARE)) as usize)?;
    let first = times_ms.partition_point(|time| time < wanted);
    // Of many equal ones, all or none.
    let first = match (count - first) as f64 <= count as f64 * SHARE * 2.0 {
        true => first,
        false => times_ms.partition_point(|time| time <= wanted),
    };
    (first > 0).then(|| times_ms.get(first).copied()).flatten()
}

/// What was liked before a moment, and what came after it.
struct HeldBack {
    /// What was liked before, or at an unknown time.
    before: Lessons,
    /// The judged readers' rows of it, and what each came to like, ascending.
    found: Vec<(usize, Vec<u32>)>,
}

impl HeldBack {
    fn new(before: Lessons, after: &Lessons) -> Option<Self> {
        let mut found = Vec::new();
        for (user, number) in after.users.iter().enumerate() {
            let Ok(row) = before.users.binary_search(number) else { continue };
            let mut known = before.interactions.user(row).0.to_vec();
            known.sort_unstable();
            let (items, weights) = after.interactions.user(user);
            let liked = items.iter().zip(weights).filter(|(_, weight)| **weight >= LIKED_MIN);
            // Books may have come between two readings.
            let columns = liked.filter_map(|(item, _)| {
                before.items.binary_search(&after.items[*item as usize]).ok()
            });
            let mut liked: Vec<u32> = columns.map(|column| column as u32).collect();
            liked.retain(|item| known.binary_search(item).is_err());
            liked.sort_unstable();
            if !liked.is_empty() {
                found.push((row, liked));
            }
        }
        let every = found.len().div_ceil(READERS_MAX).max(1);
        let found: Vec<_> = found.into_iter().step_by(every).collect();
        (!found.is_empty()).then_some(Self { before, found })
    }

    /// Judges what was learnt from before, on the current rayon pool.
    fn judge(
        &self,
        learnt: Learnt,
        progress: &dyn Progress,
        cancelled: &AtomicBool,
    ) -> Result<Quality, Cancelled> {
        let Lessons { items, interactions, .. } = &self.before;
        let trend = vec![0.0; items.len()];
        let shop = BareShop::new(Model::new(items, interactions, learnt, trend, 0));
        let stages = Stages::new(progress);
        let judged = AtomicUsize::new(0);
        let lists =
            self.found.par_iter().map_init(Workspace::default, |workspace, (row, liked)| {
                if cancelled.load(Ordering::Relaxed) {
                    return Err(Cancelled);
                }
                let (known, weights) = interactions.user(*row);
                let pairs = known.iter().zip(weights);
                let history: Vec<Liked> =
                    pairs.map(|(&item, &weight)| Liked { item, weight }).collect();
                let ranked = shop.rank(&history, known, BOOKS, workspace);
                let popular = shop.rank(&[], known, BOOKS, workspace);
                let done = judged.fetch_add(1, Ordering::Relaxed) + 1;
                if done.is_multiple_of(100) {
                    stages.at("measuring: ranking", done, self.found.len());
                }
                Ok((judge(&ranked, liked, BOOKS), judge(&popular, liked, BOOKS)))
            });
        let lists: Vec<(ListQuality, ListQuality)> = lists.collect::<Result<_, _>>()?;
        let (personal, popular): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
        let quality = ListQuality::mean(&personal);
        Ok(Quality {
            ndcg_at_10: quality.ndcg,
            recall_at_10: quality.recall,
            popularity_ndcg_at_10: ListQuality::mean(&popular).ndcg,
            // No more than `READERS_MAX`.
            readers: self.found.len() as u32,
            measured_ms: now_ms(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::lessons::Row;

    #[test]
    fn the_latest_tenth_is_held_back_and_of_equal_times_all_or_none() {
        let times = |counts: &[(i64, usize)]| -> Vec<i64> {
            counts.iter().flat_map(|(time, count)| vec![*time; *count]).rev().collect()
        };
        for (counts, expected) in [
            (&[][..], None),
            (&[(5, 1)], None),
            (&[(5, 1), (6, 1)], None),
            (&[(5, 9), (6, 1)], Some(6)),
            // A fifth, and more than that.
            (&[(5, 80), (6, 20)], Some(6)),
            (&[(5, 79), (6, 21)], None),
            (&[(5, 50), (6, 45), (7, 5)], Some(7)),
            (&[(5, 5), (6, 95)], None),
            (&[(5, 100)], None),
        ] {
            assert_eq!(moment(times(counts)), expected, "{counts:?}");
        }
        assert_eq!(moment((0..100).collect()), Some(90));
    }

    #[test]
    fn only_clear_likes_of_a_known_time_say_where_the_moment_is() {
        let rows: [Row<'_>; 2] =
            [&[(0, 0.1, Some(8)), (1, 0.5, Some(7)), (2, 2.0, None)], &[(0, 1.0, Some(3))]];
        assert_eq!(liked_ms(&Lessons::from_rows(3, &[4, 9], &rows)), [7, 3]);
    }

    #[test]
    fn readers_are_to_find_what_they_came_to_like_and_did_not_have() {
        let before: [Row<'_>; 3] =
            [&[(0, 1.0, Some(1)), (3, 2.0, None)], &[(1, 1.0, Some(1))], &[(2, 0.1, Some(1))]];
        let after: [Row<'_>; 4] = [
            // Had one, liked one, looked at one.
            &[(0, 1.0, Some(9)), (2, 0.5, Some(9)), (1, 0.4, Some(9))],
            &[(1, 1.0, Some(9))],
            &[(3, 1.0, Some(9)), (0, 1.0, Some(9))],
            &[(3, 1.0, Some(9))],
        ];
        let before = Lessons::from_rows(4, &[2, 4, 6], &before);
        // Reader 5 is new.
        let after = Lessons::from_rows(4, &[2, 4, 6, 7], &after);
        let held_back = HeldBack::new(before, &after).unwrap();
        assert_eq!(held_back.found, [(0, vec![2]), (2, vec![0, 3])]);
        let nobody = Lessons::from_rows(4, &[1], &[&[(0, 1.0, Some(9))]]);
        assert!(HeldBack::new(held_back.before, &nobody).is_none());
    }

    #[test]
    fn a_book_that_came_between_two_readings_is_not_to_be_found() {
        let before = Lessons::from_rows(1, &[3], &[&[(0, 1.0, Some(1))]]);
        let after = Lessons::from_rows(2, &[3], &[&[(1, 1.0, Some(9))]]);
        assert!(HeldBack::new(before, &after).is_none());
    }
}
