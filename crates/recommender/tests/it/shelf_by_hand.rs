//! A shelf that can be followed on paper.
//!
//! Readers are written `dune emma | dune ubik`: one reader a part, the books they like.
//! Books get their numbers in the order of the alphabet.

use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::gram::GramSettings;
use recommender::learn::low_pass::LowPassSettings;
use recommender::learn::ridge::RidgeSettings;
use recommender::learn::{LearnSettings, learn};
use recommender::model::Liked;
use recommender::offer::{Offer, OfferFilter, Stock};
use recommender::shelf::{
    self, Arrangement, Origin, Ranked, Reason, Request, Shelves, Shop, Workspace,
};
use recommender::watch::Watch;
use recommender::{Filter, Interactions, ItemNumber, Model};

struct Library {
    titles: Vec<String>,
    model: Model,
    catalogue: Catalogue,
}

/// `tags` says what is known of books beside their readers: `dune=en,work:dune,scifi`.
fn library(readers: &str, tags: &str) -> Library {
    let likes: Vec<Vec<&str>> =
        readers.split('|').map(|reader| reader.split_whitespace().collect()).collect();
    let mut titles: Vec<String> = likes.concat().iter().map(ToString::to_string).collect();
    titles.sort_unstable();
    titles.dedup();
    let index = |title: &str| titles.binary_search(&title.to_owned()).unwrap() as u32;
    let mut interactions = Interactions::new(titles.len());
    for reader in &likes {
        let mut row: Vec<u32> = reader.iter().map(|title| index(title)).collect();
        row.sort_unstable();
        interactions.push_user(row.into_iter().map(|item| (item, 1.0)));
    }
    let ridge = RidgeSettings {
        gram: GramSettings { user_exponent: 0.0, row_entries: 10 },
        neighbours: 10,
        regularisation: 1.0,
        item_exponent: 0.0,
        distance_exponent: 0.0,
    };
    let low_pass = LowPassSettings { factors: 0, weight: 0.0, iterations: 1 };
    let settings = LearnSettings { ridge, low_pass };
    let learnt = learn(&interactions, &settings, &Watch::IGNORE).unwrap();
    let numbers: Vec<ItemNumber> = (1..=titles.len() as u32).map(ItemNumber).collect();
    let trend = vec![0.0; titles.len()];
    let model = Model::new(&numbers, &interactions, learnt, trend, 0);
    let catalogue = catalogue(&titles, &numbers, tags, &model);
    Library { titles, model, catalogue }
}

fn catalogue(titles: &[String], numbers: &[ItemNumber], tags: &str, model: &Model) -> Catalogue {
    let tagged = |title: &str| -> Vec<String> {
        let of = tags.split_whitespace().filter_map(|tag| tag.split_once('='));
        let mine = of.filter(|(tagged, _)| *tagged == title);
        mine.flat_map(|(_, tags)| tags.split(',')).map(ToOwned::to_owned).collect()
    };
    let tags: Vec<Vec<String>> = titles.iter().map(|title| tagged(title)).collect();
    let entries: Vec<Entry<'_>> = numbers
        .iter()
        .zip(&tags)
        .map(|(number, tags)| Entry {
            number: *number,
            work: tags.iter().find_map(|tag| tag.strip_prefix("work:")),
            categories: tags,
            language: None,
            ..Entry::default()
        })
        .collect();
    Catalogue::new(Some(model), &entries)
}

impl Library {
    fn index(&self, title: &str) -> u32 {
        self.titles.iter().position(|other| other == title).unwrap() as u32
    }

    fn shelf(&self, history: &str, filter: &Filter, results: usize) -> Vec<Ranked> {
        let settled: Vec<u32> = history.split_whitespace().map(|title| self.index(title)).collect();
        let history: Vec<Liked> =
            settled.iter().map(|item| Liked { item: *item, weight: 1.0 }).collect();
        let request = Request { settled: &settled, filter, results };
        let shop = Shop { model: Some(&self.model), catalogue: &self.catalogue };
        let mut shelf = Shelves::new(shop, &history, &mut Workspace::default()).recommend(request);
        shelf::explain(&self.model, &history, &mut shelf);
        shelf
    }

    fn titles(&self, shelf: &[Ranked]) -> Vec<&str> {
        shelf.iter().map(|ranked| &*self.titles[ranked.item as usize]).collect()
    }
}

fn share(reason: &Reason) -> f64 {
    match reason {
        Reason::History { share, .. } => *share,
        other => panic!("{other:?} has no share"),
    }
}

fn check(readers: &str, tags: &str, history: &str, category: &str, expected: &[&str]) {
    let library = library(readers, tags);
    let any_categories = category.split_whitespace().map(ToOwned::to_owned).collect();
    let filter = Filter { any_categories, ..Filter::default() };
    let shelf = library.shelf(history, &filter, expected.len().max(1));
    assert_eq!(library.titles(&shelf), expected);
}

