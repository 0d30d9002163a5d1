//! Lessons: the store's events as the matrix that a model is learnt from.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use recommender::history::collapse;
use recommender::learn::content::Features;
use recommender::{Event, EventWeights, Interactions, ItemNumber, UserNumber};
use storage::{EventOrigin, Store, TrainingEvent};

use super::TrainError;
use super::features::features;
use crate::books::Books;
use crate::progress::{Progress, Unit};
use crate::settings::Settings;

/// Stands for a time that is not known.
const UNDATED: i64 = i64::MIN;

/// What a model is learnt from.
pub struct Lessons {
    /// The items, ascending; columns of `interactions` are places in here.
    pub items: Vec<ItemNumber>,
    /// The users, ascending; rows of `interactions` are places in here.
    pub users: Vec<UserNumber>,
    /// Who likes what.
    pub interactions: Interactions,
    /// When, in milliseconds since 1970, or [`UNDATED`]: for each entry of `interactions`, in order.
    /// A shop has more of them than of anything else, so that each takes no more than 8 bytes.
    times_ms: Vec<i64>,
    /// What the catalogue says about the items.
    pub features: Features,
    /// How many of them come from simulated readers.
    pub simulated_interactions: u64,
    /// Events of books that the shop does not have.
    pub(super) unknown_book_events: u64,
}

/// Which events are read, by their time in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// All, with a time or without.
    All,
    /// Those of a known time before this one.
    Before(i64),
    /// Those before this time, and those without a time.
    Until(i64),
    /// Those of this time or a later one.
    From(i64),
}

impl Span {
    fn holds(self, time_ms: Option<i64>) -> bool {
        match self {
            Self::All => true,
            Self::Before(end) => time_ms.is_some_and(|time| time < end),
            Self::Until(end) => time_ms.is_none_or(|time| time < end),
            Self::From(begin) => time_ms.is_some_and(|time| time >= begin),
        }
    }
}

/// Reads the books and all events of a store.
///
/// # Errors
///
/// [`TrainError::Store`], or [`TrainError::Cancelled`] soon after `cancelled` becomes true.
pub async fn read_lessons(
    store: &Store,
    settings: &Settings,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Lessons, TrainError> {
    read_lessons_of(Span::All, store, settings, progress, cancelled).await
}

/// Reads the books and the events of one span of time, as if there were no others.
///
/// # Errors
///
/// As [`read_lessons`].
pub async fn read_lessons_of(
    span: Span,
    store: &Store,
    settings: &Settings,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Lessons, TrainError> {
    let books = Books::read(store).await?.books;
    let items: Vec<ItemNumber> = books.iter().map(|book| book.number).collect();
    let features = features(&books, &settings.content.kinds());
    drop(books);
    let users = store.user_count().await?;
    progress.begin("reading events", Some(users), Unit::Count);
    let mut lessons = Lessons {
        users: Vec::new(),
        interactions: Interactions::new(items.len()),
        times_ms: Vec::new(),
        items,
        features,
        simulated_interactions: 0,
        unknown_book_events: 0,
    };
    let weights = settings.weights.engine();
    let history_max = settings.train.history_items_max.get();
    let mut users_read = 0_u64;
    let mut of_span = Vec::new();
    let scanned = store
        .scan_events(|user, events| {
            of_span.clear();
            of_span.extend(events.iter().copied().filter(|event| span.holds(event.time_ms)));
            lessons.add_user(user, &of_span, &weights, history_max);
            users_read += 1;
            if users_read.is_multiple_of(1024) {
                progress.at(users_read);
            }
            match cancelled.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .await;
    progress.end();
    scanned?;
    if cancelled.load(Ordering::Relaxed) { Err(TrainError::Cancelled) } else { Ok(lessons) }
}

impl Lessons {
    /// When, in milliseconds since 1970, if known: for each entry of `interactions`, in order.
    ///
    /// # Panics
    ///
    /// If the times were forgotten.
    pub fn times_ms(&self) -> impl Iterator<Item = Option<i64>> + Clone {
        assert_eq!(self.times_ms.len(), self.interactions.len(), "the times were forgotten");
        self.times_ms.iter().map(|time_ms| (*time_ms != UNDATED).then_some(*time_ms))
    }

    /// Gives the memory of the times back, which nobody asks for any more.
    pub(super) fn forget_times(&mut self) {
        self.times_ms = Vec::new();
    }

    /// Item, weight and time of everything that was liked.
    pub(super) fn dated(&self) -> impl Iterator<Item = (u32, f32, Option<i64>)> + Clone {
        let entries = (0..self.interactions.user_count()).flat_map(|user| {
            let (items, weights) = self.interactions.user(user);
            items.iter().zip(weights)
        });
        entries.zip(self.times_ms()).map(|((item, weight), time_ms)| (*item, *weight, time_ms))
    }

    fn add_user(
        &mut self,
        user: UserNumber,
        events: &[TrainingEvent],
        weights: &EventWeights,
        history_max: usize,
    ) {
        let simulated = events.iter().any(|event| event.origin == EventOrigin::Simulated);
        let known: Vec<Event> = events
            .iter()
            .filter(|event| self.items.binary_search(&event.item).is_ok())
            .map(Event::from)
            .collect();
        self.unknown_book_events += (events.len() - known.len()) as u64;
        let mut liked = collapse(&known, weights);
        liked.retain(|evidence| evidence.weight > 0.0);
        if liked.len() > history_max {
            liked.sort_by(|left, right| {
                right.weight.total_cmp(&left.weight).then(right.time_ms.cmp(&left.time_ms))
            });
            liked.truncate(history_max);
            liked.sort_unstable_by_key(|evidence| evidence.item);
        }
        if liked.is_empty() {
            return;
        }
        let column = |item| self.items.binary_search(&item).ok().map(|place| place as u32);
        let row: Vec<(u32, f32, Option<i64>)> = liked
            .iter()
            .filter_map(|evidence| {
                Some((column(evidence.item)?, evidence.weight, evidence.time_ms))
            })
            .collect();
        self.interactions.push_user(row.iter().map(|(item, weight, _)| (*item, *weight)));
        self.users.push(user);
        self.times_ms.extend(row.iter().map(|(_, _, time_ms)| time_ms.unwrap_or(UNDATED)));
        if simulated {
            self.simulated_interactions += row.len() as u64;
        }
    }
}

/// Columns, weights and times of a user.
#[cfg(test)]
pub(super) type Row<'a> = &'a [(u32, f32, Option<i64>)];

#[cfg(test)]
impl Lessons {
    /// Lessons about books 1 to `items`, with a row for each user.
    pub(super) fn from_rows(items: u32, users: &[u32], rows: &[Row<'_>]) -> Self {
        let mut interactions = Interactions::new(items as usize);
        for row in rows {
            interactions.push_user(row.iter().map(|(item, weight, _)| (*item, *weight)));
        }
        let times_ms = rows.iter().flat_map(|row| row.iter()).map(|(.., time_ms)| *time_ms);
        Self {
            items: (1..=items).map(ItemNumber).collect(),
            users: users.iter().copied().map(UserNumber).collect(),
            interactions,
            times_ms: times_ms.map(|time_ms| time_ms.unwrap_or(UNDATED)).collect(),
            features: features(&[], &Settings::read(None).unwrap().content.kinds()),
            simulated_interactions: 0,
            unknown_book_events: 0,
        }
    }
}
