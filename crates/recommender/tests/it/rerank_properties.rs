//! What each step of the re-rank holds to, against its definition written out.

use std::collections::HashSet;

use proptest::prelude::*;
use recommender::Filter;
use recommender::catalogue::Catalogue;
use recommender::model::Liked;
use recommender::shelf::{
    Arrangement, AuthorCap, Blend, Diversity, HoldBack, Impression, ImpressionDecay, Origin,
    Ranked, Request, Rotation, Rule, Rules, SeriesGate, ShelfSettings, Shelves, Shop, Target,
    Trace, Workspace,
};

use crate::shop::{self, TestShop};

const ITEMS: u32 = 520;

/// More than any shop here has.
const ALL: usize = 500;

const EVERY_STEP: ShelfSettings = ShelfSettings {
    candidates: 30,
    series: Some(SeriesGate),
    disliked: Some(HoldBack),
    diversity: Some(Diversity { weight: 0.4, places: 20 }),
    authors: Some(AuthorCap { books: 2, places: 8 }),
    impressions: Some(ImpressionDecay { factor: 0.7, half_life_ms: 1000.0 }),
    rotation: Some(Rotation { band: 1.5 }),
    blend: Some(Blend { prior: 0.5 }),
};

fn histories() -> impl Strategy<Value = Vec<Liked>> {
    let row = prop::collection::btree_map(0..ITEMS, -1.0_f32..1.5, 0..12);
    row.prop_map(|row| row.into_iter().map(|(item, weight)| Liked { item, weight }).collect())
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let target = prop_oneof![
        (0..ITEMS).prop_map(Target::Item),
        (0_u32..6).prop_map(Target::Author),
        (0_u32..3).prop_map(Target::Series),
        (0_u32..4).prop_map(Target::Category),
    ];
    let rule = prop_oneof![
        (0..ITEMS, 1_usize..12).prop_map(|(item, place)| Rule::Pin { item, place }),
        (target.clone(), 0.2_f32..4.0).prop_map(|(target, factor)| Rule::Weigh { target, factor }),
        target.clone().prop_map(Rule::Last),
        target.prop_map(Rule::Out),
    ];
    prop::collection::vec(rule, 0..5)
}

fn impressions() -> impl Strategy<Value = Vec<Impression>> {
    let shown = (0..ITEMS, 0_i64..5000).prop_map(|(item, age_ms)| Impression { item, age_ms });
    prop::collection::vec(shown, 0..20)
}

/// Asks for a shelf with these steps.
fn ask(
    shop: &TestShop,
    history: &[Liked],
    arrangement: &Arrangement<'_>,
    results: usize,
) -> Vec<Ranked> {
    let settled: Vec<u32> = history.iter().map(|liked| liked.item).collect();
    let filter = Filter::default();
    let request = Request { settled: &settled, filter: &filter, results };
    let known = Shop { model: Some(&shop.model), catalogue: &shop.catalogue };
    let arrangement = Arrangement { judged: history, had: &settled, ..*arrangement };
    Shelves::new(known, history, &mut Workspace::default()).personal(request, &arrangement, None)
}

/// The same with one step.
fn with(shop: &TestShop, history: &[Liked], settings: &ShelfSettings) -> Vec<Ranked> {
    let settings = ShelfSettings { candidates: ALL, ..settings.clone() };
    ask(shop, history, &Arrangement { settings: &settings, ..Arrangement::NONE }, ALL)
}

fn personal(shelf: &[Ranked]) -> Vec<u32> {
    let personal = shelf.iter().filter(|ranked| ranked.origin == Origin::Personal);
    personal.map(|ranked| ranked.item).collect()
}

