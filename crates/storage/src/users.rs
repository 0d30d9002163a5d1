//! Who a user is: known or new, merged into another, deleted.
//!
//! Invariant: nobody is merged into somebody who is merged: [`Writer::merge_users`] has everybody
//! lead straight to the last one.

use std::collections::{BTreeMap, HashSet};

use recommender::UserNumber;
use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER};

use crate::error::StoreError;
use crate::event::EventError;
use crate::ids::IdSpace;
use crate::store::Store;
use crate::writer::Writer;

/// Whose events those of an id are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResolvedUser {
    /// The user's number; if the user was merged into another, the other's.
    pub number: UserNumber,
    /// Whether nothing is known of this user: they have no events, nor had any since the last time
    /// they were deleted, nor impressions.
    pub is_new: bool,
}

/// What became of the events of a user who was merged into another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// They are the other's now.
    pub moved: u64,
    /// The other had events with their ids: these stay, and the merged user's are gone.
    pub repeated: u64,
}

impl Store {
    /// Whom this user was merged into, if anybody. Costs a look at one row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn merged_into(&self, user: UserNumber) -> Result<Option<UserNumber>, StoreError> {
        self.backend.merged_into(user).await
    }

    /// The ids of the users who were merged into this one, by number.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn merged_user_ids(&self, user: UserNumber) -> Result<Vec<String>, StoreError> {
        let merged = self.backend.merged_from(user).await?;
        Ok(self.user_ids(&merged).await?.into_iter().flatten().collect())
    }
}

impl Writer {
    /// The numbers of the users with these ids, in the same order, assigning new ones where needed
    /// and following merges. An id may occur several times.
    ///
    /// # Errors
    ///
    /// As [`resolve_users`](Self::resolve_users), which also tells who is new.
    pub async fn assign_merged(&mut self, ids: &[&str]) -> Result<Vec<UserNumber>, StoreError> {
        let mut numbers = self.assign_users(ids).await?;
        let merged: BTreeMap<UserNumber, UserNumber> =
            self.transaction.merged(&numbers).await?.into_iter().collect();
        for number in &mut numbers {
            *number = merged.get(number).copied().unwrap_or(*number);
        }
        Ok(numbers)
    }

    /// The users with these ids, in the same order, assigning new numbers where needed and
    /// following merges. An id may occur several times.
    ///
    /// # Errors
    ///
    /// [`StoreError::Id`] if one cannot be an id; [`StoreError::OutOfNumbers`].
    /// In both cases no number was assigned.
    pub async fn resolve_users(&mut self, ids: &[&str]) -> Result<Vec<ResolvedUser>, StoreError> {
        let numbers = self.assign_merged(ids).await?;
        let mut users = numbers.clone();
        users.sort_unstable();
        users.dedup();
        let mut known: HashSet<UserNumber> =
            self.transaction.touched_users(&users).await?.into_iter().collect();
        users.retain(|user| !known.contains(user) && !self.touched.contains(user));
        let new: HashSet<UserNumber> = users.iter().copied().collect();
        known.extend(self.transaction.shown_users(&users).await?);
        let resolved = |number: UserNumber| ResolvedUser {
            number,
            is_new: new.contains(&number) && !known.contains(&number),
        };
        Ok(numbers.into_iter().map(resolved).collect())
    }

    /// Deletes a user: all events and impressions, who was merged into them, and the ids of all
    /// these. Returns how many events there were. For somebody who was merged into another, this
    /// deletes the other: nobody can tell any more whose events are whose.
    ///
    /// Numbers are not used again. What is deleted stays in the files of the database until
    /// [`Store::compact`].
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub async fn delete_user(&mut self, user: UserNumber) -> Result<u64, StoreError> {
        let user = self.last_of(user).await?;
        self.begin_change()?;
        let events = self.transaction.delete_events(user).await?;
        let mut gone = self.transaction.forget_merged(user).await?;
        gone.push(user);
        let revision = self.remove(&gone);
        self.transaction.forget_revisions(&gone, revision).await?;
        for number in gone.into_iter().filter(|number| number.0 >= FIRST_ASSIGNED) {
            self.transaction.forget_id(IdSpace::User, number.0).await?;
        }
        self.count_changes(events);
        self.end_change();
        Ok(events)
    }

    /// Makes a user part of another: their events and impressions become the other's, and so do
    /// those to come under their id. To do it again changes nothing.
    ///
    /// Of the two, whoever had events is touched: what was remembered of them is not so any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::MergedIntoThemselves`], also by way of an earlier merge;
    /// [`StoreError::MergedBefore`] if `from` was merged into somebody else;
    /// [`StoreError::Event`] if one is no user's number. The writer goes on after these.
    /// Otherwise as [`commit`](Self::commit).
    pub async fn merge_users(
        &mut self,
        from: UserNumber,
        into: UserNumber,
    ) -> Result<Merged, StoreError> {
        for user in [from, into] {
            if !(1..=LAST_NUMBER).contains(&user.0) {
                return Err(EventError::NumberRange { of: "user", found: user.0 }.into());
            }
        }
        let (last_of_from, into) = (self.last_of(from).await?, self.last_of(into).await?);
        if from == into {
            return Err(StoreError::MergedIntoThemselves { user: from });
        }
        if last_of_from == into {
            return Ok(Merged::default());
        }
        if last_of_from != from {
            return Err(StoreError::MergedBefore { user: from, into: last_of_from });
        }
        self.begin_change()?;
        let mut touched = self.transaction.touched_users(&[from, into]).await?;
        let moved = self.transaction.move_events(from, into).await?;
        let repeated = self.transaction.delete_events(from).await?;
        self.transaction.set_merged(from, into).await?;
        self.count_changes(repeated);
        if moved > 0 {
            touched.push(into);
        }
        self.touch(touched).await?;
        self.end_change();
        Ok(Merged { moved, repeated })
    }

    /// Whom a user was merged into, or that user.
    async fn last_of(&mut self, user: UserNumber) -> Result<UserNumber, StoreError> {
        let merged = self.transaction.merged(&[user]).await?;
        Ok(merged.first().map_or(user, |(_, into)| *into))
    }
}
