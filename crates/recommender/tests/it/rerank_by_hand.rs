//! Shelves of one small shop, with the steps between scores and shelf worked out by hand.
//!
//! The shop has ten books, numbered from 1. Every weight of the model is written down.

use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::Learnt;
use recommender::learn::low_pass::LowPass;
use recommender::learn::ridge::ItemWeights;
use recommender::model::Liked;
use recommender::offer::Offer;
use recommender::shelf::{
    self, Arrangement, HoldBack, Reason, Request, Rule, Rules, SeriesGate, ShelfSettings, Shelves,
    Shop, Target, Workspace,
};
use recommender::{Filter, Interactions, ItemNumber, Model};

/// Title, author, volume of the author's one series.
const BOOKS: [(&str, &str, Option<f64>); 10] = [
    ("dune", "herbert", Some(1.0)),
    ("messiah", "herbert", Some(2.0)),
    ("children", "herbert", Some(3.0)),
    ("prequel", "herbert", Some(0.5)),
    ("essays", "herbert", None),
    ("emma", "austen", None),
    ("walden", "thoreau", None),
    ("ubik", "dick", None),
    ("colour", "pratchett", Some(1.0)),
    ("light", "pratchett", Some(2.0)),
];

const STEPS: ShelfSettings = ShelfSettings {
    candidates: 10,
    series: Some(SeriesGate),
    disliked: Some(HoldBack),
    ..ShelfSettings::NONE
};

fn index(title: &str) -> u32 {
    BOOKS.iter().position(|book| book.0 == title).unwrap() as u32
}

/// A model with the weights `source>target=weight`; every book was liked once.
fn model(weights: &str) -> Model {
    let mut entries: Vec<(u32, u32, f32)> = weights
        .split_whitespace()
        .map(|entry| {
            let (pair, weight) = entry.split_once('=').unwrap();
            let (source, target) = pair.split_once('>').unwrap();
            (index(source), index(target), weight.parse().unwrap())
        })
        .collect();
    entries.sort_by_key(|entry| (entry.0, entry.1));
    let offsets =
        (0..=10).map(|row| entries.iter().filter(|entry| entry.0 < row).count() as u64).collect();
    let weights = ItemWeights {
        offsets,
        targets: entries.iter().map(|entry| entry.1).collect(),
        weights: entries.iter().map(|entry| entry.2).collect(),
    };
    let numbers: Vec<ItemNumber> = (1..=10).map(ItemNumber).collect();
    let mut interactions = Interactions::new(10);
    interactions.push_user((0..10).map(|item| (item, 1.0)));
    let low_pass = LowPass::default();
    let learnt = Learnt { weights, low_pass };
    Model::new(&numbers, &interactions, learnt, vec![0.0; 10], 0)
}

fn catalogue(model: &Model) -> Catalogue {
    catalogue_without(model, "")
}

/// The shop's catalogue while one book is sold out.
fn catalogue_without(model: &Model, sold_out: &str) -> Catalogue {
    let authors: Vec<[String; 1]> = BOOKS.iter().map(|book| [book.1.to_owned()]).collect();
    let entries: Vec<Entry<'_>> = (1..)
        .zip(BOOKS.iter().zip(&authors))
        .map(|(number, (book, authors))| Entry {
            number: ItemNumber(number),
            authors,
            series: book.2.map(|_| book.1),
            volume: book.2,
            offer: Offer { stock: (book.0 == sold_out).then_some(0), ..Offer::default() },
            ..Entry::default()
        })
        .collect();
    Catalogue::new(Some(model), &entries)
}

/// The shelf of a reader whose history is written `title=weight`, with reasons.
fn ask(weights: &str, history: &str, results: usize) -> Vec<(String, Vec<Reason>)> {
    ask_without(weights, "", history, results)
}

/// The same while one book is sold out.
fn ask_without(
    weights: &str,
    sold_out: &str,
    history: &str,
    results: usize,
) -> Vec<(String, Vec<Reason>)> {
    let model = model(weights);
    let catalogue = catalogue_without(&model, sold_out);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let history: Vec<Liked> = history
        .split_whitespace()
        .map(|entry| {
            let (title, weight) = entry.split_once('=').unwrap();
            Liked { item: index(title), weight: weight.parse().unwrap() }
        })
        .collect();
    let had: Vec<u32> = history.iter().map(|liked| liked.item).collect();
    let filter = Filter::default();
    let request = Request { settled: &had, filter: &filter, results };
    let arrangement =
        Arrangement { settings: &STEPS, judged: &history, had: &had, ..Arrangement::NONE };
    let workspace = &mut Workspace::default();
    let mut shelf = Shelves::new(shop, &history, workspace).personal(request, &arrangement, None);
    shelf::explain(&model, &history, &mut shelf);
    shelf::explain_by_catalogue(&catalogue, &history, &history, &had, &mut shelf);
    let named = |ranked: shelf::Ranked| (BOOKS[ranked.item as usize].0.to_owned(), ranked.reasons);
    shelf.into_iter().map(named).collect()
}

