//! Whether books that the model knows only from the catalogue have got events since: a new book is
//! often in the catalogue, and in a model, before anybody has met it.
//!
//! Nobody keeps events by book, so the users who did something since the training are looked through,
//! a few at each look. Whoever cannot be kept up with is taken for news.

use recommender::history::collapse;
use recommender::{Event, EventWeights, Model};
use storage::{ModelVersion, Store, StoreError, UserRevision};

use crate::generation::VersionedModel;

/// Users that one look reads the history of.
const USERS_A_LOOK: u32 = 200;

/// The events of each, the newest first.
const EVENTS_OF_A_USER: u32 = 50;

/// After so many looks in a row that left users for the next, there is more to look through than can
/// be.
const FULL_LOOKS_MAX: u32 = 10;

/// How far it has looked, for one model.
#[derive(Debug, Default)]
pub(super) struct FirstEvents {
    version: Option<ModelVersion>,
    /// Whether the model knows any book from the catalogue only.
    has_unmet: bool,
    last: Option<UserRevision>,
    full_looks: u32,
    found: bool,
}

impl FirstEvents {
    /// Looks on. `trained_on` is the revision of the events that the model was trained on.
    pub(super) async fn look(
        &mut self,
        store: &Store,
        VersionedModel { version, model, .. }: &VersionedModel,
        trained_on: i64,
        weights: &EventWeights,
    ) -> Result<bool, StoreError> {
        if self.version != Some(*version) {
            let has_unmet = model.popularity().contains(&0.0);
            *self = Self { version: Some(*version), has_unmet, ..Self::default() };
        }
        if self.found || !self.has_unmet {
            return Ok(self.found);
        }
        let users = store.users_changed_after(trained_on, self.last, USERS_A_LOOK).await?;
        for user in &users {
            let history = store.history(user.user, EVENTS_OF_A_USER).await?;
            let events: Vec<Event> = history.events.iter().map(Event::from).collect();
            if collapse(&events, weights).iter().any(|liked| {
                liked.weight > 0.0
                    && model.index_of(liked.item).is_some_and(|item| is_unmet(model, item))
            }) {
                self.found = true;
                return Ok(true);
            }
            self.last = Some(*user);
        }
        let is_full = users.len() == USERS_A_LOOK as usize;
        self.full_looks = if is_full { self.full_looks + 1 } else { 0 };
        self.found = self.full_looks > FULL_LOOKS_MAX;
        Ok(self.found)
    }
}

/// Whether nobody likes an item, as far as the model knows.
fn is_unmet(model: &Model, item: u32) -> bool {
    model.popularity().get(item as usize).is_some_and(|liked| *liked == 0.0)
}
