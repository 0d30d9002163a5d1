//! Shops for backups: made up row by row, with everything that a store can hold, or filled as a
//! service fills one.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use recommender::offer::{Offer, Price};
use recommender::{EventKind, ItemNumber, Rating, UserNumber};
use storage::{
    ApiKey, Book, Entry, EventId, EventOrigin, IdSpace, NewEvent, NewImpression, Revisions, Row,
    RowKey, Rule, RuleEffect, RuleTarget, Store, Surface, UserRevision,
};

const FIRST_ASSIGNED: u32 = 1 << 30;

/// Letters of texts: scripts, what JSON escapes, what is longer than two bytes in UTF-16.
const LETTERS: [char; 14] =
    ['a', 'Z', '9', ' ', '"', '\\', '/', 'é', 'ß', '三', 'ね', '\u{200b}', '\u{1f4d6}', '-'];

/// Draws whatever a row can hold.
struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, end: u32) -> u32 {
        self.0.random_range(0..end)
    }

    fn is_so(&mut self) -> bool {
        self.below(2) == 0
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.is_so().then(|| draw(self))
    }

    /// A number of either kind: its own, or an assigned one.
    fn number(&mut self) -> u32 {
        match self.below(5) {
            0 => FIRST_ASSIGNED + self.below(40),
            1 => i32::MAX as u32,
            _ => 1 + self.below(40),
        }
    }

    fn text(&mut self, bytes_max: usize) -> String {
        let letters = 1 + self.below(12) as usize;
        let mut text = String::new();
        while text.chars().count() < letters {
            let letter = LETTERS[self.below(LETTERS.len() as u32) as usize];
            if text.len() + letter.len_utf8() > bytes_max {
                break;
            }
            text.push(letter);
        }
        text
    }

    fn slug(&mut self) -> String {
        format!("sci-fi-{}", self.below(9))
    }

    fn event_id(&mut self) -> EventId {
        let bytes = match self.below(3) {
            0 => (0..1 + self.below(64)).map(|_| self.below(256) as u8).collect(),
            1 => vec![0xff; 64],
            _ => self.text(64).into_bytes(),
        };
        EventId::new(&bytes).unwrap()
    }

    /// A time, rarely one without a date.
    fn time(&mut self) -> i64 {
        match self.below(9) {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => -self.0.random_range(0..100_000_000_000_000_i64),
            _ => self.0.random_range(0..2_000_000_000_000_i64),
        }
    }

    fn token(&mut self) -> Option<String> {
        self.maybe(|chance| chance.text(512))
    }

    fn revision(&mut self, most: i64) -> i64 {
        self.0.random_range(0..=most)
    }

    fn offer(&mut self) -> Offer {
        let price = |chance: &mut Self| Price {
            minor_units: chance.0.random_range(0..=999_999_999_999),
            currency: "EUR".parse().unwrap(),
        };
        Offer {
            stock: self.maybe(|chance| chance.0.random_range(0..=u32::MAX)),
            price: self.maybe(price),
            age_min: self.maybe(|chance| chance.below(121) as u8),
        }
    }

    fn book(&mut self) -> Book {
        Book {
            number: ItemNumber(self.number()),
            id: String::new(),
            title: self.text(1000),
            authors: (0..self.below(4)).map(|_| self.text(200)).collect(),
            published_year: self.maybe(|chance| chance.below(19_999) as i32 - 9_999),
            language: self.maybe(|_| "pt-BR".to_owned()),
            categories: (0..self.below(4)).map(|_| self.slug()).collect(),
            series: self.maybe(|chance| chance.text(500)),
            // Digits enough that a careless reader loses the last one.
            volume: self.maybe(|chance| chance.0.random_range(0.0..10_000.0)),
            work: self.maybe(|chance| chance.text(64)),
            isbn13: self.maybe(|chance| 9_780_000_000_000 + u64::from(chance.below(u32::MAX))),
            cover_url: self.maybe(|chance| chance.text(2000)),
            publisher: self.maybe(|chance| chance.text(200)),
            offer: self.offer(),
        }
    }

    fn event(&mut self) -> Row {
        let kind = EventKind::ALL[self.below(9) as usize];
        let event = NewEvent {
            user: UserNumber(self.number()),
            item: ItemNumber(self.number()),
            event_id: self.event_id(),
            kind,
            rating: Rating::from_half_stars(2 + self.below(9) as u8)
                .filter(|_| kind == EventKind::Rating),
            time_ms: self.maybe(Self::time),
            recorded_ms: self.time(),
            origin: EventOrigin::ALL[self.below(3) as usize],
            attribution_token: self.token(),
        };
        Row::Event { event, retracted: self.is_so() }
    }

    fn impression(&mut self) -> Row {
        let impression = NewImpression {
            user: UserNumber(self.number()),
            item: ItemNumber(self.number()),
            event_id: self.event_id(),
            time_ms: self.time(),
            recorded_ms: self.time(),
            attribution_token: self.token(),
        };
        Row::Impression { impression, sequence: self.0.random_range(1..=i64::MAX) }
    }

    fn rule(&mut self) -> Row {
        let text = self.text(64);
        let target = match self.below(4) {
            0 => RuleTarget::Book(text),
            1 => RuleTarget::Author(text),
            2 => RuleTarget::Series(text),
            _ => RuleTarget::Category(self.slug()),
        };
        let effect = match (&target, self.below(4)) {
            (RuleTarget::Book(_), 0) => RuleEffect::Pin(1 + self.below(100)),
            (_, 1) => RuleEffect::Boost(self.0.random_range(0.001..100.0)),
            (_, 2) => RuleEffect::Last,
            _ => RuleEffect::Out,
        };
        let starts_ms = self.maybe(|chance| i64::from(chance.below(1_000_000)));
        Row::Rule(Rule {
            id: self.text(64),
            target,
            effect,
            surfaces: Surface::ALL.into_iter().filter(|_| self.is_so()).collect(),
            starts_ms,
            ends_ms: self.maybe(|chance| 2_000_000 + i64::from(chance.below(1_000_000))),
            note: self.maybe(|chance| chance.text(500)),
        })
    }

    fn api_key(&mut self) -> Row {
        let mut secret_sha256 = [0; 32];
        secret_sha256.fill_with(|| self.below(256) as u8);
        Row::ApiKey(ApiKey {
            id: format!("{:08x}", self.below(u32::MAX)),
            name: self.text(64),
            roles: vec!["reader".to_owned(), "writer".to_owned()],
            secret_sha256,
            created_ms: self.time(),
            expires_ms: self.maybe(Self::time),
            revoked_ms: self.maybe(Self::time),
        })
    }
}

