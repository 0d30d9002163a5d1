//! What every shelf holds to, whatever the shop and the request.

use std::cmp::Ordering;
use std::collections::HashSet;

use proptest::prelude::*;
use recommender::Filter;
use recommender::bits::BitSet;
use recommender::model::Liked;
use recommender::offer::{Offer, OfferFilter, Price, Stock, UnknownAge};
use recommender::shelf::filter::eligible;
use recommender::shelf::{
    self, Arrangement, Origin, Ranked, Reason, Request, Shelves, Shop, Workspace,
};

use crate::shop::{self, TestShop};

const ITEMS: u32 = 520;

fn categories() -> impl Strategy<Value = Vec<String>> {
    let slug = prop::sample::select(vec!["mystery", "poetry", "travel", "food", "unknown"]);
    prop::collection::vec(slug.prop_map(ToOwned::to_owned), 0..3)
}

prop_compose! {
    fn filters()(
        any_categories in categories(),
        all_categories in prop::collection::vec(Just("travel".to_owned()), 0..2),
        no_categories in prop::collection::vec(Just("food".to_owned()), 0..2),
        languages in prop::collection::vec(Just("zh".to_owned()), 0..2),
        offer in offers(),
    ) -> Filter {
        Filter { any_categories, all_categories, no_categories, languages, offer }
    }
}

fn offers() -> impl Strategy<Value = OfferFilter> {
    let stock = prop::sample::select(vec![Stock::Available, Stock::Any]);
    let price = (0_u64..25, prop::sample::select(vec!["EUR", "USD"])).prop_map(
        |(minor_units, currency)| Price { minor_units, currency: currency.parse().unwrap() },
    );
    let unknown = prop::sample::select(vec![UnknownAge::Passes, UnknownAge::Fails]);
    let limits = (prop::option::weighted(0.3, price), prop::option::weighted(0.3, 0_u8..20));
    (stock, limits, unknown).prop_map(|(stock, (price_max, reader_age), unknown_age)| OfferFilter {
        stock,
        price_max,
        reader_age,
        unknown_age,
    })
}

/// Whether a book is offered as wanted, written down condition by condition.
fn is_offered(filter: &OfferFilter, offer: &Offer) -> bool {
    let sold_out = matches!(offer.stock, Some(0)) && filter.stock == Stock::Available;
    let too_dear = match (filter.price_max, offer.price) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(limit), Some(price)) => {
            limit.currency != price.currency || price.minor_units > limit.minor_units
        }
    };
    let too_old = match (filter.reader_age, offer.age_min) {
        (_, None) => filter.unknown_age == UnknownAge::Fails,
        (None, Some(_)) => false,
        (Some(years), Some(age_min)) => years < age_min,
    };
    !(sold_out || too_dear || too_old)
}

fn histories() -> impl Strategy<Value = Vec<Liked>> {
    let row = prop::collection::btree_map(0..ITEMS, -1.0_f32..1.5, 0..15);
    row.prop_map(|row| row.into_iter().map(|(item, weight)| Liked { item, weight }).collect())
}

/// The items that may be shown, by the definition.
fn eligible_set(shop: &TestShop, filter: &Filter, settled: &[u32]) -> BitSet {
    let mut set = BitSet::default();
    let settled = settled.iter().copied();
    eligible(&shop.catalogue, filter, settled, &mut set, &mut BitSet::default());
    set
}

