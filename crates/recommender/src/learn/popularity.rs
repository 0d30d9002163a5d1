//! Popularity: how much each item is liked by all users together, of late more than long ago.

use super::lately::lately;

/// Adds up how much each item was liked: an event counts half for every `half_life_ms` that it is
/// older than the newest one; one without a time counts as much as the dated ones do on
/// average. So a shop without times has plain sums.
///
/// Events are `(item, weight, time in ms)`; every one counts that weighs more than zero.
#[must_use]
pub fn popularity<I>(item_count: usize, events: I, half_life_ms: f64) -> Vec<f32>
where
    I: Iterator<Item = (u32, f32, Option<i64>)> + Clone,
{
    let mut popularity = lately(item_count, events.clone(), half_life_ms);
    let decayed: f64 = popularity.iter().map(|sum| f64::from(*sum)).sum();
    let liked = events.filter(|(_, weight, _)| *weight > 0.0);
    let dated = liked.clone().filter(|(_, _, time)| time.is_some());
    let whole: f64 = dated.map(|(_, weight, _)| f64::from(weight)).sum();
    let average = if whole > 0.0 { decayed / whole } else { 1.0 };
    let mut undated = vec![0.0_f64; item_count];
    for (item, weight, _) in liked.filter(|(_, _, time)| time.is_none()) {
        undated[item as usize] += f64::from(weight) * average;
    }
    for (sum, undated) in popularity.iter_mut().zip(undated) {
        *sum = (f64::from(*sum) + undated) as f32;
    }
    popularity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_likes_count_less_and_undated_ones_like_the_average() {
        let events = [(0, 1.0, Some(0)), (1, 1.0, Some(100)), (2, 1.0, None), (3, -1.0, None)];
        assert_eq!(popularity(4, events.into_iter(), 100.0), [0.5, 1.0, 0.75, 0.0]);
    }

    #[test]
    fn without_times_it_is_the_plain_sum() {
        let events = [(0, 1.0, None), (0, 0.5, None), (1, 1.0, None)];
        assert_eq!(popularity(2, events.into_iter(), 100.0), [1.5, 1.0]);
    }
}
