//! A shop that somebody writes to while it is measured.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use recommender::{EventKind, Interactions, ItemNumber, UserNumber};
use storage::{Book, EventId, EventOrigin, ModelFolderError, NewEvent, Store, StoreError};

use super::{book, is_learnt};
use crate::data_folder::DataFolder;
use crate::settings::Settings;

/// Users whose events are written at once.
const USERS_AT_ONCE: usize = 250;

/// Why a made-up shop cannot be made, or looked at.
#[derive(Debug, thiserror::Error)]
pub enum MadeUpError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The models cannot be looked at.
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    /// The system's threads cannot be had.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A shop that somebody writes to. Users and books have the ids "1", "2" and so on, the users of the
/// interactions first.
#[derive(Debug)]
pub struct MadeUpShop {
    store: Store,
    data: DataFolder,
    interactions: Interactions,
    random: ChaCha8Rng,
    /// Events that were written; each has its number for an id.
    events: u64,
    books: u32,
}

impl MadeUpShop {
    /// Writes a shop into a data folder: a book for each item, a purchase for each interaction. It
    /// blocks.
    ///
    /// # Errors
    ///
    /// [`MadeUpError::Store`].
    pub async fn fill(
        data: &DataFolder,
        settings: &Settings,
        interactions: Interactions,
        seed: u64,
        now_ms: i64,
    ) -> Result<Self, MadeUpError> {
        let store = data.store(settings).await?;
        let books = u32::try_from(interactions.item_count()).unwrap_or(u32::MAX);
        let random = ChaCha8Rng::seed_from_u64(seed);
        let data = data.clone();
        let mut shop = Self { store, data, interactions, random, events: 0, books };
        let mut writer = shop.store.begin().await?;
        let all: Vec<Book> = (1..=books).map(book).collect();
        writer.put_books(&all).await?;
        let users: Vec<usize> = (0..shop.interactions.user_count()).collect();
        for users in users.chunks(USERS_AT_ONCE) {
            let mut events = Vec::new();
            for user in users {
                for item in shop.interactions.user(*user).0 {
                    shop.events += 1;
                    events.push(purchase(*user, *item, shop.events, now_ms)?);
                }
            }
            writer.append_events(&events).await?;
        }
        writer.commit().await?;
        Ok(shop)
    }

    /// Has random users buy so many books, each one that another user has, in one commit.
    ///
    /// # Errors
    ///
    /// [`MadeUpError::Store`].
    pub async fn buy(&mut self, count: usize, now_ms: i64) -> Result<(), MadeUpError> {
        let mut events = Vec::with_capacity(count);
        let users = self.interactions.user_count();
        while events.len() < count && users > 0 {
            let (user, other) =
                (self.random.random_range(0..users), self.random.random_range(0..users));
            let items = self.interactions.user(other).0;
            if let Some(item) = items.get(self.random.random_range(0..items.len().max(1))) {
                self.events += 1;
                events.push(purchase(user, *item, self.events, now_ms)?);
            }
        }
        let mut writer = self.store.begin().await?;
        writer.append_events(&events).await?;
        writer.commit().await?;
        Ok(())
    }

    /// Adds a book; returns its id. Nobody has it yet.
    ///
    /// # Errors
    ///
    /// [`MadeUpError::Store`].
    pub async fn publish(&mut self) -> Result<String, MadeUpError> {
        self.books += 1;
        let mut writer = self.store.begin().await?;
        writer.put_books(&[book(self.books)]).await?;
        writer.commit().await?;
        Ok(self.books.to_string())
    }

    /// A book with at least so many readers, and few more; its id and they. `None` if no book has as
    /// many.
    #[must_use]
    pub fn book_with_readers(&self, readers: usize) -> Option<(String, Vec<usize>)> {
        let users = self.interactions.item_users();
        let enough = users.iter().enumerate().filter(|(_, users)| **users as usize >= readers);
        let (item, _) = enough.min_by_key(|(_, users)| **users)?;
        let has = |user: &usize| self.interactions.user(*user).0.contains(&(item as u32));
        let readers = (0..self.interactions.user_count()).filter(has).collect();
        Some(((item + 1).to_string(), readers))
    }

    /// Has these users buy the newest book, in one commit.
    ///
    /// # Errors
    ///
    /// [`MadeUpError::Store`].
    pub async fn buy_newest(&mut self, users: &[usize], now_ms: i64) -> Result<(), MadeUpError> {
        let mut events = Vec::with_capacity(users.len());
        for user in users {
            self.events += 1;
            events.push(purchase(*user, self.books - 1, self.events, now_ms)?);
        }
        let mut writer = self.store.begin().await?;
        writer.append_events(&events).await?;
        writer.commit().await?;
        Ok(())
    }

    /// Whether the active model was trained on all that was written.
    ///
    /// # Errors
    ///
    /// [`MadeUpError`].
    pub async fn is_learnt(&self) -> Result<bool, MadeUpError> {
        is_learnt(&self.store, &self.data.models()?).await
    }

    /// Closes the store.
    pub async fn close(self) {
        self.store.close().await;
    }
}

fn purchase(user: usize, item: u32, number: u64, now_ms: i64) -> Result<NewEvent, StoreError> {
    Ok(NewEvent {
        user: UserNumber(user as u32 + 1),
        item: ItemNumber(item + 1),
        event_id: EventId::new(number.to_string().as_bytes()).map_err(StoreError::Event)?,
        kind: EventKind::Purchase,
        rating: None,
        time_ms: Some(now_ms),
        recorded_ms: now_ms,
        origin: EventOrigin::Simulated,
        attribution_token: None,
    })
}
