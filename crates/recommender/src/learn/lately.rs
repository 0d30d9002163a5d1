//! Lately: what many users liked, old likes counting less.

/// Adds up how much each item was liked lately: an event counts half for every
/// `half_life_ms` that it is older than the newest event.
///
/// Events are `(item, weight, time in ms)`; those without a time or not above zero count
/// nothing, so in a shop without times nothing was liked lately. Sums of equal input in equal order are
/// bit-identical. The newest event stands for the present, because the engine reads no clock.
#[must_use]
pub fn lately<I>(item_count: usize, events: I, half_life_ms: f64) -> Vec<f32>
where
    I: Iterator<Item = (u32, f32, Option<i64>)> + Clone,
{
    let mut sums = vec![0.0_f64; item_count];
    let Some(now) = events.clone().filter_map(|(_, _, time)| time).max() else {
        return vec![0.0; item_count];
    };
    for (item, weight, time) in events {
        if let Some(time) = time.filter(|_| weight > 0.0) {
            // Ages beyond 2^53 ms do not matter to a half-life.
            let half_lives = now.saturating_sub(time) as f64 / half_life_ms;
            sums[item as usize] += f64::from(weight) * (-half_lives).exp2();
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_half_for_every_half_life() {
        let events =
            [(0, 1.0, Some(1000)), (1, 1.0, Some(900)), (1, 2.0, Some(800)), (2, 9.0, None)];
        assert_eq!(lately(4, events.into_iter(), 100.0), [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn without_times_nothing_was_liked_lately() {
        assert_eq!(lately(2, [(0, 1.0, None)].into_iter(), 100.0), [0.0, 0.0]);
    }
}
