//! What one request costs: scoring and ranking a user over 10,000 items; and what a sale does.
//!
//! `cargo bench -p recommender`. Interactions are simulated with the skew of a bookshop
//! (popularity falls with the rank of an item), the model has the default size.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::gram::GramSettings;
use recommender::learn::low_pass::{LowPass, LowPassSettings};
use recommender::learn::ridge::{ItemWeights, RidgeSettings};
use recommender::learn::{LearnSettings, Learnt, learn};
use recommender::model::Liked;
use recommender::offer::Offer;
use recommender::shelf::{
    self, Arrangement, AuthorCap, Blend, Diversity, HoldBack, Ranked, Request, Rotation,
    SeriesGate, ShelfSettings, Shelves, Shop, Workspace,
};
use recommender::watch::Watch;
use recommender::{Filter, Interactions, ItemNumber, Model};

const ITEMS: u32 = 10_000;
const USERS: usize = 20_000;

/// Readers with a home genre (a hundredth of the items), drawn with a popularity skew.
fn reader(random: &mut ChaCha8Rng, length: usize) -> Vec<u32> {
    let genre = random.random_range(0..100);
    let mut items: Vec<u32> = (0..length)
        .map(|_| {
            let skewed = random.random::<f64>().powi(3);
            match random.random_range(0..10) {
                0..3 => (skewed * f64::from(ITEMS)) as u32,
                _ => (skewed * f64::from(ITEMS) / 100.0) as u32 * 100 + genre,
            }
        })
        .collect();
    items.sort_unstable();
    items.dedup();
    items
}

fn model(random: &mut ChaCha8Rng) -> Model {
    let mut interactions = Interactions::new(ITEMS as usize);
    for _ in 0..USERS {
        let length = random.random_range(5..80);
        interactions.push_user(reader(random, length).into_iter().map(|item| (item, 1.0)));
    }
    let ridge = RidgeSettings {
        gram: GramSettings { user_exponent: 0.5, row_entries: 400 },
        neighbours: 100,
        regularisation: 18.0,
        item_exponent: 0.3,
        distance_exponent: 0.0,
    };
    let low_pass = LowPassSettings { factors: 256, weight: 0.3, iterations: 4 };
    let settings = LearnSettings { ridge, low_pass };
    let learnt = learn(&interactions, &settings, &Watch::IGNORE).expect("not cancelled");
    let items: Vec<ItemNumber> = (1..=ITEMS).map(ItemNumber).collect();
    Model::new(&items, &interactions, learnt, vec![0.0; ITEMS as usize], 0)
}

