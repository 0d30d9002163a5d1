//! A taste model: simulated readers for the demo shop. Nobody here exists.
//!
//! A reader likes one to three categories, some authors more than others, and what
//! everybody likes; picks books at random by that taste (the Gumbel-top-k trick of
//! Kool et al. 2019, *Stochastic beams and where to find them*), reads series from
//! their beginning, and rates what was read by how well it fits, with noise. All
//! numbers here are made up so that the shelves look plausible; they measure nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::f64::consts::TAU;

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use recommender::{EventKind, Rating};

use super::books::Row;

/// How many readers there are.
pub const READERS: u32 = 2_000;

/// The seed of everything that is drawn.
const SEED: u64 = 50_051;

/// When the simulation ends: 2026-11-01T00:00:00Z, in milliseconds since 1970.
const END_MS: i64 = 1_793_491_200_000;

/// How long it lasts.
const DAYS: f64 = 730.0;

/// Categories of the first reader, so that the tutorial's call has something to show.
const FIRST_READER: [&str; 2] = ["mystery", "science-fiction"];

/// A simulated reader.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reader {
    pub(super) id: u32,
    pub(super) acts: Vec<Act>,
}

/// Something a simulated reader did.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Act {
    /// Place of the book in the rows.
    pub(super) book: usize,
    pub(super) kind: EventKind,
    pub(super) rating: Option<Rating>,
    pub(super) time_ms: i64,
}

/// All readers. The same rows give the same readers.
pub(super) fn simulate(rows: &[Row]) -> Vec<Reader> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let world = World::new(rows, &mut random);
    (1..=READERS).map(|id| world.reader(id, &mut random)).collect()
}

/// What all readers have in common.
struct World<'a> {
    rows: &'a [Row],
    categories: Vec<&'a str>,
    /// How much everybody likes each book.
    appeal: Vec<f64>,
    /// The books by series and volume in half steps.
    volumes: HashMap<(&'a str, i64), usize>,
}

/// One reader's likes.
struct Taste<'a> {
    categories: HashMap<&'a str, f64>,
    authors: HashMap<&'a str, f64>,
    languages: HashSet<&'a str>,
}

impl<'a> World<'a> {
    fn new(rows: &'a [Row], random: &mut ChaCha8Rng) -> Self {
        let categories: BTreeSet<&str> = rows.iter().flat_map(Row::categories).collect();
        let appeal = rows.iter().map(|row| {
            let later = (row.volume.unwrap_or(1.0) - 1.0).clamp(0.0, 6.0);
            0.9 * normal(random) - 0.15 * later
        });
        let appeal = appeal.collect();
        let volumes = rows.iter().enumerate().filter_map(|(book, row)| {
            let english = row.language == "en";
            Some(((&*row.series, half_steps(row.volume?)), book)).filter(|_| english)
        });
        let volumes = volumes.collect();
        Self { rows, categories: categories.into_iter().collect(), appeal, volumes }
    }

    fn reader(&self, id: u32, random: &mut ChaCha8Rng) -> Reader {
        let taste = self.taste(id, random);
        let length = normal(random).mul_add(0.6, 3.0).exp().clamp(5.0, 120.0) as usize;
        let picked = self.pick(&taste, length, random);
        let began = END_MS - days(random.random_range(0.05..1.0) * DAYS);
        let mut acts: Vec<Act> = picked
            .into_iter()
            .flat_map(|(book, liking)| {
                let time_ms = random.random_range(began..END_MS);
                self.acts(book, liking, time_ms, random)
            })
            .collect();
        acts.sort_by_key(|act| act.time_ms);
        Reader { id, acts }
    }

