//! History: what all of a user's events say about each item, in one line an item.
//!
//! Training and serving go through the same [`collapse`], so that a model is asked
//! the question it was trained on.

use crate::event::{EventKind, Rating};
use crate::id::ItemNumber;

/// One thing a user did to one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The item.
    pub item: ItemNumber,
    /// What was done.
    pub kind: EventKind,
    /// The rating, if `kind` is [`EventKind::Rating`].
    pub rating: Option<Rating>,
    /// When, in milliseconds since 1970, if known.
    pub time_ms: Option<i64>,
}

/// How much an event of each kind says for its item; 1 is a clear yes, 0 says nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct EventWeights {
    /// Looked at it.
    pub view: f32,
    /// Put it on a wish list.
    pub want_to_read: f32,
    /// Put it into the cart.
    pub cart: f32,
    /// Bought or borrowed it.
    pub purchase: f32,
    /// Read it to the end.
    pub finish: f32,
    /// Rated it 1, 2, 3, 4, 5 stars; a half star lies midway between its neighbours.
    pub rating: [f32; 5],
    /// Said "not for me".
    pub dismiss: f32,
    /// Gave up reading it.
    pub abandon: f32,
    /// Gave it back.
    pub returned: f32,
}

impl EventWeights {
    /// The weight of one event. A rating event without a rating counts as finished.
    #[must_use]
    pub fn weight(&self, kind: EventKind, rating: Option<Rating>) -> f32 {
        match (kind, rating) {
            (EventKind::Rating, Some(rating)) => self.rating_weight(rating),
            (EventKind::Finish | EventKind::Rating, _) => self.finish,
            (EventKind::View, _) => self.view,
            (EventKind::WantToRead, _) => self.want_to_read,
            (EventKind::Cart, _) => self.cart,
            (EventKind::Purchase, _) => self.purchase,
            (EventKind::Dismiss, _) => self.dismiss,
            (EventKind::Abandon, _) => self.abandon,
            (EventKind::Return, _) => self.returned,
        }
    }

    fn rating_weight(&self, rating: Rating) -> f32 {
        // 2..=10 half stars; both neighbours are the same for a whole star.
        let half_stars = usize::from(rating.half_stars());
        let (below, above) = (half_stars / 2 - 1, half_stars.div_ceil(2) - 1);
        f32::midpoint(self.rating[below], self.rating[above])
    }
}

/// What a user's events say about one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The item.
    pub item: ItemNumber,
    /// How much they speak for it.
    pub weight: f32,
    /// Whether the user has or has judged it, so that it is not recommended again.
    pub settled: bool,
    /// The event that decided the weight.
    pub kind: EventKind,
    /// Its rating, if it has one.
    pub rating: Option<Rating>,
    /// When it happened, in milliseconds since 1970, if known.
    pub time_ms: Option<i64>,
}

/// Collapses a user's events to one [`Evidence`] an item, ordered by item number.
///
/// The latest rating decides over everything else. Otherwise the latest refusal (dismiss,
/// abandon, return) undoes every act that is not known to be later; of the acts that are
/// left, the heaviest gives the weight and the one furthest along gives the kind. The order
/// of `events` does not matter. Costs `O(e log e)` for `e` events.
#[must_use]
pub fn collapse(events: &[Event], weights: &EventWeights) -> Vec<Evidence> {
    let mut sorted = events.to_vec();
    sorted.sort_unstable_by_key(|event| event.item);
    let of_item = |left: &Event, right: &Event| left.item == right.item;
    sorted.chunk_by(of_item).filter_map(|events| decide(events, weights)).collect()
}