fn check(weights: &str, history: &str, expected: &[&str]) {
    let shelf = ask(weights, history, expected.len());
    let titles: Vec<&str> = shelf.iter().map(|(title, _)| &**title).collect();
    assert_eq!(titles, expected, "after {history}");
}

#[test]
fn the_next_volume_stands_where_a_later_one_was_chosen() {
    // Volume 3 has the best score; the model does not know volume 2 at all.
    check("dune>children=0.9 dune>emma=0.5", "dune=1", &["messiah", "emma", "children"]);
    // Nothing of the series was read: volume 1, and the prequel stands in nobody's way.
    check("emma>light=0.9 emma>prequel=0.8 emma>ubik=0.1", "emma=1", &["colour", "dune", "ubik"]);
    // After the last, what was left out: first volumes, then the prequel.
    check("emma>prequel=0.5", "emma=1 children=1 messiah=1", &["dune"]);
    check("emma>prequel=0.5", "emma=1 children=1 messiah=1 dune=1", &["prequel"]);
}

#[test]
fn a_book_that_was_disliked_lowers_what_it_would_have_led_to() {
    let weights = "emma>walden=0.6 dune>walden=0.5 emma>ubik=0.2 emma>essays=0.9";
    // walden: 0.6 + 0.5 = 1.1; essays 0.9; ubik 0.2.
    check(weights, "emma=1 dune=1", &["walden", "essays", "ubik"]);
    // walden: 0.6 − 0.9 × 0.5 = 0.15, below ubik; essays, of the disliked author, come after
    // what is popular.
    check(weights, "emma=1 dune=-0.9", &["ubik", "walden", "colour", "light", "essays"]);
    // One disliked book of an author who is liked on the whole holds nothing back.
    check(weights, "emma=1 dune=-0.1 messiah=1", &["essays", "walden", "ubik"]);
    // Nor does the next volume of a disliked series lead, by whatever score.
    check("emma>children=0.9 emma>ubik=0.1", "emma=1 dune=-0.5", &["ubik", "walden"]);
}

#[test]
fn a_disliked_author_leads_no_shelf_even_where_nothing_else_has_a_score() {
    let all = ["walden", "ubik", "colour", "light", "essays", "messiah", "children", "prequel"];
    check("emma>essays=0.9", "emma=1 dune=-0.9", &all);
    check("emma>essays=0.9", "emma=1 dune=-0.9", &all[..1]);
}

#[test]
fn a_buried_volume_that_is_next_is_not_lost() {
    let model = model("emma>ubik=0.5");
    let catalogue = catalogue(&model);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let history = [Liked { item: index("emma"), weight: 1.0 }];
    let filter = Filter::default();
    let settled = [index("emma")];
    let request = Request { settled: &settled, filter: &filter, results: 9 };
    let rules = Rules::new(&[Rule::Last(Target::Item(index("colour")))], &catalogue);
    let arrangement = Arrangement { settings: &STEPS, rules: &rules, ..Arrangement::NONE };
    let shelf = Shelves::new(shop, &history, &mut Workspace::default()).personal(
        request,
        &arrangement,
        None,
    );
    // Among what fills up, the first volume takes the place of the second, and comes last.
    let titles: Vec<&str> = shelf.iter().map(|one| BOOKS[one.item as usize].0).collect();
    assert_eq!((titles.len(), titles[0], titles[8]), (9, "ubik", "colour"), "{titles:?}");
}