/// The place to be read next, by its definition: of what is available and not had, first what
/// comes after the last that is had, from 1 on, then what was left out, then prequels.
fn next_place(catalogue: &Catalogue, had: &HashSet<u32>, series: u32) -> Option<f32> {
    let items = 0..catalogue.item_count() as u32;
    let place = |item: u32| {
        catalogue.volume(item).filter(|volume| volume.series == series).map(|volume| volume.place)
    };
    let is_had = |item: u32| had.contains(&catalogue.work(item));
    let reached = items.clone().filter(|item| is_had(*item)).filter_map(place).fold(-1.0, f32::max);
    let left = items.filter(|item| catalogue.available().contains(*item) && !is_had(*item));
    let class = |place: f32| match place {
        place if place < 1.0 => 2,
        place if place <= reached => 1,
        _ => 0,
    };
    left.filter_map(place)
        .min_by(|left, right| class(*left).cmp(&class(*right)).then(left.total_cmp(right)))
}

fn alike(catalogue: &Catalogue, left: u32, right: u32) -> f32 {
    let set = |numbers: &[u32]| numbers.iter().copied().collect::<HashSet<u32>>();
    let series = catalogue.series_of(left);
    if series.is_some() && series == catalogue.series_of(right) {
        return 1.0;
    }
    let author = set(catalogue.authors_of(left)).is_disjoint(&set(catalogue.authors_of(right)));
    let (left, right) = (set(catalogue.categories_of(left)), set(catalogue.categories_of(right)));
    let all = left.union(&right).count().max(1) as f32;
    let shared = left.intersection(&right).count() as f32;
    (if author { 0.0 } else { 0.5 }) + 0.5 * shared / all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whatever_the_steps_do_the_shelf_is_eligible_full_and_the_same_again(
        seed in 0_u64..4,
        history in histories(),
        rules in rules(),
        impressions in impressions(),
        rotation in 0_u64..3,
        results in 0_usize..40,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let out: Vec<Target> = rules
            .iter()
            .filter_map(|rule| if let Rule::Out(target) = rule { Some(*target) } else { None })
            .collect();
        let rules = Rules::new(&rules, &shop.catalogue);
        let arrangement = Arrangement {
            settings: &EVERY_STEP,
            rules: &rules,
            impressions: &impressions,
            seed: Some(rotation),
            ..Arrangement::NONE
        };
        let found = ask(&shop, &history, &arrangement, results);

        let catalogue = &shop.catalogue;
        let had: HashSet<u32> = history.iter().map(|liked| catalogue.work(liked.item)).collect();
        let is_out = |item: u32| out.iter().any(|target| match *target {
            Target::Item(out) => catalogue.work(out) == catalogue.work(item),
            Target::Author(author) => catalogue.authors_of(item).contains(&author),
            Target::Series(series) => catalogue.series_of(item) == Some(series),
            Target::Category(category) => catalogue.categories_of(item).contains(&category),
        });
        let is_eligible = |item: u32| catalogue.in_stock().contains(item)
            && !had.contains(&catalogue.work(item))
            && !is_out(item);
        prop_assert!(found.iter().all(|ranked| is_eligible(ranked.item)));
        let eligible: HashSet<u32> = (0..catalogue.item_count() as u32)
            .filter(|item| is_eligible(*item))
            .map(|item| catalogue.work(item))
            .collect();
        let works: HashSet<u32> = found.iter().map(|ranked| catalogue.work(ranked.item)).collect();
        prop_assert_eq!(works.len(), found.len());
        prop_assert_eq!(found.len(), results.min(eligible.len()));
        prop_assert_eq!(&found, &ask(&shop, &history, &arrangement, results));

        // What the user did comes in no order, and a trace changes nothing.
        let mut turned = history.clone();
        turned.reverse();
        turned.sort_by_key(|liked| liked.item % 7);
        turned.sort_by_key(|liked| liked.item);
        prop_assert_eq!(&found, &ask(&shop, &turned, &arrangement, results));
    }

    #[test]
    fn of_each_series_the_next_volume_comes_first(seed in 0_u64..4, history in histories()) {
        let shop = shop::drawn(ITEMS, seed);
        let catalogue = &shop.catalogue;
        let had: HashSet<u32> = history.iter().map(|liked| catalogue.work(liked.item)).collect();
        let found = with(&shop, &history, &ShelfSettings { series: Some(SeriesGate), ..ShelfSettings::NONE });
        let plain = with(&shop, &history, &ShelfSettings::NONE);
        for part in [personal(&found), found.iter().map(|ranked| ranked.item).collect()] {
            let mut seen = HashSet::new();
            for volume in part.iter().filter_map(|item| catalogue.volume(*item)) {
                let next = next_place(catalogue, &had, volume.series);
                // The work can be there already, by an edition with another place or none.
                let is_there = found.iter().any(|ranked| {
                    let editions = catalogue.editions(ranked.item).iter();
                    let places = editions.filter_map(|item| catalogue.volume(*item));
                    let mut of_series = places.filter(|other| other.series == volume.series);
                    catalogue.volume(ranked.item).is_none_or(|own| own.series != volume.series || Some(own.place) != next)
                        && of_series.any(|other| Some(other.place) == next)
                });
                // One that is sold out is waited for: what stands in its place was held back.
                let is_sold_out = (0..catalogue.item_count() as u32)
                    .filter(|item| catalogue.in_stock().contains(*item))
                    .filter_map(|item| catalogue.volume(item))
                    .all(|other| other.series != volume.series || Some(other.place) != next);
                if seen.insert(volume.series) && !is_there && !is_sold_out {
                    prop_assert_eq!(Some(volume.place), next, "series {}", volume.series);
                }
            }
        }
        // What has no place in a series keeps its order.
        let without = |shelf: &[Ranked]| -> Vec<u32> {
            personal(shelf).into_iter().filter(|item| catalogue.volume(*item).is_none()).collect()
        };
        prop_assert_eq!(without(&found), without(&plain));
        // Whatever took a place has the score of what it stands for.
        for ranked in found.iter().filter(|ranked| ranked.origin == Origin::Personal) {
            let parts: Vec<f32> = shop.model.contributions(&history, ranked.scored).collect();
            let (sum, size): (f32, f32) =
                parts.iter().fold((0.0, 0.0), |(sum, size), part| (sum + part, size + part.abs()));
            let near = (sum - ranked.score).abs() <= size * 1e-4 + 1e-5;
            prop_assert!(near, "{sum} {}", ranked.score);
        }
    }

    #[test]
    fn no_author_has_too_many_of_the_first_places(
        seed in 0_u64..4,
        history in histories(),
        books in 1_usize..4,
        places in 0_usize..15,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let cap = AuthorCap { books, places };
        let found = with(&shop, &history, &ShelfSettings { authors: Some(cap), ..ShelfSettings::NONE });
        let plain = with(&shop, &history, &ShelfSettings::NONE);
        let (mut first, mut later): (Vec<u32>, Vec<u32>) = Default::default();
        for item in personal(&plain) {
            let by = |author: &u32| {
                first.iter().filter(|other| shop.catalogue.authors_of(**other).contains(author)).count()
            };
            let fits = shop.catalogue.authors_of(item).iter().all(|author| by(author) < books);
            if fits && first.len() < places { first.push(item) } else { later.push(item) }
        }
        if !personal(&plain).is_empty() {
            prop_assert_eq!(personal(&found), [first, later].concat());
        }
    }

    #[test]
    fn diversity_is_maximal_marginal_relevance(
        seed in 0_u64..4,
        history in histories(),
        weight in 0.0_f32..1.0,
        places in 2_usize..20,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let diversity = Some(Diversity { weight, places });
        let found = with(&shop, &history, &ShelfSettings { diversity, ..ShelfSettings::NONE });
        let plain = with(&shop, &history, &ShelfSettings::NONE);
        let mut left: Vec<&Ranked> =
            plain.iter().filter(|ranked| ranked.origin == Origin::Personal).collect();
        let rest = left.split_off(places.min(left.len()));
        let best = left.first().map_or(1.0, |ranked| ranked.score);
        let mut chosen: Vec<u32> = Vec::new();
        while !left.is_empty() {
            let value = |ranked: &Ranked| {
                let alike = chosen.iter().map(|other| alike(&shop.catalogue, ranked.item, *other));
                (1.0 - weight) / best * ranked.score - weight * alike.fold(0.0, f32::max)
            };
            let highest = left.iter().map(|ranked| value(ranked)).fold(f32::MIN, f32::max);
            let winner = left.iter().position(|ranked| value(ranked) == highest).unwrap();
            chosen.push(left.remove(winner).item);
        }
        chosen.extend(rest.iter().map(|ranked| ranked.item));
        prop_assert_eq!(personal(&found), chosen);
    }

    #[test]
    fn what_was_shown_sinks_by_the_decayed_count(
        seed in 0_u64..4,
        history in histories(),
        shown in impressions(),
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let decay = ImpressionDecay { factor: 0.5, half_life_ms: 1000.0 };
        let settings =
            ShelfSettings { candidates: ALL, impressions: Some(decay), ..ShelfSettings::NONE };
        let arrangement =
            Arrangement { settings: &settings, impressions: &shown, ..Arrangement::NONE };
        let found = ask(&shop, &history, &arrangement, ALL);
        let work = |item: u32| shop.catalogue.work(item);
        let standing = |ranked: &Ranked| {
            let mine = shown.iter().filter(|one| work(one.item) == work(ranked.item));
            let count: f64 = mine.map(|one| (-one.age_ms as f64 / 1000.0).exp2()).sum();
            f64::from(ranked.score) * 0.5_f64.powf(count)
        };
        let personal = found.iter().filter(|ranked| ranked.origin == Origin::Personal);
        let standings: Vec<f64> = personal.map(standing).collect();
        prop_assert!(
            standings.is_sorted_by(|left, right| *left >= right * (1.0 - 1e-5)), "{standings:?}"
        );
    }

    #[test]
    fn pins_stand_at_their_places_and_what_is_buried_comes_last(
        seed in 0_u64..4,
        history in histories(),
        pinned in prop::collection::btree_set(0..ITEMS, 0..4),
        author in 0_u32..6,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let catalogue = &shop.catalogue;
        let pins = pinned.iter().zip([1, 2, 5, 9]);
        let mut rules: Vec<Rule> =
            pins.clone().map(|(item, place)| Rule::Pin { item: *item, place }).collect();
        rules.push(Rule::Last(Target::Author(author)));
        let rules = Rules::new(&rules, &shop.catalogue);
        let arrangement =
            Arrangement { settings: &EVERY_STEP, rules: &rules, ..Arrangement::NONE };
        let found = ask(&shop, &history, &arrangement, ALL);
        let had: HashSet<u32> = history.iter().map(|liked| catalogue.work(liked.item)).collect();
        let mut works = HashSet::new();
        for (item, place) in pins {
            let is_eligible = catalogue.in_stock().contains(*item) && !had.contains(&catalogue.work(*item));
            if is_eligible && works.insert(catalogue.work(*item)) {
                prop_assert!(found.iter().any(|one| one.item == *item && one.origin == Origin::Pinned));
                if found.len() >= place {
                    prop_assert_eq!(found[place - 1].item, *item);
                }
            }
        }
        let is_last = |ranked: &Ranked| catalogue.authors_of(ranked.item).contains(&author);
        let others = found.iter().filter(|ranked| ranked.origin != Origin::Pinned);
        prop_assert!(others.is_sorted_by_key(is_last));
    }

    #[test]
    fn a_rule_for_one_edition_is_one_for_its_work(
        seed in 0_u64..4,
        history in histories(),
        item in 0..ITEMS,
        sibling in 0_usize..3,
        factor in 0.2_f32..4.0,
    ) {
        let shop = shop::drawn(ITEMS, seed);
        let editions = shop.catalogue.editions(item);
        let sibling = editions[sibling % editions.len()];
        let with = |rule: Rule| {
            let rules = Rules::new(&[rule], &shop.catalogue);
            let arrangement =
                Arrangement { settings: &EVERY_STEP, rules: &rules, ..Arrangement::NONE };
            ask(&shop, &history, &arrangement, ALL)
        };
        let (one, other) = (Target::Item(item), Target::Item(sibling));
        prop_assert_eq!(with(Rule::Last(one)), with(Rule::Last(other)));
        let found = with(Rule::Out(one));
        prop_assert!(found.iter().all(|ranked| !editions.contains(&ranked.item)));
        prop_assert_eq!(found, with(Rule::Out(other)));
        let weigh = |target| Rule::Weigh { target, factor };
        prop_assert_eq!(with(weigh(one)), with(weigh(other)));
    }

    #[test]
    fn a_rotation_keeps_the_bands_and_goes_by_the_seed(seed in 0_u64..4, day in 0_u64..1000) {
        let shop = shop::drawn(ITEMS, seed);
        let rotation = Some(Rotation { band: 2.0 });
        let settings = ShelfSettings { candidates: ALL, rotation, ..ShelfSettings::NONE };
        let of_day = |day: u64| {
            let arrangement =
                Arrangement { settings: &settings, seed: Some(day), ..Arrangement::NONE };
            ask(&shop, &[], &arrangement, ALL)
        };
        let found = of_day(day);
        let bands: Vec<i32> = found
            .iter()
            .map(|one| if one.score > 0.0 { (one.score.ln() / 2_f32.ln()).floor() as i32 } else { i32::MIN })
            .collect();
        prop_assert!(bands.is_sorted_by(|left, right| left >= right), "{bands:?}");
        prop_assert_eq!(&found, &of_day(day));
        prop_assert_ne!(&found, &of_day(day + 1));
    }
}