#[test]
fn what_others_read_with_it_comes_first_then_what_is_popular() {
    check(
        "dune ubik | dune ubik | emma walden | emma | emma",
        "",
        "dune",
        "",
        &["ubik", "emma", "walden"],
    );
}

#[test]
fn a_book_already_read_is_never_recommended() {
    check("dune emma | dune emma", "", "dune emma", "", &[]);
}

#[test]
fn no_edition_of_a_work_already_read_is_recommended() {
    check(
        "dune dune-fr | dune dune-fr ubik | ubik",
        "dune=work:dune dune-fr=work:dune",
        "dune",
        "",
        &["ubik"],
    );
}

#[test]
fn a_shelf_has_one_edition_of_each_work() {
    check(
        "ubik dune dune-fr | ubik dune dune-fr | ubik dune | emma",
        "dune=work:dune dune-fr=work:dune",
        "ubik",
        "",
        &["dune", "emma"],
    );
}

#[test]
fn a_category_is_filled_even_where_the_model_is_silent() {
    check(
        "dune ubik | dune ubik | emma | walden | walden",
        "emma=calm walden=calm",
        "dune",
        "calm",
        &["walden", "emma"],
    );
}

#[test]
fn an_unknown_category_has_no_books() {
    check("dune ubik", "dune=scifi", "", "cooking", &[]);
}

#[test]
fn scores_and_shares_are_those_of_the_sum_on_paper() {
    // One reader of each pair: G_aa = 2 (ann in two pairs), G_bb = G_cc = 2, every pair 1.
    // For target c: (G_NN + I) = [[3, 1], [1, 3]], right side [1, 1], so w = 1/4 each.
    let library = library("a b | b c | a c", "");
    let shelf = library.shelf("a b", &Filter::default(), 1);
    assert_eq!(library.titles(&shelf), ["c"]);
    assert_eq!(shelf[0].origin, Origin::Personal);
    assert!((shelf[0].score - 0.5).abs() < 1e-6, "{}", shelf[0].score);
    let shares: Vec<f64> = shelf[0].reasons.iter().map(share).collect();
    assert_eq!(shelf[0].reasons.len(), 2);
    assert!(shares.iter().all(|share| (share - 0.5).abs() < 1e-6), "{shares:?}");
}

#[test]
fn similar_books_leave_out_other_editions_of_the_book() {
    let library =
        library("dune dune-fr ubik | dune dune-fr ubik | emma", "dune=work:dune dune-fr=work:dune");
    let shop = Shop { model: Some(&library.model), catalogue: &library.catalogue };
    let dune = library.index("dune");
    let filter = Filter::default();
    let request = Request { settled: &[], filter: &filter, results: 5 };
    let workspace = &mut Workspace::default();
    let shelf = Shelves::new(shop, &[], workspace).similar(dune, request, &Arrangement::NONE, None);
    assert_eq!(library.titles(&shelf), ["ubik", "emma"]);
    assert_eq!(shelf[0].origin, Origin::Similar);
    assert_eq!(shelf[1].origin, Origin::Popular);
}

#[test]
fn without_a_model_books_come_by_number() {
    let category = ["calm".to_owned()];
    let entry = |number| Entry {
        number: ItemNumber(number),
        work: None,
        categories: &category,
        language: Some("en"),
        ..Entry::default()
    };
    let catalogue = Catalogue::new(None, &[entry(4), entry(9), entry(11)]);
    let shop = Shop { model: None, catalogue: &catalogue };
    let filter = Filter { languages: vec!["en".to_owned()], ..Filter::default() };
    let request = Request { settled: &[1], filter: &filter, results: 5 };
    let shelf = Shelves::new(shop, &[], &mut Workspace::default()).recommend(request);
    let numbers: Vec<u32> = shelf.iter().map(|ranked| catalogue.number(ranked.item).0).collect();
    assert_eq!(numbers, [4, 11]);
}

#[test]
fn what_is_sold_out_is_shown_only_to_who_asks_for_it() {
    let entry = |(number, stock)| Entry {
        number: ItemNumber(number),
        offer: Offer { stock, ..Offer::default() },
        ..Entry::default()
    };
    let entries = [(1, Some(0)), (2, Some(1)), (3, None)].map(entry);
    let catalogue = Catalogue::new(None, &entries);
    let shop = Shop { model: None, catalogue: &catalogue };
    let check = |stock, expected: &[u32]| {
        let offer = OfferFilter { stock, ..OfferFilter::default() };
        let filter = Filter { offer, ..Filter::default() };
        let request = Request { settled: &[], filter: &filter, results: 5 };
        let shelf = Shelves::new(shop, &[], &mut Workspace::default()).recommend(request);
        let numbers = shelf.iter().map(|ranked| catalogue.number(ranked.item).0);
        assert_eq!(numbers.collect::<Vec<_>>(), expected);
    };
    check(Stock::Available, &[2, 3]);
    check(Stock::Any, &[1, 2, 3]);
}