#[test]
fn reasons_name_the_volume_before_and_the_author() {
    let shelf = ask("dune>messiah=0.3 emma>messiah=0.1 emma>essays=0.2", "dune=1 emma=1", 2);
    let [(messiah, next), (essays, author)] = &shelf[..] else { panic!("{shelf:?}") };
    assert_eq!((&**messiah, &**essays), ("messiah", "essays"));
    assert_eq!(next[0], Reason::NextInSeries { after: index("dune") });
    let Reason::History { place: 0, share } = next[1] else { panic!("{next:?}") };
    assert!((share - 0.75).abs() < 1e-6, "{share}");
    assert!(matches!(next[2], Reason::History { place: 1, .. }), "{next:?}");
    let Reason::History { place: 1, share } = author[0] else { panic!("{author:?}") };
    assert!((share - 1.0).abs() < 1e-9, "{share}");
    assert!(matches!(author[1], Reason::ByAuthor { liked, .. } if liked == index("dune")));
}

#[test]
fn only_the_next_volume_is_called_so() {
    let called_next = |sold_out: &str, history: &str| -> Vec<String> {
        let weights = "dune>messiah=0.3 dune>children=0.2 emma>ubik=0.1";
        let shelf = ask_without(weights, sold_out, history, 6);
        let is_next = |reason: &Reason| matches!(reason, Reason::NextInSeries { .. });
        shelf.into_iter().filter(|one| one.1.iter().any(is_next)).map(|one| one.0).collect()
    };
    assert_eq!(called_next("", "dune=1 emma=1"), ["messiah"]);
    assert_eq!(called_next("", "dune=1 messiah=1"), ["children"]);
    // The volume between is sold out: the one after it is on the shelf, and is not next.
    assert!(called_next("messiah", "dune=1 emma=1").is_empty());
}

#[test]
fn similar_books_are_so_both_ways_and_begin_with_at_most_the_next_volume() {
    let model =
        model("dune>messiah=0.4 dune>children=0.8 dune>emma=0.5 dune>ubik=0.3 ubik>dune=0.4");
    let catalogue = catalogue(&model);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let filter = Filter::default();
    let request = Request { settled: &[], filter: &filter, results: 4 };
    let arrangement = Arrangement { settings: &STEPS, ..Arrangement::NONE };
    let workspace = &mut Workspace::default();
    let shelf =
        Shelves::new(shop, &[], workspace).similar(index("dune"), request, &arrangement, None);
    let titles: Vec<&str> = shelf.iter().map(|one| BOOKS[one.item as usize].0).collect();
    // All are equally popular, so scores are half the sums: children .4, ubik .35, emma .25.
    assert_eq!(titles, ["messiah", "ubik", "emma", "children"]);
    assert!((shelf[1].score - 0.35).abs() < 1e-6, "{}", shelf[1].score);
}

#[test]
fn the_shelf_of_next_volumes_has_those_of_the_series_that_the_reader_likes() {
    let model = model("dune>messiah=0.2 dune>light=0.5 emma>messiah=-0.1");
    let catalogue = catalogue(&model);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let filter = Filter::default();
    let check = |liked: &[(&str, f32)], settled: &[&str], results: usize, expected: &[&str]| {
        let history: Vec<Liked> = liked
            .iter()
            .map(|(title, weight)| Liked { item: index(title), weight: *weight })
            .collect();
        let had: Vec<u32> = history.iter().map(|liked| liked.item).collect();
        let settled: Vec<u32> =
            settled.iter().map(|title| index(title)).chain(had.clone()).collect();
        let request = Request { settled: &settled, filter: &filter, results };
        let arrangement =
            Arrangement { settings: &STEPS, judged: &history, had: &had, ..Arrangement::NONE };
        let shelf = Shelves::new(shop, &history, &mut Workspace::default())
            .next_in_series(request, &arrangement);
        let titles: Vec<&str> = shelf.iter().map(|one| BOOKS[one.item as usize].0).collect();
        assert_eq!(titles, expected, "{liked:?}");
    };
    // light: 0.5; messiah: 0.2, and less 0.1 for emma.
    check(&[("dune", 1.0), ("colour", 1.0)], &[], 10, &["light", "messiah"]);
    check(&[("dune", 1.0), ("colour", 1.0)], &[], 1, &["light"]);
    check(&[("dune", 1.0), ("emma", 1.0)], &[], 10, &["messiah"]);
    // After the last, what was left out.
    check(&[("children", 1.0), ("messiah", 1.0)], &[], 10, &["dune"]);
    // Nobody is led on where they disliked what they read, nor past what they refused.
    check(&[("dune", -0.5), ("colour", 1.0)], &[], 10, &["light"]);
    check(&[("dune", 1.0)], &["messiah"], 10, &[]);
    check(&[("emma", 1.0)], &[], 10, &[]);
}
