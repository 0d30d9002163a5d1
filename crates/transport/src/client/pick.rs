//! Which endpoint gets a call. Pure: draws are passed in.

use super::endpoint::Offer;

/// The offer with the fewest calls, of several one that is drawn; one that is to be avoided only
/// if there is no other.
pub(super) fn least_loaded(
    offers: &[Offer],
    is_avoided: impl Fn(usize) -> bool,
    mut below: impl FnMut(usize) -> usize,
) -> Option<usize> {
    let mut best: Option<((bool, usize), usize)> = None;
    let mut ties = 0;
    for (place, offer) in offers.iter().enumerate() {
        let Offer::Ready(in_flight) = offer else { continue };
        let rank = (is_avoided(place), *in_flight);
        match best {
            Some((least, _)) if rank > least => {}
            Some((least, _)) if rank == least => {
                ties += 1;
                // Each of the equals is kept with the same chance.
                if below(ties) == 0 {
                    best = Some((rank, place));
                }
            }
            _ => {
                ties = 1;
                best = Some((rank, place));
            }
        }
    }
    best.map(|(_, place)| place)
}

/// The ejected endpoint whose time is over the soonest.
pub(super) fn soonest(offers: &[Offer]) -> Option<usize> {
    let ejected = offers.iter().enumerate().filter_map(|(place, offer)| match offer {
        Offer::Ejected(until) => Some((*until, place)),
        _ => None,
    });
    ejected.min().map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::{Duration, Instant};

    use super::*;

    const NOBODY: fn(usize) -> bool = |_| false;

    fn offers(now: Instant) -> impl Strategy<Value = Vec<Offer>> {
        let offer = prop_oneof![
            (0..5_usize).prop_map(Offer::Ready),
            Just(Offer::Full),
            Just(Offer::OnTrial),
            Just(Offer::Coming),
            (0..5_u64).prop_map(move |secs| Offer::Ejected(now + Duration::from_secs(secs))),
        ];
        prop::collection::vec(offer, 0..8)
    }

    proptest! {
        #[test]
        fn the_least_loaded_is_picked(offers in offers(Instant::now()), draw in any::<usize>()) {
            let load = |place: usize| match offers[place] {
                Offer::Ready(in_flight) => Some(in_flight),
                _ => None,
            };
            let least = (0..offers.len()).filter_map(load).min();
            let picked = least_loaded(&offers, NOBODY, |bound| draw % bound);
            prop_assert_eq!(picked.and_then(load), least);
        }

        #[test]
        fn another_than_the_one_to_avoid_is_picked_if_there_is_one(
            offers in offers(Instant::now()), avoided in 0..8_usize,
        ) {
            let picked = least_loaded(&offers, |place| place == avoided, |_| 0);
            let ready = |place: &usize| matches!(offers[*place], Offer::Ready(_));
            let has_other = (0..offers.len()).any(|place| place != avoided && ready(&place));
            prop_assert_eq!(picked.is_some_and(|place| place != avoided), has_other);
        }

        #[test]
        fn the_soonest_is_an_ejected_one(offers in offers(Instant::now())) {
            let until = |offer: &Offer| match offer {
                Offer::Ejected(until) => Some(*until),
                _ => None,
            };
            let expected = offers.iter().filter_map(until).min();
            prop_assert_eq!(soonest(&offers).and_then(|place| until(&offers[place])), expected);
        }
    }

    #[test]
    fn equals_are_picked_equally_often() {
        let offers =
            [Offer::Ready(1), Offer::Full, Offer::Ready(1), Offer::Ready(2), Offer::Ready(1)];
        let mut picked = [0; 5];
        for _ in 0..3_000 {
            picked[least_loaded(&offers, NOBODY, crate::random::below).unwrap()] += 1;
        }
        assert_eq!((picked[1], picked[3]), (0, 0));
        assert!([0, 2, 4].iter().all(|place| picked[*place] > 800), "{picked:?}");
    }
}
