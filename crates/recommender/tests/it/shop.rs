//! Small shops for tests, written down or drawn from a seed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use recommender::catalogue::{Catalogue, Entry};
use recommender::learn::gram::GramSettings;
use recommender::learn::low_pass::LowPassSettings;
use recommender::learn::ridge::RidgeSettings;
use recommender::learn::{LearnSettings, learn};
use recommender::offer::{Offer, Price};
use recommender::watch::Watch;
use recommender::{Interactions, ItemNumber, Model};

/// What the engine is told of a shop.
pub(crate) struct TestShop {
    pub(crate) model: Model,
    pub(crate) catalogue: Catalogue,
}

pub(crate) const SETTINGS: LearnSettings = LearnSettings {
    ridge: RidgeSettings {
        gram: GramSettings { user_exponent: 0.5, row_entries: 100 },
        neighbours: 20,
        regularisation: 1.0,
        item_exponent: 0.3,
        distance_exponent: 0.0,
    },
    low_pass: LowPassSettings { factors: 32, weight: 0.3, iterations: 3 },
};

/// Interactions of seeded readers who each like a stretch of the catalogue and, like
/// all readers, the books at its beginning.
pub(crate) fn interactions(items: u32, users: usize, seed: u64) -> Interactions {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut interactions = Interactions::new(items as usize);
    for _ in 0..users {
        let home = random.random_range(0..items);
        let mut row: Vec<u32> = (0..random.random_range(1..12))
            .map(|_| match random.random_range(0..4) {
                0 => random.random_range(0..items.min(10)),
                _ => (home + random.random_range(0..8)) % items,
            })
            .collect();
        row.sort_unstable();
        row.dedup();
        interactions.push_user(row.into_iter().map(|item| (item, 1.0)));
    }
    interactions
}

/// A model whose item at index `i` has the number `2 i + 1`.
pub(crate) fn model(interactions: &Interactions) -> Model {
    let learnt = learn(interactions, &SETTINGS, &Watch::IGNORE).expect("not cancelled");
    let items: Vec<ItemNumber> =
        (0..interactions.item_count() as u32).map(|item| ItemNumber(2 * item + 1)).collect();
    let trend = (0..items.len()).map(|item| (item % 5) as f32).collect();
    Model::new(&items, interactions, learnt, trend, 0)
}

/// Number, work, categories, language and offer of a book.
type BookRow = (u32, Option<String>, Vec<String>, &'static str, Offer);

/// A shop of drawn readers. Every third item left since the training, new ones came (even
/// numbers); works have up to three editions, and
/// there are four categories, two languages, six authors and three series.
pub(crate) fn drawn(items: u32, seed: u64) -> TestShop {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 1);
    let model = model(&interactions(items, 300, seed));
    let slugs = ["mystery", "poetry", "travel", "food"];
    let rows: Vec<BookRow> = (1..=2 * items)
        .filter(|number| number % 3 != 0)
        .map(|number| {
            let work = random.random_bool(0.5).then(|| format!("work-{}", number / 5));
            let categories =
                slugs.iter().filter(|_| random.random_bool(0.3)).map(ToString::to_string).collect();
            let language = if random.random_bool(0.7) { "en" } else { "zh" };
            (number, work, categories, language, offer(&mut random))
        })
        .collect();
    let series = ["cycle", "saga", "chronicle"];
    let mut volume = || {
        let series = random.random_bool(0.4).then(|| series[random.random_range(0..3)]);
        let place = series.filter(|_| random.random_bool(0.8));
        (series, place.map(|_| f64::from(random.random_range(0..14)) / 2.0))
    };
    let volumes: Vec<(Option<&str>, Option<f64>)> = rows.iter().map(|_| volume()).collect();
    let names = ["ann", "bob", "cho", "dee", "eve", "fay"];
    let mut by = |_| -> Vec<String> {
        names.iter().filter(|_| random.random_bool(0.2)).map(ToString::to_string).collect()
    };
    let authors: Vec<Vec<String>> = rows.iter().map(&mut by).collect();
    let entries: Vec<Entry<'_>> = rows
        .iter()
        .zip(volumes.iter().zip(&authors))
        .map(|((number, work, categories, language, offer), ((series, volume), authors))| Entry {
            number: ItemNumber(*number),
            work: work.as_deref(),
            categories,
            language: Some(language),
            authors,
            series: *series,
            volume: *volume,
            offer: *offer,
        })
        .collect();
    let catalogue = Catalogue::new(Some(&model), &entries);
    TestShop { model, catalogue }
}

/// An offer of which anything may be unknown: up to 3 in stock, up to 20 of two currencies,
/// from up to 18 years.
fn offer(random: &mut ChaCha8Rng) -> Offer {
    let currency = if random.random_bool(0.8) { "EUR" } else { "USD" };
    let price = Price {
        minor_units: random.random_range(0..=20),
        currency: currency.parse().expect("three letters"),
    };
    Offer {
        stock: random.random_bool(0.6).then(|| random.random_range(0..=3)),
        price: random.random_bool(0.7).then_some(price),
        age_min: random.random_bool(0.5).then(|| random.random_range(0..=18)),
    }
}