/// Personal items, then popular ones, then the rest; by score, equals by number.
fn in_order(shop: &TestShop, left: &Ranked, right: &Ranked) -> bool {
    let group = |ranked: &Ranked| match ranked.origin {
        Origin::Personal | Origin::Similar | Origin::Trending => 0,
        Origin::Popular => 1,
        Origin::Unranked | Origin::Pinned => 2,
    };
    let number = |ranked: &Ranked| shop.catalogue.number(ranked.item);
    let order = group(left)
        .cmp(&group(right))
        .then(right.score.total_cmp(&left.score))
        .then(number(left).cmp(&number(right)));
    order == Ordering::Less
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_shelf_is_eligible_full_ordered_and_explained(
        seed in 0_u64..4,
        history in histories(),
        filter in filters(),
        results in 0_usize..25,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let settled: Vec<u32> = history.iter().map(|liked| liked.item).collect();
        let request = Request { settled: &settled, filter: &filter, results };
        let known = Shop { model: Some(&shop.model), catalogue: &shop.catalogue };
        let mut workspace = Workspace::default();
        let mut found = Shelves::new(known, &history, &mut workspace).recommend(request);

        // No returned book is ineligible, and no work comes twice.
        let eligible = eligible_set(&shop, &filter, &settled);
        prop_assert!(found.iter().all(|ranked| eligible.contains(ranked.item)));
        let work = |item: u32| shop.catalogue.work(item);
        let works: HashSet<u32> = found.iter().map(|ranked| work(ranked.item)).collect();
        prop_assert_eq!(works.len(), found.len());

        // As many come back as there are eligible works.
        let eligible_works: HashSet<u32> = eligible.iter().map(work).collect();
        prop_assert_eq!(found.len(), results.min(eligible_works.len()));

        // The order is total, and the same when asked again with used memory.
        prop_assert!(found.is_sorted_by(|left, right| in_order(&shop, left, right)));
        prop_assert_eq!(&found, &Shelves::new(known, &history, &mut workspace).recommend(request));

        shelf::explain(&shop.model, &history, &mut found);

        // Contributions add up to the score but for rounding, and shares are parts of it.
        for ranked in found.iter().filter(|ranked| ranked.origin == Origin::Personal) {
            let contributions: Vec<f32> =
                shop.model.contributions(&history, ranked.item).collect();
            let sum: f32 = contributions.iter().sum();
            let size: f32 = contributions.iter().map(|contribution| contribution.abs()).sum();
            prop_assert!((sum - ranked.score).abs() <= size * 1e-4 + 1e-5, "{sum} {}", ranked.score);
            let positive: f64 =
                contributions.iter().map(|value| f64::from(*value)).filter(|value| *value > 0.0).sum();
            prop_assert!(!ranked.reasons.is_empty() && ranked.reasons.len() <= shelf::REASONS_MAX);
            let mut last = 1.0;
            for reason in &ranked.reasons {
                let Reason::History { place, share } = *reason else { panic!("{reason:?}") };
                let expected = f64::from(contributions[place]) / positive;
                prop_assert!((share - expected).abs() < 1e-9);
                prop_assert!(share <= last);
                last = share;
            }
        }
    }

    #[test]
    fn shelves_that_share_the_scores_of_a_history_are_those_of_single_requests(
        seed in 0_u64..4,
        history in histories(),
        filters in prop::collection::vec(filters(), 1..4),
        item in 0..ITEMS,
        results in 0_usize..25,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let known = Shop { model: Some(&shop.model), catalogue: &shop.catalogue };
        let had: Vec<u32> = history.iter().map(|liked| liked.item).collect();
        let arrangement = Arrangement { judged: &history, had: &had, ..Arrangement::NONE };
        let mut workspace = Workspace::default();
        let mut page = Shelves::new(known, &history, &mut workspace);
        let mut settled = had.clone();
        for filter in &filters {
            let request = Request { settled: &settled, filter, results };
            let mut check = |ask: &dyn Fn(&mut Shelves<'_>) -> Vec<Ranked>| {
                let shelf = ask(&mut page);
                let alone = ask(&mut Shelves::new(known, &history, &mut Workspace::default()));
                prop_assert_eq!(&shelf, &alone);
                Ok(shelf)
            };
            check(&|shelves| shelves.next_in_series(request, &arrangement))?;
            check(&|shelves| shelves.similar(item, request, &arrangement, None))?;
            check(&|shelves| shelves.trending(request, &arrangement, None))?;
            check(&|shelves| shelves.popular(request, &arrangement, None))?;
            let personal = check(&|shelves| shelves.personal(request, &arrangement, None))?;
            settled.extend(personal.iter().map(|ranked| ranked.item));
        }
    }

    #[test]
    fn the_eligible_items_are_those_that_meet_every_condition(
        seed in 0_u64..4,
        filter in filters(),
        settled in prop::collection::vec(0..ITEMS, 0..6),
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let catalogue = &shop.catalogue;
        let set = eligible_set(&shop, &filter, &settled);
        let settled_works: HashSet<u32> = settled.iter().map(|item| catalogue.work(*item)).collect();
        let within = |slug: &String, item: u32| catalogue.category(slug).contains(&item);
        for item in 0..catalogue.item_count() as u32 {
            let any = &filter.any_categories;
            let expected = catalogue.available().contains(item)
                && (any.is_empty() || any.iter().any(|slug| within(slug, item)))
                && filter.all_categories.iter().all(|slug| within(slug, item))
                && !filter.no_categories.iter().any(|slug| within(slug, item))
                && (filter.languages.is_empty()
                    || filter.languages.iter().any(|tag| catalogue.language(tag).contains(&item)))
                && !settled_works.contains(&catalogue.work(item))
                && is_offered(&filter.offer, catalogue.offer(item));
            prop_assert_eq!(set.contains(item), expected, "item {}", item);
        }
    }
}