    fn taste(&self, id: u32, random: &mut ChaCha8Rng) -> Taste<'a> {
        let mut categories = HashMap::new();
        if id == 1 {
            categories.extend(FIRST_READER.map(|slug| (slug, 3.2)));
        } else {
            for _ in 0..random.random_range(1..=3) {
                if let Some(slug) = self.categories.choose(random) {
                    categories.insert(*slug, random.random_range(1.5..4.0));
                }
            }
        }
        let mut authors = HashMap::new();
        for author in self.rows.iter().flat_map(Row::authors) {
            authors.entry(author).or_insert_with(|| 0.6 * normal(random));
        }
        let mut languages = HashSet::from(["en"]);
        if random.random_bool(0.12)
            && let Some(row) = self.rows.choose(random)
        {
            languages.insert(&*row.language);
        }
        Taste { categories, authors, languages }
    }

    /// How much a reader likes a book, noise apart.
    fn liking(&self, taste: &Taste<'_>, book: usize) -> f64 {
        let row = &self.rows[book];
        let known = |slug| taste.categories.get(slug).copied().unwrap_or(0.0);
        let (sum, count) = row
            .categories()
            .map(known)
            .fold((0.0, 0.0), |(sum, count), like| (sum + like, count + 1.0));
        let author = row.authors().next().and_then(|author| taste.authors.get(author));
        sum / f64::sqrt(count) + author.copied().unwrap_or(0.0) + self.appeal[book]
    }

    /// Books that the reader picks, one edition of a work, series from their beginning.
    fn pick(&self, taste: &Taste<'_>, length: usize, random: &mut ChaCha8Rng) -> Vec<(usize, f64)> {
        let mut drawn: Vec<(f64, usize)> = (0..self.rows.len())
            .filter(|book| taste.languages.contains(&*self.rows[*book].language))
            .map(|book| (self.liking(taste, book) + gumbel(random), book))
            .collect();
        drawn.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        let mut picked: Vec<(usize, f64)> = Vec::with_capacity(length);
        let mut works: HashSet<&str> = HashSet::new();
        for (_, book) in drawn {
            if picked.len() == length {
                break;
            }
            let book = self.first_unread(book, &works);
            if works.insert(&self.rows[book].work) {
                picked.push((book, self.liking(taste, book)));
            }
        }
        picked
    }

    /// The earliest volume before this book that has not been read, or the book itself.
    fn first_unread(&self, book: usize, read: &HashSet<&str>) -> usize {
        let row = &self.rows[book];
        let Some(volume) = row.volume else { return book };
        let earlier = (1..volume as i64).filter_map(|volume| {
            self.volumes.get(&(&*row.series, half_steps(volume as f64))).copied()
        });
        let mut unread = earlier.filter(|earlier| !read.contains(&*self.rows[*earlier].work));
        unread.next().unwrap_or(book)
    }

    /// What the reader does with a picked book.
    fn acts(&self, book: usize, liking: f64, time_ms: i64, random: &mut ChaCha8Rng) -> Vec<Act> {
        let act = |kind, rating, later_days: f64| Act {
            book,
            kind,
            rating,
            time_ms: (time_ms + days(later_days)).min(END_MS),
        };
        let stars = 0.35f64.mul_add(liking, 2.6) + 0.7 * normal(random);
        let rating = Rating::from_half_stars((stars * 2.0).round().clamp(2.0, 10.0) as u8);
        match random.random_range(0..100) {
            0..20 => vec![act(EventKind::WantToRead, None, 0.0)],
            20..35 => vec![act(EventKind::Purchase, None, 0.0)],
            35..50 => vec![act(EventKind::Purchase, None, 0.0), act(EventKind::Finish, None, 9.0)],
            50..53 if stars < 3.0 => vec![act(EventKind::Abandon, None, 0.0)],
            53..56 => vec![act(EventKind::View, None, 0.0)],
            _ => vec![act(EventKind::Finish, None, 0.0), act(EventKind::Rating, rating, 1.0)],
        }
    }
}

fn half_steps(volume: f64) -> i64 {
    (volume * 2.0) as i64
}

fn days(count: f64) -> i64 {
    (count * 86_400_000.0) as i64
}

/// A draw from the standard normal distribution (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * random.random_range(f64::MIN_POSITIVE..1.0).ln()).sqrt();
    radius * (TAU * random.random::<f64>()).cos()
}

/// A draw from the standard Gumbel distribution.
fn gumbel(random: &mut ChaCha8Rng) -> f64 {
    -(-random.random_range(f64::MIN_POSITIVE..1.0).ln()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_books_give_the_same_readers() {
        let rows = super::super::books::read().unwrap();
        let readers = simulate(&rows);
        assert_eq!(readers.len(), READERS as usize);
        assert_eq!(readers, simulate(&rows));
    }

    #[test]
    fn readers_read_one_edition_of_a_work_and_series_from_their_beginning() {
        let rows = super::super::books::read().unwrap();
        for reader in simulate(&rows).iter().take(200) {
            let books: BTreeSet<usize> = reader.acts.iter().map(|act| act.book).collect();
            let works: BTreeSet<&str> = books.iter().map(|book| &*rows[*book].work).collect();
            assert_eq!(books.len(), works.len());
            let read = |series: &str, volume: f64| {
                books
                    .iter()
                    .any(|book| rows[*book].series == series && rows[*book].volume == Some(volume))
            };
            for row in books.iter().map(|book| &rows[*book]) {
                let second = row.volume == Some(2.0);
                let first_exists = rows
                    .iter()
                    .any(|other| other.series == row.series && other.volume == Some(1.0));
                assert!(!(second && first_exists) || read(&row.series, 1.0), "{row:?}");
            }
        }
    }

    #[test]
    fn ratings_come_with_rating_events_only_and_nothing_happens_after_the_end() {
        let rows = super::super::books::read().unwrap();
        for act in simulate(&rows).iter().flat_map(|reader| &reader.acts) {
            assert_eq!(act.rating.is_some(), act.kind == EventKind::Rating);
            assert!(act.time_ms <= END_MS);
        }
    }
}
