//! Popular books of several categories, worked out by hand.

use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::Learnt;
use recommender::learn::low_pass::LowPass;
use recommender::learn::ridge::ItemWeights;
use recommender::shelf::{Arrangement, Blend, Request, ShelfSettings, Shelves, Shop, Workspace};
use recommender::{Filter, Interactions, ItemNumber, Model};

/// How many liked it, and its categories. 100 likes in all: 90 of novels, 15 of poetry.
const BOOKS: [(usize, &[&str]); 6] = [
    (40, &["novels"]),
    (30, &["novels"]),
    (15, &["novels"]),
    (9, &["poetry"]),
    (5, &["poetry", "novels"]),
    (1, &["poetry"]),
];

fn model() -> Model {
    let mut interactions = Interactions::new(BOOKS.len());
    for (item, (readers, _)) in (0..).zip(BOOKS) {
        (0..readers).for_each(|_| interactions.push_user([(item, 1.0)]));
    }
    let weights =
        ItemWeights { offsets: vec![0; BOOKS.len() + 1], targets: vec![], weights: vec![] };
    let learnt = Learnt { weights, low_pass: LowPass::default() };
    let numbers: Vec<ItemNumber> = (1..=BOOKS.len() as u32).map(ItemNumber).collect();
    Model::new(&numbers, &interactions, learnt, vec![0.0; BOOKS.len()], 0)
}

fn check(asked: &[&str], results: usize, expected: &[u32]) {
    let model = model();
    let categories: Vec<Vec<String>> =
        BOOKS.iter().map(|book| book.1.iter().map(ToString::to_string).collect()).collect();
    let entries: Vec<Entry<'_>> = (1..)
        .zip(&categories)
        .map(|(number, categories)| Entry {
            number: ItemNumber(number),
            categories,
            ..Entry::default()
        })
        .collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let any_categories = asked.iter().map(ToString::to_string).collect();
    let filter = Filter { any_categories, ..Filter::default() };
    let request = Request { settled: &[], filter: &filter, results };
    let settings =
        ShelfSettings { candidates: 3, blend: Some(Blend { prior: 0.1 }), ..ShelfSettings::NONE };
    let arrangement = Arrangement { settings: &settings, ..Arrangement::NONE };
    let shelf =
        Shelves::new(shop, &[], &mut Workspace::default()).personal(request, &arrangement, None);
    let numbers: Vec<u32> = shelf.iter().map(|one| one.item + 1).collect();
    assert_eq!(numbers, expected, "{asked:?}");
}

#[test]
fn a_book_of_several_categories_weighs_what_it_is_in_the_smallest() {
    // Novels × 110 / 100: 44, 33, 16.5; poetry × 110 / 25: 39.6, 22, 4.4.
    check(&["novels", "poetry"], 6, &[1, 4, 2, 5, 3, 6]);
    check(&["novels", "poetry"], 2, &[1, 4]);
    // A category named again changes nothing, nor does one that no book has.
    check(&["poetry", "novels", "poetry", "drama"], 6, &[1, 4, 2, 5, 3, 6]);
    check(&["poetry"; 100], 6, &[4, 5, 6]);
}

#[test]
fn one_category_lists_its_own_by_popularity_until_none_is_left() {
    check(&["poetry"], 2, &[4, 5]);
    check(&["poetry"], 6, &[4, 5, 6]);
    check(&["drama"], 6, &[]);
    check(&[], 6, &[1, 2, 3, 4, 5, 6]);
}