/// Every row of a shop, in order; the same for the same seed.
pub(super) fn made_up(seed: u64) -> Vec<Row> {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
    let revisions = Revisions {
        catalogue: chance.0.random_range(0..1_000),
        events: chance.0.random_range(0..=i64::MAX),
        rules: chance.0.random_range(0..1_000),
        api_keys: chance.0.random_range(0..1_000),
        removals: chance.0.random_range(0..1_000),
        event_changes: chance.0.random_range(0..=i64::MAX),
        simulated: chance.is_so(),
    };
    let mut rows = vec![Row::Shop(revisions)];
    let mut ids = BTreeSet::new();
    for space in IdSpace::ALL {
        rows.push(Row::Sequence { space, next_number: i64::from(FIRST_ASSIGNED) + 100 });
        for number in FIRST_ASSIGNED..FIRST_ASSIGNED + 30 {
            if chance.is_so() {
                continue;
            }
            let id = format!("{}!", chance.text(60));
            // An id has one number.
            if ids.insert((space.to_string(), id.clone())) {
                rows.push(Row::Id { space, number, id });
            }
        }
    }
    for _ in 0..chance.below(30) {
        let revision = chance.revision(revisions.catalogue);
        rows.push(Row::Book { book: Box::new(chance.book()), revision });
        let revision = chance.revision(revisions.catalogue);
        rows.push(Row::DeletedBook { number: ItemNumber(chance.number()), revision });
        let revision = chance.revision(revisions.events);
        rows.push(Row::User(UserRevision { user: UserNumber(chance.number()), revision }));
        let (from, into) = (100 + chance.below(50), 200 + chance.below(50));
        rows.push(Row::MergedUser { number: UserNumber(from), into: UserNumber(into) });
        rows.extend([chance.event(), chance.event(), chance.event()]);
        rows.extend([chance.impression(), chance.rule(), chance.api_key()]);
    }
    let by_key: BTreeMap<RowKey, Row> = rows.into_iter().map(|row| (row.key(), row)).collect();
    with_book_ids(by_key.into_values().collect())
}