#[test]
fn a_trace_changes_nothing_and_names_every_step() {
    let shop = shop::drawn(ITEMS, 1);
    let history = [Liked { item: 4, weight: 1.0 }, Liked { item: 9, weight: -1.0 }];
    let filter = Filter::default();
    let request = Request { settled: &[4, 9], filter: &filter, results: 10 };
    let known = Shop { model: Some(&shop.model), catalogue: &shop.catalogue };
    let arrangement =
        Arrangement { settings: &EVERY_STEP, judged: &history, had: &[4, 9], ..Arrangement::NONE };
    let mut trace = Trace::default();
    let workspace = &mut Workspace::default();
    let mut shelves = Shelves::new(known, &history, workspace);
    let traced = shelves.personal(request, &arrangement, Some(&mut trace));
    assert_eq!(traced, shelves.personal(request, &arrangement, None));
    assert_eq!(trace.steps.len(), 8);
    let shown: Vec<u32> = traced.iter().map(|ranked| ranked.item).collect();
    assert_eq!(trace.steps[7].order, shown);
}

#[test]
fn of_more_pins_than_places_the_first_come() {
    let shop = shop::drawn(ITEMS, 2);
    let pins: Vec<Rule> = (0..ITEMS).map(|item| Rule::Pin { item, place: 1 }).collect();
    let rules = Rules::new(&pins, &shop.catalogue);
    let arrangement = Arrangement { settings: &EVERY_STEP, rules: &rules, ..Arrangement::NONE };
    let mut works = HashSet::new();
    let is_first = |item: &u32| {
        shop.catalogue.in_stock().contains(*item) && works.insert(shop.catalogue.work(*item))
    };
    let expected: Vec<u32> = (0..ITEMS).filter(is_first).take(10).collect();
    let found = ask(&shop, &[], &arrangement, 10);
    assert_eq!(found.iter().map(|ranked| ranked.item).collect::<Vec<_>>(), expected);
    assert!(found.iter().all(|ranked| ranked.origin == Origin::Pinned));
}