fn shelves(criterion: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let model = model(&mut random);
    let categories: Vec<Vec<String>> =
        (0..ITEMS).map(|item| vec![format!("genre-{}", item % 10)]).collect();
    let entry = |(categories, number): (&'static [String], u32)| Entry {
        number: ItemNumber(number),
        work: None,
        categories,
        language: None,
        ..Entry::default()
    };
    let entries: Vec<Entry<'_>> =
        categories.leak().iter().map(Vec::as_slice).zip(1..).map(entry).collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let all = Filter::default();
    let genre = Filter { any_categories: vec!["genre-3".to_owned()], ..Filter::default() };
    for length in [35, 100] {
        for (name, filter) in [("all", &all), ("one of ten categories", &genre)] {
            let mut workspace = Workspace::default();
            criterion.bench_function(&format!("history {length}, {name}"), |bencher| {
                let draw = || {
                    let mut items = reader(&mut random, length * 2);
                    while items.len() > length {
                        items.swap_remove(random.random_range(0..items.len()));
                    }
                    items
                };
                bencher.iter_batched(
                    draw,
                    |settled| {
                        let liked = |item: &u32| Liked { item: *item, weight: 1.0 };
                        let history: Vec<Liked> = settled.iter().map(liked).collect();
                        let request = Request { settled: &settled, filter, results: 10 };
                        Shelves::new(shop, &history, &mut workspace).recommend(request)
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

/// What the reasons of a shelf cost on top.
fn reasons(criterion: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let model = model(&mut random);
    let entry = |number| Entry { number: ItemNumber(number), ..Entry::default() };
    let entries: Vec<Entry<'_>> = (1..=ITEMS).map(entry).collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    for length in [35, 100] {
        let items = reader(&mut random, length * 2);
        let liked = |item: &u32| Liked { item: *item, weight: 1.0 };
        let history: Vec<Liked> = items.iter().take(length).map(liked).collect();
        let request = Request { settled: &[], filter: &Filter::default(), results: 10 };
        let mut shelf = Shelves::new(shop, &history, &mut Workspace::default()).recommend(request);
        criterion.bench_function(&format!("reasons of 10, history {length}"), |bencher| {
            bencher.iter(|| shelf::explain(&model, &history, &mut shelf));
        });
    }
}

/// The steps as a shop has them.
const STEPS: ShelfSettings = ShelfSettings {
    candidates: 300,
    blend: Some(Blend { prior: 1.0 }),
    rotation: Some(Rotation { band: 1.5 }),
    series: Some(SeriesGate),
    disliked: Some(HoldBack),
    diversity: Some(Diversity { weight: 0.2, places: 50 }),
    authors: Some(AuthorCap { books: 2, places: 10 }),
    impressions: None,
};

/// A home page beside one shelf with the same steps, both with their reasons: next volumes, one
/// shelf for the reader, three of categories, two of books like one, and what rises.
fn page(criterion: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let model = model(&mut random);
    let names: Vec<[String; 2]> =
        (0..ITEMS).map(|item| [format!("genre-{}", item % 10), format!("{}", item / 4)]).collect();
    let entry = |(place, names): (u32, &'static [String; 2])| Entry {
        number: ItemNumber(place + 1),
        categories: &names[..1],
        authors: &names[1..],
        series: (place % 8 < 4).then_some(&*names[1]),
        volume: (place % 8 < 4).then_some(f64::from(place % 4 + 1)),
        ..Entry::default()
    };
    let entries: Vec<Entry<'_>> = (0..).zip(names.leak().iter()).map(entry).collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let mut workspace = Workspace::default();
    for length in [35, 100] {
        let mut had = reader(&mut random, length * 2);
        while had.len() > length {
            had.swap_remove(random.random_range(0..had.len()));
        }
        let liked = |item: &u32| Liked { item: *item, weight: 1.0 };
        let history: Vec<Liked> = had.iter().map(liked).collect();
        let arrangement = Arrangement {
            settings: &STEPS,
            judged: &history,
            had: &had,
            seed: Some(7),
            ..Arrangement::NONE
        };
        for shelves in [1, 8] {
            let name = format!("history {length}, shelves of a page: {shelves}");
            criterion.bench_function(&name, |bencher| {
                bencher.iter(|| {
                    let mut page = Page {
                        shop,
                        history: &history,
                        arrangement,
                        shelves: Shelves::new(shop, &history, &mut workspace),
                        settled: had.clone(),
                    };
                    page.personal(None);
                    if shelves > 1 {
                        page.next_in_series();
                        ["genre-1", "genre-2", "genre-3"]
                            .iter()
                            .for_each(|genre| page.personal(Some(genre)));
                        had[..2].iter().for_each(|item| page.similar(*item));
                        page.trending();
                    }
                    page.settled
                });
            });
        }
    }
}

/// A page that is being filled, no item twice.
struct Page<'a> {
    shop: Shop<'a>,
    history: &'a [Liked],
    arrangement: Arrangement<'a>,
    shelves: Shelves<'a>,
    settled: Vec<u32>,
}

impl Page<'_> {
    fn personal(&mut self, genre: Option<&str>) {
        let all_categories = genre.iter().map(ToString::to_string).collect();
        let filter = Filter { all_categories, ..Filter::default() };
        let request = Request { settled: &self.settled, filter: &filter, results: 10 };
        let shelf = self.shelves.personal(request, &self.arrangement, None);
        self.explain(shelf);
    }

    fn next_in_series(&mut self) {
        let request = Request { settled: &self.settled, filter: &Filter::default(), results: 10 };
        let shelf = self.shelves.next_in_series(request, &self.arrangement);
        self.explain(shelf);
    }

    fn similar(&mut self, item: u32) {
        let request = Request { settled: &self.settled, filter: &Filter::default(), results: 10 };
        let shelf = self.shelves.similar(item, request, &self.arrangement, None);
        self.settled.extend(shelf.iter().map(|ranked| ranked.item));
    }

    fn trending(&mut self) {
        let request = Request { settled: &self.settled, filter: &Filter::default(), results: 10 };
        let shelf = self.shelves.trending(request, &self.arrangement, None);
        self.settled.extend(shelf.iter().map(|ranked| ranked.item));
    }

    fn explain(&mut self, mut shelf: Vec<Ranked>) {
        if let Some(model) = self.shop.model {
            shelf::explain(model, self.history, &mut shelf);
        }
        let Arrangement { judged, had, .. } = self.arrangement;
        shelf::explain_by_catalogue(self.shop.catalogue, self.history, judged, had, &mut shelf);
        self.settled.extend(shelf.iter().map(|ranked| ranked.item));
    }
}

/// A million items: random weights, popular targets more often, as no fit is needed to rank.
fn million(criterion: &mut Criterion) {
    const MILLION: u32 = 1_000_000;
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut weights = ItemWeights { offsets: vec![0], targets: Vec::new(), weights: Vec::new() };
    for _ in 0..MILLION {
        let mut row: Vec<u32> = (0..200)
            .map(|_| (random.random::<f64>().powi(2) * f64::from(MILLION)) as u32)
            .collect();
        row.sort_unstable();
        row.dedup();
        weights.weights.extend(row.iter().map(|_| random.random::<f32>() - 0.2));
        weights.targets.append(&mut row);
        weights.offsets.push(weights.targets.len() as u64);
    }
    let (width, items) = (256, MILLION as usize);
    let low_pass = LowPass {
        width,
        factors: (0..items * width).map(|place| (place * 7919 % 251) as i8).collect(),
        source: vec![1e-3; items],
        target: vec![1e-3; items],
    };
    let numbers: Vec<ItemNumber> = (1..=MILLION).map(ItemNumber).collect();
    let interactions = Interactions::new(items);
    let learnt = Learnt { weights, low_pass };
    let model = Model::new(&numbers, &interactions, learnt, vec![0.0; items], 0);
    let categories: Vec<[String; 1]> = (0..10).map(|genre| [format!("genre-{genre}")]).collect();
    let entry = |number: &ItemNumber| Entry {
        number: *number,
        categories: &categories[number.0 as usize % 10],
        ..Entry::default()
    };
    let entries: Vec<Entry<'_>> = numbers.iter().map(entry).collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    let shop = Shop { model: Some(&model), catalogue: &catalogue };
    let genre = Filter { any_categories: vec!["genre-3".to_owned()], ..Filter::default() };
    let mut workspace = Workspace::default();
    for (name, filter) in [("all", &Filter::default()), ("one of ten categories", &genre)] {
        criterion.bench_function(&format!("1 M items, history 100, {name}"), |bencher| {
            let draw = || -> Vec<u32> {
                let item = |_| (random.random::<f64>().powi(2) * f64::from(MILLION)) as u32;
                (0..100).map(item).collect()
            };
            bencher.iter_batched(
                draw,
                |settled| {
                    let liked = |item: &u32| Liked { item: *item, weight: 1.0 };
                    let history: Vec<Liked> = settled.iter().map(liked).collect();
                    let request = Request { settled: &settled, filter, results: 10 };
                    Shelves::new(shop, &history, &mut workspace).recommend(request)
                },
                BatchSize::SmallInput,
            );
        });
    }
    criterion.bench_function("1 M items, a sale", |bencher| {
        let sold = Offer { stock: Some(1), ..Offer::default() };
        bencher.iter(|| catalogue.with_offers([(MILLION / 2, sold)]));
    });
}

criterion_group!(benches, shelves, reasons, page, million);
criterion_main!(benches);