/// The rows with the ids of books filled in, as reading does.
fn with_book_ids(mut rows: Vec<Row>) -> Vec<Row> {
    let ids: BTreeMap<u32, String> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Id { space: IdSpace::Book, number, id } => Some((*number, id.clone())),
            _ => None,
        })
        .collect();
    for row in &mut rows {
        if let Row::Book { book, .. } = row {
            book.id = match book.number.0 {
                own if own < FIRST_ASSIGNED => own.to_string(),
                assigned => ids.get(&assigned).cloned().unwrap_or_default(),
            };
        }
    }
    rows
}

/// Fills a store as a service does: books, of which one is deleted, readers, of whom one is
/// merged and one deleted, an event that is retracted, impressions, a rule, a key.
pub(super) async fn fill(store: &Store) {
    let mut writer = store.begin().await.unwrap();
    let items = writer.assign_items(&["dune", "emma", "7"]).await.unwrap();
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(1));
    let titles = ["Dune", "Emma", "Café Müller"];
    let books: Vec<Book> = items
        .iter()
        .zip(titles)
        .map(|(item, title)| Book { number: *item, title: title.to_owned(), ..chance.book() })
        .collect();
    writer.put_books(&books).await.unwrap();
    writer.commit().await.unwrap();

    let mut writer = store.begin().await.unwrap();
    let users = writer.resolve_users(&["ann", "bob", "session 9", "gone", "8"]).await.unwrap();
    let mut entries = Vec::new();
    for (place, user) in users.iter().enumerate() {
        let event = |id: &str, item| NewEvent {
            user: user.number,
            item,
            event_id: EventId::new(id.as_bytes()).unwrap(),
            kind: EventKind::Rating,
            rating: Rating::from_half_stars(2 + place as u8),
            time_ms: Some(1_700_000_000_000 + place as i64),
            recorded_ms: 1_700_000_000_999,
            origin: EventOrigin::Client,
            attribution_token: Some("shelf 3".to_owned()),
        };
        entries.extend([Entry::Event(event("a", items[0])), Entry::Event(event("b", items[1]))]);
        entries.push(Entry::Impression(NewImpression {
            user: user.number,
            item: items[2],
            event_id: EventId::new(b"seen").unwrap(),
            time_ms: 1_700_000_000_000,
            recorded_ms: 1_700_000_000_001,
            attribution_token: None,
        }));
    }
    let retracted = EventId::new(b"b").unwrap();
    entries.push(Entry::Retraction { user: users[0].number, event_id: retracted });
    writer.record(&entries, 1_000).await.unwrap();
    writer.merge_users(users[2].number, users[0].number).await.unwrap();
    writer.delete_user(users[3].number).await.unwrap();
    writer.delete_books(&items[1..2]).await.unwrap();
    let (Row::Rule(rule), Row::ApiKey(key)) = (chance.rule(), chance.api_key()) else {
        unreachable!("these draw what their names say")
    };
    writer.put_rule(&rule).await.unwrap();
    writer.add_api_key(&key).await.unwrap();
    writer.commit().await.unwrap();
}