/// What all events of one item say together; `None` if there are none.
fn decide(events: &[Event], weights: &EventWeights) -> Option<Evidence> {
    let latest = |of: fn(EventKind) -> bool| {
        let those = events.iter().filter(|event| of(event.kind));
        those.max_by_key(|event| (event.time_ms, event.rating, event.kind))
    };
    let rating = latest(|kind| kind == EventKind::Rating);
    let refusal = latest(is_refusal);
    let stands = |event: &&Event| {
        is_act(event.kind)
            && refusal.is_none_or(|refusal| event.time_ms > refusal.time_ms.or(Some(i64::MAX)))
    };
    let acts = || events.iter().filter(stands);
    let furthest = acts().max_by_key(|event| (stage(event.kind), event.time_ms));
    let decisive = rating.or(furthest).or(refusal)?;
    let own = weights.weight(decisive.kind, decisive.rating);
    let heaviest = |heaviest: f32, act: &Event| heaviest.max(weights.weight(act.kind, None));
    Some(Evidence {
        item: decisive.item,
        weight: if is_act(decisive.kind) { acts().fold(own, heaviest) } else { own },
        settled: events.iter().any(|event| event.kind.settles()),
        kind: decisive.kind,
        rating: decisive.rating,
        time_ms: decisive.time_ms,
    })
}

fn is_refusal(kind: EventKind) -> bool {
    matches!(kind, EventKind::Dismiss | EventKind::Abandon | EventKind::Return)
}

fn is_act(kind: EventKind) -> bool {
    kind != EventKind::Rating && !is_refusal(kind)
}

/// How far along an act is on the way from the shelf to the last page.
fn stage(kind: EventKind) -> u8 {
    match kind {
        EventKind::Finish => 4,
        EventKind::Purchase => 3,
        EventKind::Cart => 2,
        EventKind::WantToRead => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights() -> EventWeights {
        EventWeights {
            view: 0.1,
            want_to_read: 0.8,
            cart: 0.5,
            purchase: 1.0,
            finish: 0.9,
            rating: [-0.5, 0.0, 0.4, 1.0, 1.2],
            dismiss: -0.2,
            abandon: -0.3,
            returned: -0.4,
        }
    }

    /// Events are written `kind` or `kind@time` or `rating=stars`, all of item 7.
    fn check(events: &str, weight: f32, settled: bool) {
        let parse = |word: &str| {
            let (word, time) = word.split_once('@').unwrap_or((word, ""));
            let (kind, rating) = word.split_once('=').unwrap_or((word, ""));
            Event {
                item: ItemNumber(7),
                kind: kind.parse().unwrap(),
                rating: rating.parse().ok(),
                time_ms: time.parse().ok(),
            }
        };
        let mut events: Vec<Event> = events.split_whitespace().map(parse).collect();
        for _ in 0..events.len() {
            let history = collapse(&events, &weights());
            assert_eq!(history.len(), 1);
            assert_eq!((history[0].weight, history[0].settled), (weight, settled), "{events:?}");
            events.rotate_left(1);
        }
    }

    #[test]
    fn a_rating_outweighs_what_was_done_before_and_after() {
        check("view purchase rating=2 finish", 0.0, true);
        check("rating=5@1 rating=3@2", 0.4, true);
        check("rating=3.5", 0.7, true);
    }

    #[test]
    fn a_refusal_undoes_what_came_before_it_or_at_an_unknown_time() {
        check("purchase@1 return@2", -0.4, true);
        check("purchase return@2", -0.4, true);
        check("purchase@2 return", -0.4, true);
        check("return@1 purchase@2", 1.0, true);
        check("dismiss@1 dismiss@3 view@2", -0.2, true);
    }

    #[test]
    fn the_act_furthest_along_names_the_reason() {
        let event = |kind| Event { item: ItemNumber(7), kind, rating: None, time_ms: None };
        let events = [event(EventKind::WantToRead), event(EventKind::Finish)];
        let mut weights = weights();
        weights.want_to_read = 1.5;
        let evidence = collapse(&events, &weights)[0];
        assert_eq!((evidence.kind, evidence.weight), (EventKind::Finish, 1.5));
    }

    #[test]
    fn the_heaviest_act_counts_and_a_view_settles_nothing() {
        check("view", 0.1, false);
        check("view cart view", 0.5, true);
        check("cart@2 purchase@1", 1.0, true);
    }
}
